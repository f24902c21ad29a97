//! Unions: from application to dissolution, as a function of one union's standing facts (F1, F5, F6).

use super::host_line::HostLine;
use super::tree::{Stamp, Tree, UnitIx, replace_codes};
use crate::fact::branch::{BranchKind, WomenOrg};
use crate::fact::{BranchFact, Code, CodeKind};
use crate::id::BranchId;
use crate::time::{Day, Hlc};
use std::collections::BTreeMap;

/// A union's place in [`Branches::all`]; it depends on arrival and never leaves the process.
pub type BranchIx = u32;

/// All unions.
#[derive(Debug, Clone, Default)]
pub struct Branches {
    /// Every union a standing first fact introduced, or a member fact named.
    pub all: Vec<Branch>,
    by_id: BTreeMap<BranchId, BranchIx>,
}

impl Branches {
    /// The union of this id.
    pub fn find(&self, id: &BranchId) -> Option<BranchIx> {
        self.by_id.get(id).copied()
    }

    /// Unions whose ids begin with these 12 bits, in order of id.
    pub(crate) fn ids_beginning(&self, bits: u16) -> impl Iterator<Item = (&BranchId, BranchIx)> {
        let mut first = BranchId::NIL;
        first.0[..2].copy_from_slice(&(bits << 4).to_be_bytes());
        let begins = move |id: &BranchId| u16::from_be_bytes([id.0[0], id.0[1]]) >> 4 == bits;
        let from = self.by_id.range(first..);
        from.take_while(move |(id, _)| begins(id)).map(|(id, at)| (id, *at))
    }

    /// The union at this place.
    pub fn branch(&self, at: BranchIx) -> &Branch {
        &self.all[at as usize]
    }

    /// All ids in order, with their places.
    pub fn ids(&self) -> impl Iterator<Item = (&BranchId, BranchIx)> {
        self.by_id.iter().map(|(id, place)| (id, *place))
    }

    pub(crate) fn intern(&mut self, id: &BranchId) -> BranchIx {
        if let Some(known) = self.by_id.get(id) {
            return *known;
        }
        let place = self.all.len() as BranchIx;
        self.by_id.insert(*id, place);
        self.all.push(Branch::named(*id));
        place
    }
}

/// A union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// What its first fact says, corrected; none while no standing fact introduces it.
    pub profile: Option<Profile>,
    /// Hosts with the stamps from which they hold; the first holds from the start of time.
    pub hosts: Vec<(Stamp, UnitIx)>,
    /// Hosts by the clock, for authority.
    pub host_line: HostLine,
    /// Applications: day and the unit applied to.
    pub applied: Vec<(Day, UnitIx)>,
    /// Standing approvals, earliest day first.
    pub approvals: Vec<Approval>,
    /// Days of refusals.
    pub refused: Vec<Day>,
    /// The day it was founded.
    pub founded: Option<Day>,
    /// The day it was registered as a legal person.
    pub legal_registered: Option<Day>,
    /// The day it was dissolved.
    pub dissolved: Option<Day>,
    /// Its merger: the earliest.
    pub merged: Option<(Stamp, BranchIx)>,
    /// Units covered: unit and half-open spans.
    pub covers: Vec<(UnitIx, Day, Day)>,
    /// Elections: day, and the first day after the term.
    pub elections: Vec<(Day, Day)>,
    /// Women's organisation by day; the latest holds.
    pub women: Vec<(Day, WomenOrg)>,
}

/// What a union is called and is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it is, corrected for all days.
    pub kind: BranchKind,
    /// Its latest name.
    pub name: String,
    /// Its latest codes.
    pub codes: Vec<Code>,
}

/// A standing approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Order among approvals.
    pub stamp: Stamp,
    /// The unit that approved.
    pub by: UnitIx,
    /// The document (批复文号).
    pub document: Option<String>,
}

impl Branch {
    pub(crate) fn named(id: BranchId) -> Self {
        Self {
            id,
            profile: None,
            hosts: Vec::new(),
            host_line: HostLine::default(),
            applied: Vec::new(),
            approvals: Vec::new(),
            refused: Vec::new(),
            founded: None,
            legal_registered: None,
            dissolved: None,
            merged: None,
            covers: Vec::new(),
            elections: Vec::new(),
            women: Vec::new(),
        }
    }

    /// What it is; a union only named counts as the weakest.
    pub fn kind(&self) -> BranchKind {
        self.profile.as_ref().map_or(BranchKind::SubBranch, |p| p.kind)
    }

    /// Its latest name.
    pub fn name(&self) -> &str {
        self.profile.as_ref().map_or("", |p| p.name.as_str())
    }

    /// Its host on a day.
    pub fn host_on(&self, day: Day) -> Option<UnitIx> {
        let moved = self.hosts.iter().skip(1).rev().find(|(from, _)| from.day <= day);
        moved.or(self.hosts.first()).map(|(_, host)| *host)
    }

    /// Its host as known at a clock reading (for authority); the first holds from the start of time.
    pub fn host_at(&self, at: Hlc) -> Option<UnitIx> {
        self.host_line.at(at)
    }

    /// F1: it counts from the later of founding and earliest standing approval (工会法 art. 12); an
    /// application alone never founds (K8).
    pub fn counts_from(&self) -> Option<Day> {
        if !self.kind().is_grassroots() {
            return None;
        }
        Some(self.founded?.max(self.approvals.first()?.stamp.day))
    }

    /// The first day on which it no longer counts. U3: a closed unit dissolves its own union.
    pub fn ends(&self, tree: &Tree) -> Day {
        let mut end = self.dissolved.unwrap_or(Day::OPEN);
        if let Some((stamp, _)) = &self.merged {
            end = end.min(stamp.day);
        }
        if self.kind() == BranchKind::Own {
            end = end.min(self.closed_with_host(tree));
        }
        end
    }

    /// U3: the first day on which the host of that day is closed.
    fn closed_with_host(&self, tree: &Tree) -> Day {
        // on one day the latest stated is the host; the first one was before all
        let spans = self.hosts.iter().enumerate().map(|(place, (stamp, host))| {
            let from = if place == 0 { Day(i32::MIN) } else { stamp.day };
            let until = self.hosts.get(place + 1).map_or(Day::OPEN, |(next, _)| next.day);
            (from.max(self.host_ends(tree, tree.canonical(*host))), until)
        });
        spans
            .filter(|(closed, until)| closed < until)
            .map(|(closed, _)| closed)
            .min()
            .unwrap_or(Day::OPEN)
    }

    /// The day its host ends: closed by what was stated under the registration the union goes by, or ended by
    /// a succession. What follows a host one to one is the host from then on (U4).
    fn host_ends(&self, tree: &Tree, mut host: UnitIx) -> Day {
        loop {
            let unit = tree.unit(host);
            let stated = unit.closings.iter().filter(|closing| {
                let goes_by = self.registration_on(tree, host, closing.stamp.day).unwrap_or(0);
                unit.registrations.len() < 2 || closing.under.holds(goes_by)
            });
            let closed = stated.map(|closing| closing.stamp.day).min().unwrap_or(Day::OPEN);
            let Some(succession) = tree.succession_of(host) else { return closed };
            match succession.new.first() {
                Some(heir) if succession.is_one_to_one() && succession.stamp.day <= closed => {
                    host = *heir;
                }
                _ => return closed.min(succession.stamp.day),
            }
        }
    }

    /// U1: the registration of its host that the union goes by on a day: the earliest of those whose parent's
    /// path contains the unit its application names, else the unit that approved it. A common ancestor's
    /// approval speaks for the parent that the application names.
    pub fn registration_on(&self, tree: &Tree, host: UnitIx, day: Day) -> Option<usize> {
        let registrations = tree.unit(host).registrations.len();
        let speaks_for = |unit: UnitIx| {
            let unit = tree.canonical(unit);
            (0..registrations).find(|registration| {
                let parent = tree.parent_on(host, *registration, day);
                parent.is_some_and(|parent| tree.path_on(parent, day).contains(&unit))
            })
        };
        let applied = self.applied.first().map(|(_, to)| *to);
        let approved = self.approvals.first().map(|approval| approval.by);
        applied.and_then(speaks_for).or_else(|| approved.and_then(speaks_for))
    }

    /// Whether it counts on a day, before F4 is asked.
    pub fn counts_on(&self, tree: &Tree, day: Day) -> bool {
        self.counts_from().is_some_and(|from| from <= day) && day < self.ends(tree)
    }

    /// F2: an own union covers its host, others what their books say, from day to day.
    pub fn covered_on(&self, day: Day) -> impl Iterator<Item = UnitIx> + '_ {
        let is_own = self.kind() == BranchKind::Own;
        let own = is_own.then(|| self.host_on(day)).flatten();
        let stated = self.covers.iter().filter(move |(_, from, to)| *from <= day && day < *to);
        own.into_iter().chain(stated.filter(move |_| !is_own).map(|(unit, _, _)| *unit))
    }

    /// Its women's organisation on a day.
    pub fn women_on(&self, day: Day) -> Option<WomenOrg> {
        self.women.iter().rev().find(|(from, _)| *from <= day).map(|(_, form)| *form)
    }

    /// F6: whether the term of its latest committee has run out on a day.
    pub fn is_overdue(&self, day: Day) -> bool {
        let latest = self.elections.iter().rev().find(|(elected, _)| *elected <= day);
        latest.is_some_and(|(_, until)| *until <= day)
    }

    /// Whether an application stands on a day: made, and not refused since (unless approved).
    pub fn is_applied(&self, day: Day) -> bool {
        let applied = self.applied.iter().filter(|(at, _)| *at <= day).map(|(at, _)| *at).max();
        let refused = self.refused.iter().filter(|at| **at <= day).max();
        applied.is_some_and(|applied| refused.is_none_or(|refused| *refused < applied))
            || self.is_approved(day)
    }

    /// Whether a standing approval holds on a day.
    pub fn is_approved(&self, day: Day) -> bool {
        self.approvals.first().is_some_and(|approval| approval.stamp.day <= day)
    }
}

/// One standing fact of a union, with what names in it resolve to.
pub(crate) struct Told<'a> {
    pub(crate) stamp: Stamp,
    pub(crate) document: Option<&'a str>,
    /// The unit acted for.
    pub(crate) unit: UnitIx,
    pub(crate) fact: &'a BranchFact,
}

/// The union its standing facts tell of. They come in order of their stamps; `unit` and `branch` name
/// places.
pub(crate) fn fold(
    id: BranchId,
    told: &[Told<'_>],
    mut unit: impl FnMut(&crate::id::UnitId) -> UnitIx,
    mut branch: impl FnMut(&BranchId) -> BranchIx,
) -> Branch {
    let mut folded = Branch::named(id);
    // its first fact introduces it, whatever days later ones name
    for Told { stamp, fact, .. } in told {
        if BranchId::of_first_fact(&stamp.id) == id
            && let Some(profile) = fact.profile()
        {
            introduce(&mut folded, *stamp, profile, &mut unit);
        }
    }
    for Told { stamp, document, unit: by, fact } in told {
        match fact {
            BranchFact::Applied { to, .. } => folded.applied.push((stamp.day, unit(to))),
            BranchFact::Approved { .. } => folded.approvals.push(Approval {
                stamp: *stamp,
                by: *by,
                document: document.map(ToOwned::to_owned),
            }),
            BranchFact::Refused { .. } => folded.refused.push(stamp.day),
            BranchFact::Founded { .. } => {
                folded.founded = Some(folded.founded.map_or(stamp.day, |day| day.min(stamp.day)));
            }
            BranchFact::Revised { name, codes, kind, .. } => {
                revise(&mut folded, name.as_deref(), codes, *kind);
            }
            BranchFact::LegalRegistered { uscc, .. } => {
                folded.legal_registered = folded.legal_registered.or(Some(stamp.day));
                let code = Code { kind: CodeKind::UnionUscc, value: uscc.clone() };
                revise(&mut folded, None, &[code], None);
            }
            BranchFact::Covered { unit: covered, .. } => {
                cover(&mut folded, unit(covered), stamp.day);
            }
            BranchFact::Uncovered { unit: covered, .. } => {
                uncover(&mut folded, unit(covered), stamp.day);
            }
            BranchFact::CommitteeElected { term_years, until, .. } => {
                let until = until.unwrap_or_else(|| stamp.day.plus_years(i32::from(*term_years)));
                folded.elections.push((stamp.day, until));
            }
            BranchFact::WomenOrgFormed { form, .. } => folded.women.push((stamp.day, *form)),
            BranchFact::Moved { host, .. } => folded.hosts.push((*stamp, unit(host))),
            BranchFact::Merged { into, .. } => {
                folded.merged = folded.merged.or_else(|| Some((*stamp, branch(into))));
            }
            BranchFact::Dissolved { .. } => {
                folded.dissolved = folded.dissolved.or(Some(stamp.day));
            }
        }
    }
    folded
}

fn introduce(
    folded: &mut Branch,
    stamp: Stamp,
    profile: &crate::fact::branch::BranchProfile,
    unit: &mut impl FnMut(&crate::id::UnitId) -> UnitIx,
) {
    if folded.profile.is_none() {
        folded.hosts.insert(0, (stamp, unit(&profile.host)));
        folded.profile = Some(Profile {
            kind: profile.kind,
            name: profile.name.clone(),
            codes: profile.codes.clone(),
        });
    }
}

fn revise(folded: &mut Branch, name: Option<&str>, codes: &[Code], kind: Option<BranchKind>) {
    let Some(profile) = &mut folded.profile else { return };
    if let Some(name) = name {
        name.clone_into(&mut profile.name);
    }
    replace_codes(&mut profile.codes, codes);
    profile.kind = kind.unwrap_or(profile.kind);
}

fn cover(folded: &mut Branch, unit: UnitIx, day: Day) {
    if !folded.covers.iter().any(|(known, _, to)| *known == unit && *to == Day::OPEN) {
        folded.covers.push((unit, day, Day::OPEN));
    }
}

fn uncover(folded: &mut Branch, unit: UnitIx, day: Day) {
    for (known, _, to) in &mut folded.covers {
        if *known == unit && *to == Day::OPEN {
            *to = day;
        }
    }
    folded.covers.retain(|(_, from, to)| from < to);
}
