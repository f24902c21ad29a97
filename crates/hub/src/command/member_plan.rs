//! What a roster's row comes to against the books: a start, a correction, a revision, or nothing.

use super::intake::Came;
use super::member_import::Resolved;
use super::roster::{Entry, Roster, Standing};
use super::session::import_attribute;
use crate::import::code_list::Standing as RowStanding;
use crate::import::row::MemberRow;
use crate::replica::{Draft, Transaction};
use hub_core::fact::member::{Evidence, MemberAct, MemberFact, Origin, Start};
use hub_core::fact::{ATTRIBUTE_FIRST_JOINED, Attribute, FactBody, Withdrawn};
use hub_core::id::UnitId;
use hub_core::time::{Day, Precision};

/// The reason code of a retention a roster states without one.
const RETAINED_OTHER: u8 = 15;

/// Turns rows into facts.
pub(super) struct Plan<'a, 'tx, 'v> {
    pub(super) own: UnitId,
    pub(super) today: Day,
    pub(super) import: i32,
    pub(super) operator: u32,
    pub(super) roster: &'a Roster,
    pub(super) tx: &'tx mut Transaction<'v>,
    pub(super) facts: u64,
}

impl Plan<'_, '_, '_> {
    pub(super) fn row(&mut self, row: &MemberRow, resolved: &Resolved) -> Came {
        match self.roster.entry(&resolved.branch, &resolved.member) {
            None if resolved.corrects.is_some() => {
                self.rekey(resolved);
                Came::Revised
            }
            None => {
                self.start(row, resolved, None);
                self.retain(row, resolved);
                Came::New
            }
            Some(entry) => match entry.standing {
                Standing::Ended(day) => self.again(row, resolved, day),
                Standing::Open | Standing::Retained(_) => self.compare(row, resolved, entry),
            },
        }
    }

    /// The books knew this person under a wrong number: the claims move to the right one (M6).
    fn rekey(&mut self, resolved: &Resolved) {
        let Some(wrong) = resolved.corrects else { return };
        let act = MemberAct::Rekeyed { to: resolved.member, qualified: true };
        let fact = MemberFact { member: wrong, branch: resolved.branch, act };
        self.push(self.today, Precision::Day, FactBody::Member(fact), Vec::new());
    }

    /// A person the books once let go: a start only where the row names a later day of joining.
    fn again(&mut self, row: &MemberRow, resolved: &Resolved, ended: Day) -> Came {
        if row.joined.is_some_and(|joined| joined.day >= ended) {
            self.start(row, resolved, None);
            self.retain(row, resolved);
            return Came::New;
        }
        Came::Unchanged
    }

    /// Cells left blank say nothing; what differs is stated anew.
    fn compare(&mut self, row: &MemberRow, resolved: &Resolved, entry: &Entry) -> Came {
        let before = self.facts;
        let start = &entry.start;
        let differs = row.joined.is_some_and(|joined| joined.day != entry.start_day)
            || row.evidence.is_some_and(|evidence| evidence != start.evidence)
            || row.origin.is_some_and(|origin| origin != start.origin)
            || resolved.employer.is_some_and(|unit| Some(unit) != start.employer)
            || resolved.host.is_some_and(|unit| Some(unit) != start.host)
            || resolved.from.is_some_and(|from| Some(from) != start.from);
        if differs {
            // A start was wrong, not changed: it is taken back and stated anew.
            let reason = "更正".to_owned();
            let withdrawn = Withdrawn { first: entry.start_fact, count: 1, reason };
            self.push(self.today, Precision::Day, FactBody::Withdrawn(withdrawn), Vec::new());
            self.start(row, resolved, Some(entry));
        } else if entry.profile.revised(row.profile) != entry.profile {
            let act = MemberAct::Revised { profile: row.profile };
            self.act(resolved, self.today, act);
        }
        let retained = matches!(entry.standing, Standing::Retained(_));
        if !retained {
            self.retain(row, resolved);
        }
        if self.facts > before { Came::Revised } else { Came::Unchanged }
    }

    /// Writes a start; what the row leaves blank is as it was known.
    fn start(&mut self, row: &MemberRow, resolved: &Resolved, known: Option<&Entry>) {
        let origin = row.origin.or(known.map(|entry| entry.start.origin));
        let origin = origin.unwrap_or(match resolved.from {
            Some(_) => Origin::Transferred,
            None => Origin::Existing,
        });
        let evidence = row.evidence.or(known.map(|entry| entry.start.evidence));
        let profile = known.map_or(row.profile, |entry| entry.profile.revised(row.profile));
        let start = Start {
            origin,
            evidence: evidence.unwrap_or(Evidence::Roster),
            employer: resolved.employer.or(known.and_then(|entry| entry.start.employer)),
            host: resolved.host.or(known.and_then(|entry| entry.start.host)),
            from: resolved.from.or(known.and_then(|entry| entry.start.from)),
            profile,
            qualified: row.document.qualified,
        };
        let (day, precision) = match (row.joined, known) {
            (Some(joined), _) => (joined.day, joined.precision),
            (None, Some(entry)) => (entry.start_day, Precision::Day),
            (None, None) => (self.today, Precision::Day),
        };
        let transferred = origin == Origin::Transferred;
        let act =
            if transferred { MemberAct::TransferredIn(start) } else { MemberAct::Joined(start) };
        let fact = MemberFact { member: resolved.member, branch: resolved.branch, act };
        let first = row
            .first_joined
            .map(|first| Attribute { code: ATTRIBUTE_FIRST_JOINED, value: first.day.0 });
        self.push(day, precision, FactBody::Member(fact), first.into_iter().collect());
    }

    fn retain(&mut self, row: &MemberRow, resolved: &Resolved) {
        if row.standing == RowStanding::Retained {
            let act = MemberAct::Retained { reason: RETAINED_OTHER };
            self.act(resolved, self.today, act);
        }
    }

    fn act(&mut self, resolved: &Resolved, day: Day, act: MemberAct) {
        let fact = MemberFact { member: resolved.member, branch: resolved.branch, act };
        self.push(day, Precision::Day, FactBody::Member(fact), Vec::new());
    }

    fn push(&mut self, day: Day, precision: Precision, body: FactBody, more: Vec<Attribute>) {
        self.facts += 1;
        let mut attributes = more;
        attributes.push(import_attribute(self.import));
        self.tx.push(Draft {
            precision,
            operator: self.operator,
            attributes,
            ..Draft::new(self.own, day, body)
        });
    }
}
