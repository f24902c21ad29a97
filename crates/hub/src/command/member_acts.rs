//! `hub member join|transfer|retain|leave`: one person at a time.

use super::error::CommandError;
use super::member_import::{self, person};
use super::roster::{Roster, Standing};
use super::session::{Session, day_of};
use crate::cli::{MemberCommand, PersonArgs};
use crate::import::date::Dated;
use crate::import::document::{self, Document};
use crate::import::{code_list, text};
use crate::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::member::{Evidence, MemberAct, MemberFact, Origin, Profile, Start};
use hub_core::id::{BranchId, MemberKey, UnitId};
use std::collections::HashSet;

/// Runs a command about members.
///
/// # Errors
/// A name, number or day does not fit, this node may not say it, or the facts cannot be written.
pub fn run(session: &Session<'_>, command: &MemberCommand) -> Result<u8, CommandError> {
    match command {
        MemberCommand::Import { import, branch, reason } => {
            let reason = code_list::leave_reason(reason)
                .map_err(|problem| CommandError::argument(reason, problem))?;
            member_import::import(session, &import.into(), branch.as_deref(), reason)
        }
        MemberCommand::Join { person, name, employer, evidence } => {
            let someone = Someone::of(session, person, Some(name))?;
            let employer = employer.as_deref().map(|typed| someone.unit(typed)).transpose()?;
            let start = someone.start(Origin::New, evidence, employer, None)?;
            someone.write(MemberAct::Joined(start), false)
        }
        MemberCommand::Transfer { person, name, out: false, other, evidence } => {
            let someone = Someone::of(session, person, Some(name))?;
            let from = other.as_deref().map(|typed| someone.branch(typed)).transpose()?;
            let start = someone.start(Origin::Transferred, evidence, None, from)?;
            someone.write(MemberAct::TransferredIn(start), false)
        }
        MemberCommand::Transfer { person, other, .. } => {
            let someone = Someone::of(session, person, None)?;
            let to = other.as_deref().map(|typed| someone.branch(typed)).transpose()?;
            someone.write(MemberAct::TransferredOut { to }, true)
        }
        MemberCommand::Retain { person, reason } => {
            let someone = Someone::of(session, person, None)?;
            let reason = code_list::retain_reason(reason)
                .map_err(|problem| CommandError::argument(reason, problem))?;
            someone.write(MemberAct::Retained { reason }, true)
        }
        MemberCommand::Leave { person, reason } => {
            let someone = Someone::of(session, person, None)?;
            let reason = code_list::leave_reason(reason)
                .map_err(|problem| CommandError::argument(reason, problem))?;
            someone.write(MemberAct::Left { reason }, true)
        }
    }
}

/// A person at a union whose books this node keeps.
struct Someone<'a, 'i> {
    session: &'a Session<'i>,
    own: UnitId,
    document: Document,
    name: Option<String>,
    member: MemberKey,
    branch: BranchId,
    path: String,
    day: Dated,
}

impl<'a, 'i> Someone<'a, 'i> {
    fn of(
        session: &'a Session<'i>,
        typed: &PersonArgs,
        name: Option<&str>,
    ) -> Result<Self, CommandError> {
        let own = session.own_unit()?;
        // The number is a person's: a message about it does not repeat it.
        let document = document::parse(&typed.document, &typed.number)
            .map_err(|problem| CommandError::argument("--number", problem))?;
        let names = session.names();
        let place = session.branch(&names, &typed.branch)?;
        let host = names.branch_at(place).host.map(|host| names.unit_at(host).id);
        if let Some(problem) = host.and_then(|host| session.served_elsewhere(&host)) {
            return Err(CommandError::argument(&typed.branch, problem));
        }
        Ok(Self {
            own,
            member: session.person_key()?.member(document.kind, &document.number),
            name: name.map(text::name).filter(|name| !name.is_empty()),
            branch: names.branch_at(place).id,
            path: names.branch_path(place),
            day: day_of(session, typed.day.as_deref(), false)?,
            session,
            document,
        })
    }

    fn unit(&self, typed: &str) -> Result<UnitId, CommandError> {
        let names = self.session.names();
        Ok(names.unit_at(self.session.unit(&names, typed)?).id)
    }

    fn branch(&self, typed: &str) -> Result<BranchId, CommandError> {
        let names = self.session.names();
        Ok(names.branch_at(self.session.branch(&names, typed)?).id)
    }

    fn start(
        &self,
        origin: Origin,
        evidence: &str,
        employer: Option<UnitId>,
        from: Option<BranchId>,
    ) -> Result<Start, CommandError> {
        let evidence: Evidence = code_list::evidence(&text::plain(evidence))
            .map_err(|problem| CommandError::argument(evidence, problem))?;
        let profile = Profile { sex: self.document.sex(), ..Profile::default() };
        let qualified = self.document.qualified;
        Ok(Start { origin, evidence, employer, host: None, from, profile, qualified })
    }

    /// Writes the act; `needs_membership`: only where the books hold an open or retained one.
    fn write(&self, act: MemberAct, needs_membership: bool) -> Result<u8, CommandError> {
        let branches = HashSet::from([self.branch]);
        let roster = Roster::read(self.session.replica(), &branches);
        let standing = roster.entry(&self.branch, &self.member).map(|entry| entry.standing);
        let is_member = matches!(standing, Some(Standing::Open | Standing::Retained(_)));
        if needs_membership && !is_member {
            return Err(CommandError::refused(
                format!("“{}”没有这个会员", self.path),
                format!("“{}” has no such member", self.path),
            ));
        }
        if !needs_membership && standing == Some(Standing::Open) {
            return Err(CommandError::refused(
                format!("“{}”已有这个会员", self.path),
                format!("“{}” has this member already", self.path),
            ));
        }
        if let Some(name) = &self.name {
            let kept = (self.member, person(name, &self.document));
            self.session.shared.vault()?.put_many(&[kept])?;
        }
        let fact = MemberFact { member: self.member, branch: self.branch, act };
        let draft = Draft {
            precision: self.day.precision,
            operator: self.session.operator,
            ..Draft::new(self.own, self.day.day, FactBody::Member(fact))
        };
        self.session.replica().write(vec![draft])?;
        if !self.document.qualified {
            let warning = self.session.lang.pick(
                "证件号码校验不通过:已登记,但不计入统计,请核对后更正\n",
                "the number does not pass its check: recorded but not counted; correct it\n",
            );
            self.session.io.err(warning).map_err(CommandError::Screen)?;
        }
        self.session.say(&format!("已登记:{}", self.path), &format!("recorded: {}", self.path))?;
        Ok(0)
    }
}
