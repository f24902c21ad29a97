//! Ruling, objecting, and taking either back: one case at a time.

use super::docket::Docket;
use crate::cli::CasesRule;
use crate::command::error::CommandError;
use crate::command::session::{Session, day_of};
use crate::import::date::Dated;
use crate::import::{Problem, code_list, text};
use crate::render::words;
use crate::replica::Draft;
use hub_core::case::{Case, CaseKind};
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::Evidence;
use hub_core::fact::{FactBody, Withdrawn};
use hub_core::id::{FactId, NodeId, UnitId};
use hub_core::time::{Day, Precision};
use hub_core::view::View;
use hub_core::view::verdict::Verdict;

/// A ruling as it was typed.
pub(super) struct Ruling<'a> {
    pub(super) winner: &'a str,
    pub(super) from: Option<Dated>,
    pub(super) reason: &'a str,
    pub(super) document: &'a str,
}

/// What of a ruling is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Case,
    Winner,
    From,
}

impl Docket<'_, '_> {
    /// The fact that rules a case, if this node may rule it.
    pub(super) fn ruling(
        &self,
        case: &Case,
        ruling: &Ruling<'_>,
    ) -> Result<Draft, (Part, Problem)> {
        if !case.can_be_ruled() {
            return Err((Part::Case, Problem::NotRulable));
        }
        if !self.may_rule(case) {
            let above = case.common_ancestor(&self.rollup);
            let by = above.map_or_else(String::new, |at| self.unit_path(at));
            return Err((Part::Case, Problem::NotCommonAncestor { by }));
        }
        let unit = self.session.replica().who().office;
        let unit = unit.ok_or((Part::Case, Problem::NotAbove))?;
        let winner = self.winner(case, ruling.winner).map_err(|p| (Part::Winner, p))?;
        let from = ruling.from.map_or(case.since, |dated| dated.day);
        if from < case.since {
            let earliest = case.since;
            return Err((Part::From, Problem::BeforeCase { earliest }));
        }
        let sides: Vec<Side> = case.sides.iter().filter_map(|side| side.side).collect();
        let reason = text::name(ruling.reason);
        let fact = GovernanceFact::Ruled { sides, winner, from, reason };
        Ok(self.draft(unit, fact, Some(text::name(ruling.document))))
    }

    /// The place of the side that is to count: its number, a union or unit by name, or none.
    fn winner(&self, case: &Case, typed: &str) -> Result<Option<u32>, Problem> {
        let typed = text::plain(typed);
        if ["none", "无", "都不算", "都不计"].contains(&typed.as_str()) {
            return Ok(None);
        }
        let count = case.sides.len();
        let by_number = typed.parse::<usize>().ok().filter(|n| (1..=count).contains(n));
        let place = by_number.map(|number| number - 1).or_else(|| self.side_named(case, &typed));
        match place.and_then(|place| u32::try_from(place).ok()) {
            Some(place) => Ok(Some(place)),
            None => {
                let numbered = case.sides.iter().enumerate();
                let sides = numbered
                    .map(|(place, side)| format!("{} {}", place + 1, self.side_name(side)))
                    .collect();
                Err(Problem::NoSuchSide { sides })
            }
        }
    }

    fn side_named(&self, case: &Case, typed: &str) -> Option<usize> {
        let union = self.names.branch(typed).ok().map(|place| self.names.branch_at(place).id);
        let unit = self.names.unit(typed).ok().map(|place| self.names.unit_at(place).id);
        let view = self.session.replica().read();
        let fits = |side: &hub_core::case::CaseSide| match side.side {
            Some(Side::Claim { branch, .. } | Side::Branch { branch }) if union == Some(branch) => {
                true
            }
            _ => unit.is_some() && side.unit.map(|at| view.tree().unit(at).id) == unit,
        };
        let mut fitting = (0..case.sides.len()).filter(|place| fits(&case.sides[*place]));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    fn draft(&self, unit: UnitId, fact: GovernanceFact, document: Option<String>) -> Draft {
        Draft {
            precision: Precision::Day,
            operator: self.session.operator,
            document: document.filter(|document| !document.is_empty()),
            ..Draft::new(unit, self.session.today(), FactBody::Governance(fact))
        }
    }
}

/// Rules one case.
pub(super) fn rule(session: &Session<'_>, asked: &CasesRule) -> Result<u8, CommandError> {
    session.own_unit()?;
    let typed = asked.id.as_deref().unwrap_or_default();
    let docket = Docket::open(session);
    let case = docket.case(typed)?;
    let from = asked.from.as_deref().map(|day| day_of(session, Some(day), true)).transpose()?;
    let ruling = Ruling {
        winner: asked.winner.as_deref().unwrap_or_default(),
        from,
        reason: asked.reason.as_deref().unwrap_or_default(),
        document: asked.document.as_deref().unwrap_or_default(),
    };
    let draft = docket.ruling(case, &ruling).map_err(|(part, problem)| {
        let typed = match part {
            Part::Case => typed,
            Part::Winner => ruling.winner,
            Part::From => asked.from.as_deref().unwrap_or_default(),
        };
        CommandError::argument(typed, problem)
    })?;
    if asked.dry_run {
        return said(session, case, "可以裁定(没有写入)", "may be ruled (nothing was written)");
    }
    session.replica().write(vec![draft])?;
    said(session, case, "已登记裁定", "the ruling is recorded")
}

fn said(session: &Session<'_>, case: &Case, zh: &str, en: &str) -> Result<u8, CommandError> {
    let id = &case.id.to_string()[..super::docket::ID_DIGITS];
    session.say(&format!("{zh}:{id}"), &format!("{en}: {id}"))?;
    Ok(0)
}

/// An objection as it was typed.
pub(super) struct Objection<'a> {
    pub(super) id: &'a str,
    pub(super) evidence: &'a str,
    pub(super) from: Option<&'a str>,
    pub(super) for_unit: Option<&'a str>,
    pub(super) document: Option<&'a str>,
}

/// Objects to the side that counts, on behalf of one that does not.
pub(super) fn object(session: &Session<'_>, asked: &Objection<'_>) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let docket = Docket::open(session);
    let case = docket.case(asked.id)?;
    let evidence = code_list::evidence(&text::plain(asked.evidence))
        .map_err(|problem| CommandError::argument(asked.evidence, problem))?;
    let from = match asked.from {
        Some(typed) => day_of(session, Some(typed), false)?.day,
        None => case.since,
    };
    let acting = acting_unit(session, &docket, asked.for_unit, own)?;
    let fact = objection(session, &docket, case, acting, evidence, from)?;
    let draft = docket.draft(acting, fact, asked.document.map(text::name));
    session.replica().write(vec![draft])?;
    said(session, case, "已登记异议", "the objection is recorded")
}

/// The unit an objection is made for: this node's own, or one below it (M3).
fn acting_unit(
    session: &Session<'_>,
    docket: &Docket<'_, '_>,
    typed: Option<&str>,
    own: UnitId,
) -> Result<UnitId, CommandError> {
    let Some(typed) = typed else { return Ok(own) };
    let place = session.unit(&docket.names, typed)?;
    let own = docket.names.place_of(&own);
    if !own.is_some_and(|own| docket.names.is_at_or_below(place, own)) {
        return Err(CommandError::refused(
            format!("“{typed}”不在本级之下,不能代其提出异议"),
            format!("“{typed}” does not lie below this node; it cannot object on its behalf"),
        ));
    }
    Ok(docket.names.unit_at(place).id)
}

/// The objection of one side to the other; refused where it could have no effect (M3).
fn objection(
    session: &Session<'_>,
    docket: &Docket<'_, '_>,
    case: &Case,
    acting: UnitId,
    evidence: Evidence,
    from: Day,
) -> Result<GovernanceFact, CommandError> {
    let about_a_person =
        matches!(case.kind, CaseKind::DualMembership | CaseKind::DisputedMembership);
    let unit = session.replica().read().tree().find(&acting);
    let (Some(member), Some(unit), true) = (case.member, unit, about_a_person) else {
        return Err(CommandError::refused(
            "异议只针对重复会籍和会籍争议",
            "objections are made against memberships that stand against each other only",
        ));
    };
    let ours = docket.sides_of(case, unit);
    let theirs: Vec<usize> = (0..case.sides.len()).filter(|place| !ours.contains(place)).collect();
    let [theirs] = theirs.as_slice() else {
        return Err(match ours.is_empty() {
            true => CommandError::refused(
                "这件争议不涉及本级或所代的单位",
                "the case touches neither this node nor the unit named",
            ),
            false => CommandError::refused(
                "双方都在本级之下:请裁定(hub cases rule),或用 --for 指明代哪一方提出",
                "both sides lie below this node: rule (hub cases rule), or say with --for on whose behalf",
            ),
        });
    };
    let theirs = &case.sides[*theirs];
    if theirs.standing != hub_core::case::Standing::Counts {
        return Err(CommandError::refused(
            "对方现在并不计入,不需要提出异议",
            "the other side does not count; there is nothing to object to",
        ));
    }
    if let Some(stated) = theirs.evidence
        && evidence < stated
    {
        let (zh, en) = (
            words::case::evidence(crate::render::Lang::Zh, stated),
            words::case::evidence(crate::render::Lang::En, stated),
        );
        return Err(CommandError::refused(
            format!("对方依据为“{zh}”,异议的依据不能更弱;没有更强的依据时请上级裁定"),
            format!(
                "the other side rests on {en}; an objection needs no weaker evidence: ask for a ruling"
            ),
        ));
    }
    let Some(Side::Claim { branch, .. }) = theirs.side else {
        return Err(CommandError::refused("没有可异议的会籍", "no membership to object to"));
    };
    Ok(GovernanceFact::Objected { member, branch, from, evidence })
}

/// The rulings and objections of a node about a case that are not taken back, in order of id.
pub(super) fn decisions_of(
    node: NodeId,
    view: &View,
    case: &Case,
) -> impl Iterator<Item = FactId> + use<> {
    let sides: Vec<Side> = case.sides.iter().filter_map(|side| side.side).collect();
    let mut found: Vec<FactId> = Vec::new();
    for (known, verdict) in view.facts() {
        if known.id.chain.node != node || matches!(verdict, Verdict::Withdrawn(_)) {
            continue;
        }
        let about = match &known.fact.body {
            FactBody::Governance(GovernanceFact::Ruled { sides: ruled, .. }) => {
                ruled.iter().filter(|side| sides.contains(side)).count() >= 2
            }
            FactBody::Governance(GovernanceFact::Objected { member, branch, .. }) => {
                sides.contains(&Side::Claim { member: *member, branch: *branch })
            }
            _ => false,
        };
        if about || case.decision == Some(known.id) {
            found.push(known.id);
        }
    }
    found.sort_unstable();
    found.into_iter()
}

/// Those of this node.
pub(super) fn own_decisions(
    docket: &Docket<'_, '_>,
    case: &Case,
) -> impl Iterator<Item = FactId> + use<> {
    let replica = docket.session.replica();
    let node = replica.who().node;
    decisions_of(node, &replica.read(), case)
}

/// Takes this node's own rulings and objections about a case back.
pub(super) fn withdraw(
    session: &Session<'_>,
    typed: &str,
    reason: &str,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let docket = Docket::open(session);
    let case = docket.case(typed)?;
    let drafts: Vec<Draft> = own_decisions(&docket, case)
        .map(|first| {
            let body =
                FactBody::Withdrawn(Withdrawn { first, count: 1, reason: reason.to_owned() });
            Draft { operator: session.operator, ..Draft::new(own, session.today(), body) }
        })
        .collect();
    if drafts.is_empty() {
        return Err(CommandError::refused(
            "本级对这件争议没有裁定或异议可撤回",
            "this node has no ruling or objection about this case to take back",
        ));
    }
    session.replica().write(drafts)?;
    said(session, case, "已撤回本级的裁定或异议", "this node's decision is taken back")
}
