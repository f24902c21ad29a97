//! Resolving authority top-down: who was enrolled by whom, which units stand where (DESIGN §9).
//!
//! Level by level, so that nothing depends on what comes below it: first the root, then those it enrolled,
//! and so on. Within a level: registrations (they hold on all days), moves, cuts, enrolments. What those
//! above said of units that a level registers is judged with that level.

mod moves;
mod order;
mod successions;

use super::OrgFact;
use super::authority::{Authority, Cut, Enrolled, Writer};
use super::restated::{Restating, StandIn, Told};
use super::succession::Succession;
use super::tree::{Origin, Registration, Tree, UnitIx};
use super::verdict::{Reason, Verdict};
use super::withdrawal::{Withdrawal, Withdrawals};
use crate::fact::governance::{Enrolment, GovernanceFact};
use crate::fact::unit::Level;
use crate::fact::{CodeKind, FactBody, UnitFact};
use crate::id::{FactId, Lane, NodeId, UnitId};
use crate::policy::Policy;
use crate::time::Hlc;
use order::{Step, levels};
use std::collections::BTreeMap;

/// Reads the clock of the last fact of a chain's block; none when it is not held.
pub(crate) type ClockOf<'a> = dyn Fn(&crate::id::ChainId, u64) -> Option<Hlc> + 'a;

/// What resolution yields.
pub(crate) struct Resolved {
    pub(crate) tree: Tree,
    pub(crate) authority: Authority,
    /// Verdicts of the structural facts, by their place among the facts given.
    pub(crate) verdicts: BTreeMap<u32, Verdict>,
}

struct Resolver<'a> {
    facts: &'a [OrgFact],
    withdrawals: &'a Withdrawals,
    clock_of: &'a ClockOf<'a>,
    tree: Tree,
    authority: Authority,
    verdicts: BTreeMap<u32, Verdict>,
    by_writer: BTreeMap<Writer, Vec<u32>>,
    /// The levels of units that are moved.
    levels: BTreeMap<UnitId, Level>,
    /// Enrolments and moves that act until they are withdrawn, with what withdraws them.
    withdrawn_later: Vec<(u32, FactId)>,
    /// Successions whose writers may state them, by place; which of them stand is told among all (U4), in the
    /// next round.
    successions: BTreeMap<u32, Succession>,
}

/// Whether a fact shapes the tree or the authority over it.
pub(crate) fn is_structural(fact: &FactBody) -> bool {
    match fact {
        FactBody::Unit(unit) => matches!(
            unit,
            UnitFact::Registered { .. }
                | UnitFact::Moved { .. }
                | UnitFact::Succeeded { .. }
                | UnitFact::Rekeyed { .. }
        ),
        FactBody::Governance(fact) => {
            matches!(fact, GovernanceFact::NodeEnrolled(_) | GovernanceFact::NodeRevoked { .. })
        }
        _ => false,
    }
}

/// Resolves all structural facts. `names` gives units named before their old places.
///
/// U4: which successions stand rests on the tree before them, and so on those stated earlier, while who may state
/// anything rests on those that stand. So all is judged in rounds, each by the successions of the one before,
/// until these are the same; without any there is one round.
pub(crate) fn resolve(
    mut names: Tree,
    told: &Told<'_>,
    withdrawals: &Withdrawals,
    root_key: &[u8; 32],
    policy: &Policy,
    clock_of: &ClockOf<'_>,
) -> Resolved {
    let mut by_writer: BTreeMap<Writer, Vec<u32>> = BTreeMap::new();
    let facts = told.facts;
    let mut rounds = 0;
    for (place, fact) in facts.iter().enumerate() {
        if is_structural(&fact.fact.body)
            && let Some(id) = told.said_by(fact)
        {
            let writer = (id.chain.node, id.chain.epoch);
            by_writer.entry(writer).or_default().push(place as u32);
            rounds +=
                u32::from(matches!(fact.fact.body, FactBody::Unit(UnitFact::Succeeded { .. })));
        }
    }
    loop {
        let laid = names.successions().to_vec();
        let mut resolver = Resolver {
            facts,
            withdrawals,
            clock_of,
            tree: names,
            authority: Authority::under(policy),
            verdicts: BTreeMap::new(),
            by_writer: by_writer.clone(),
            levels: levels(facts),
            withdrawn_later: Vec::new(),
            successions: BTreeMap::new(),
        };
        resolver.root(root_key);
        for level in Level::ALL {
            resolver.level(level);
        }
        // what the deepest level registered, those above may enrol, move and cut
        resolver.level(Level::Enterprise);
        let settled = resolver.settled();
        if rounds > 0 && settled.all() != laid {
            rounds -= 1;
            names = resolver.tree.names_only();
            names.lay_successions(settled);
            continue;
        }
        // where rounds go in circles, what the last one was judged by stands
        let stands = |id: FactId| laid.iter().any(|succession| succession.stamp.id == id);
        let fit = resolver.successions.values().map(|succession| succession.stamp.id);
        let left_out = fit.filter(|id| !stands(*id)).collect();
        resolver.park_left_out(&left_out);
        return resolver.finish();
    }
}

/// Judges one more registration of an employer that no fact has named yet, and lays it into the tree.
pub(crate) fn register_employer(
    place: u32,
    facts: &[OrgFact],
    withdrawals: &Withdrawals,
    tree: &mut Tree,
    authority: &mut Authority,
) -> Verdict {
    let mut resolver = Resolver {
        facts,
        withdrawals,
        clock_of: &|_, _| None,
        tree: std::mem::take(tree),
        authority: std::mem::take(authority),
        verdicts: BTreeMap::new(),
        by_writer: BTreeMap::new(),
        levels: BTreeMap::new(),
        withdrawn_later: Vec::new(),
        successions: BTreeMap::new(),
    };
    let verdict = resolver.judge(place);
    *tree = resolver.tree;
    *authority = resolver.authority;
    verdict
}

impl Resolver<'_> {
    /// Lays aliases and withdrawals over what was judged.
    fn finish(mut self) -> Resolved {
        self.aliases();
        for (place, by) in std::mem::take(&mut self.withdrawn_later) {
            self.verdicts.insert(place, Verdict::Withdrawn(by));
        }
        self.authority.enrolments.sort_by_key(|e| (e.issued, e.id));
        let authority = self.authority.resorted();
        Resolved { tree: self.tree, authority, verdicts: self.verdicts }
    }

    fn fact(&self, place: u32) -> &OrgFact {
        &self.facts[place as usize]
    }

    fn sorted(&self, pick: impl Fn(&FactBody) -> bool) -> Vec<u32> {
        let picked = |place: &u32| pick(&self.fact(*place).fact.body);
        let mut places: Vec<u32> =
            self.by_writer.values().flatten().copied().filter(picked).collect();
        places.sort_by_key(|place| (self.fact(*place).fact.hlc, self.fact(*place).id));
        places
    }

    /// The root: the node of the pinned key enrols itself and registers the root unit. In a later epoch it does so
    /// by an earlier one's word, or again by the pinned key: that needs nothing of the epochs before, which may
    /// be forked, lost or ahead of time.
    fn root(&mut self, root_key: &[u8; 32]) {
        let node = NodeId::of_first_key(root_key);
        for place in self.sorted(|body| matches!(body, FactBody::Unit(UnitFact::Registered { .. })))
        {
            let fact = self.fact(place);
            let own = (fact.id.chain.node, fact.id.chain.epoch) == (node, 1) && !fact.is_stand_in();
            if let FactBody::Unit(UnitFact::Registered { parent: None, .. }) = &fact.fact.body
                && own
                && self.tree.root().is_none()
            {
                self.register(place);
            }
        }
        let mut enrolled = Vec::new();
        for place in self.sorted(is_enrolment) {
            let fact = self.fact(place);
            let Some(enrolment) = enrolment_in(&fact.fact.body) else { continue };
            let by_itself = fact.id.chain.node == node && enrolment.node == node;
            let epoch = fact.id.chain.epoch;
            let known = epoch == 1 || self.authority.key(node, epoch).is_some();
            let speaks = (enrolment.epoch == epoch && enrolment.key == *root_key)
                || (enrolment.epoch > epoch && known);
            if by_itself
                && speaks
                && self.authority.fits_key((node, enrolment.epoch), &enrolment.key)
            {
                self.enrol(place);
                enrolled.push(place);
            }
        }
        // a later epoch may take back what an earlier one stated
        for place in enrolled {
            self.take_back_enrolment(place);
        }
    }

    /// Judges all that writers down to this level stated and that does not stand yet: what they say may
    /// rest on units that only writers of the levels between registered. So cuts of those above come
    /// before anything their victims say, and moves before the enrolments of those who lose the unit.
    fn level(&mut self, level: Level) {
        let mut writers: BTreeMap<Writer, Level> = BTreeMap::new();
        for enrolled in &self.authority.enrolments {
            let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
            let Some(of_unit) = self.tree.unit(enrolled.unit).level() else { continue };
            let known = writers.entry(writer).or_insert(of_unit);
            *known = (*known).min(of_unit);
        }
        writers.retain(|_, of_writer| *of_writer <= level);
        let mut places: Vec<((Step, Hlc, FactId), u32)> = Vec::new();
        for (writer, of_writer) in &writers {
            for place in self.by_writer.get(writer).into_iter().flatten() {
                let fact = self.fact(*place);
                let step = self.step(&fact.fact.body, *of_writer, level);
                let step = (step, fact.fact.hlc, fact.id);
                places.push((step, *place));
            }
        }
        places.sort_unstable();
        for (_, place) in places {
            let stands = self.verdicts.get(&place).is_some_and(|verdict| verdict.stands());
            // a move acts on what those of this level registered before it, too
            if !stands || self.lift_move(place) {
                let verdict = self.judge(place);
                self.verdicts.insert(place, verdict);
            }
        }
    }

    /// Judges one structural fact of a writer whose own enrolment is resolved, and applies it if it stands.
    fn judge(&mut self, place: u32) -> Verdict {
        let facts = self.facts;
        let fact = &facts[place as usize];
        let (id, hlc) = (fact.id, fact.fact.hlc);
        if let Some(stand_in) = &fact.stand_in {
            return self.judge_stand_in(place, stand_in);
        }
        let writer = (id.chain.node, id.chain.epoch);
        if let Some(cut) = self.authority.cuts.get(&writer)
            && cut.parks(&id.chain.lane, fact.height)
        {
            return Verdict::Parked(Reason::AfterCut);
        }
        if fact.fact.is_premature() {
            return Verdict::Parked(Reason::Premature);
        }
        let Some(own) = self.authority.office_at(&self.tree, writer, hlc) else {
            return Verdict::Parked(Reason::NoAuthority);
        };
        // an act of the office that stated it: whoever serves that unit later may take it back
        let subject = matches!(&fact.fact.body, FactBody::Unit(_)).then_some(own);
        // an enrolment or move withdrawn goes on until the withdrawal's clock; it is applied all the same
        let acts_on = matches!(&fact.fact.body, FactBody::Unit(UnitFact::Moved { .. }))
            || is_enrolment(&fact.fact.body);
        if !acts_on && let Some(withdrawal) = self.withdrawn(place, subject) {
            return Verdict::Withdrawn(withdrawal.id);
        }
        let outcome = match &fact.fact.body {
            FactBody::Unit(UnitFact::Registered { .. }) => self.judge_registered(place, own, hlc),
            FactBody::Unit(UnitFact::Moved { .. }) => self.judge_moved(place, own, hlc),
            FactBody::Unit(UnitFact::Succeeded { .. }) => self.judge_succeeded(place, own, hlc),
            FactBody::Unit(UnitFact::Rekeyed { unit, .. }) => {
                match self.tree.find_registered(unit) {
                    // applied at the end, for it holds on all days
                    Some(unit) if self.tree.is_at_or_above(own, unit, hlc) => Ok(()),
                    Some(_) => Err(Reason::NoAuthority),
                    None => Err(Reason::UnknownSubject),
                }
            }
            FactBody::Governance(GovernanceFact::NodeRevoked { .. }) => {
                self.judge_cut(place, own, hlc)
            }
            FactBody::Governance(GovernanceFact::NodeEnrolled(_)) => {
                self.judge_enrolled(place, own, hlc)
            }
            _ => Ok(()),
        };
        outcome.map_or_else(Verdict::Parked, |()| Verdict::Stands)
    }

    fn judge_registered(&mut self, place: u32, own: UnitIx, hlc: Hlc) -> Result<(), Reason> {
        let fact = self.fact(place);
        let FactBody::Unit(UnitFact::Registered { unit, level, parent: Some(parent), .. }) =
            &fact.fact.body
        else {
            return Err(Reason::NoAuthority);
        };
        if !is_rightly_named(&fact.id, &fact.fact.body) {
            return Err(Reason::WrongId);
        }
        let parent = self.tree.find_registered(parent).ok_or(Reason::UnknownSubject)?;
        let parent_level = self.tree.unit(parent).level().ok_or(Reason::UnknownSubject)?;
        if parent_level >= *level {
            return Err(Reason::WrongLevel);
        }
        if let Some(known) = self.tree.find_registered(unit)
            && let Some(origin) = &self.tree.unit(known).origin
            && origin.level != *level
        {
            return Err(Reason::WrongLevel);
        }
        if !self.tree.is_at_or_above(own, parent, hlc) {
            return Err(Reason::NoAuthority);
        }
        self.register(place);
        Ok(())
    }

    fn withdrawn(&mut self, place: u32, subject: Option<UnitIx>) -> Option<Withdrawal> {
        let id = self.fact(place).id;
        let (tree, authority) = (&self.tree, &mut self.authority);
        self.withdrawals.of(&id, |w| w.is_valid(&id, subject, tree, authority))
    }

    fn register(&mut self, place: u32) {
        let fact = &self.facts[place as usize];
        let FactBody::Unit(UnitFact::Registered {
            unit,
            kind,
            level,
            parent,
            located_in,
            profile,
            ..
        }) = &fact.fact.body
        else {
            return;
        };
        let parent = parent.as_ref().map(|p| self.tree.intern(p));
        let located_in = located_in.as_ref().map(|l| self.tree.intern(l));
        let at = self.tree.intern(unit) as usize;
        let by = (fact.fact.hlc, fact.id);
        let registration = Registration { parent, hlc: fact.fact.hlc, id: fact.id };
        let unit = &mut self.tree.units[at];
        let (kind, level, day) = (*kind, *level, fact.fact.day);
        unit.originate(Origin { kind, level, located_in, profile: profile.clone(), day, by });
        if unit.registrations.is_empty() {
            self.authority.forget_words_over(at as UnitIx);
        } else {
            self.authority.forget_words();
        }
        unit.register(registration);
        self.verdicts.insert(place, Verdict::Stands);
    }

    /// A unit with a node of its own is told by what registers it, after what registers the units above it:
    /// all below the office of who says so.
    fn introduces(&mut self, place: u32, by: &Restating) -> bool {
        let FactBody::Unit(UnitFact::Registered { parent: Some(parent), .. }) =
            &self.fact(place).fact.body
        else {
            return false;
        };
        let parent = *parent;
        let writer = (by.id.chain.node, by.id.chain.epoch);
        let may = matches!(by.id.chain.lane, Lane::Down(_)) && !by.is_cut_off(&self.authority);
        let office = self.authority.office_at(&self.tree, writer, by.hlc);
        let parent = self.tree.find_registered(&parent);
        may && office
            .zip(parent)
            .is_some_and(|(office, parent)| self.tree.is_at_or_above(office, parent, by.hlc))
    }

    /// What a node above said of a fact that is not held: it stands if that node may say so.
    fn judge_stand_in(&mut self, place: u32, stand_in: &StandIn) -> Verdict {
        let by = &stand_in.by;
        let is_right = by.is_right(&self.tree, &mut self.authority) || self.introduces(place, by);
        if !is_right {
            return Verdict::Parked(Reason::NoAuthority);
        }
        match &self.fact(place).fact.body {
            FactBody::Unit(UnitFact::Registered { .. }) => self.register(place),
            FactBody::Unit(UnitFact::Moved { unit, .. }) => {
                let Some(unit) = self.tree.find_registered(unit) else {
                    return Verdict::Parked(Reason::UnknownSubject);
                };
                let under: Vec<_> = stand_in.under.iter().map(|u| self.tree.intern(u)).collect();
                let known = self.tree.unit(unit).registrations.iter().take(32).enumerate();
                let moved = known.filter(|(_, r)| r.parent.is_some_and(|p| under.contains(&p)));
                let bits = moved.fold(0, |bits, (at, _)| bits | 1 << at);
                self.lay_move(place, unit, None, bits);
            }
            FactBody::Unit(UnitFact::Succeeded { .. }) => {
                let told = self.succession(place);
                if let Err(reason) = self.keep_succession(place, told) {
                    return Verdict::Parked(reason);
                }
            }
            _ => {}
        }
        Verdict::Stands
    }

    fn judge_cut(&mut self, place: u32, own: UnitIx, hlc: Hlc) -> Result<(), Reason> {
        let fact = &self.facts[place as usize];
        let FactBody::Governance(GovernanceFact::NodeRevoked { node, epoch, last_good, .. }) =
            &fact.fact.body
        else {
            return Err(Reason::UnknownSubject);
        };
        let writer = (*node, *epoch);
        // all its enrolments: else whoever enrols another's key below itself could cut it off
        let units: Vec<UnitIx> = self.authority.units_of(*node).collect();
        if units.is_empty() || self.authority.key(*node, *epoch).is_none() {
            return Err(Reason::UnknownSubject);
        }
        let is_below = |unit: &UnitIx| self.is_strictly_above(own, *unit, hlc);
        if !units.iter().all(is_below) {
            return Err(Reason::NoAuthority);
        }
        let heights: BTreeMap<_, _> = last_good.iter().copied().collect();
        let cut = self
            .authority
            .cuts
            .entry(writer)
            .or_insert_with(|| Cut { last_good: heights.clone(), word_ends: Hlc::ZERO });
        cut.lowered(&heights);
        let clocks = cut.last_good.iter().filter_map(|(lane, height)| {
            let chain = crate::id::ChainId { node: *node, epoch: *epoch, lane: *lane };
            (self.clock_of)(&chain, *height)
        });
        cut.word_ends = clocks.max().unwrap_or(Hlc::ZERO);
        self.authority.forget_words();
        Ok(())
    }

    fn judge_enrolled(&mut self, place: u32, own: UnitIx, hlc: Hlc) -> Result<(), Reason> {
        let fact = self.fact(place);
        let writer = (fact.id.chain.node, fact.id.chain.epoch);
        let enrolment = enrolment_in(&fact.fact.body).ok_or(Reason::UnknownSubject)?;
        let unit = self.tree.find_registered(&enrolment.unit).ok_or(Reason::UnknownSubject)?;
        if !self.is_strictly_above(own, unit, hlc) {
            return Err(Reason::NoAuthority);
        }
        if !self.may_delegate(writer, hlc) {
            return Err(Reason::NoAuthority);
        }
        if enrolment.epoch == 1 {
            if enrolment.node != NodeId::of_first_key(&enrolment.key) {
                return Err(Reason::WrongId);
            }
        } else {
            // a new key comes from above wherever the node was enrolled: nobody else may speak for it
            let mut units = self.authority.units_of(enrolment.node).peekable();
            units.peek().ok_or(Reason::UnknownSubject)?;
            if !units.all(|known| self.is_strictly_above(own, known, hlc)) {
                return Err(Reason::NoAuthority);
            }
        }
        if !self.authority.fits_key((enrolment.node, enrolment.epoch), &enrolment.key) {
            return Err(Reason::WrongId);
        }
        self.enrol(place);
        self.take_back_enrolment(place);
        Ok(())
    }

    /// Whether an office is an ancestor of a unit, and not what follows it one to one.
    fn is_strictly_above(&self, own: UnitIx, unit: UnitIx, at: Hlc) -> bool {
        self.tree.heir_at(unit, at) != own && self.tree.is_at_or_above(own, unit, at)
    }

    fn may_delegate(&self, writer: Writer, at: Hlc) -> bool {
        self.authority.enrolments.iter().any(|e| {
            (e.enrolment.node, e.enrolment.epoch) == writer
                && e.enrolment.may_delegate
                && e.withdrawn.is_none_or(|w| at < w)
        })
    }

    fn enrol(&mut self, place: u32) {
        let fact = &self.facts[place as usize];
        let Some(enrolment) = enrolment_in(&fact.fact.body) else { return };
        let unit = self.tree.intern(&enrolment.unit);
        let enrolment = enrolment.clone();
        let (id, issued) = (fact.id, fact.fact.hlc);
        self.authority.add(Enrolled { id, issued, enrolment, unit, withdrawn: None });
        self.verdicts.insert(place, Verdict::Stands);
    }

    /// An enrolment is withdrawn by its issuer, who needs the word with it in force: nobody gets the word back by
    /// withdrawing what took it. It acts from the withdrawal's clock on, never backwards. The pin in every node's
    /// configuration enrols the root: that is nobody's to take back. Nor does anybody take back what gives it the
    /// word.
    fn take_back_enrolment(&mut self, place: u32) {
        let fact = &self.facts[place as usize];
        let Some(enrolment) = enrolment_in(&fact.fact.body) else { return };
        let is_pinned =
            (fact.id.chain.node, fact.id.chain.epoch) == (enrolment.node, enrolment.epoch);
        let enrolled = (enrolment.node, enrolment.epoch);
        let (tree, authority) = (&self.tree, &mut self.authority);
        let valid =
            |w: &Withdrawal| w.writer() != enrolled && w.is_valid(&fact.id, None, tree, authority);
        if !is_pinned && let Some(withdrawal) = self.withdrawals.of(&fact.id, valid) {
            self.withdrawn_later.push((place, withdrawal.id));
            self.authority.withdraw(&fact.id, withdrawal.hlc);
        }
    }

    /// Aliases hold on all days, so they are laid over the finished tree; a cycle is parked.
    fn aliases(&mut self) {
        for place in self.sorted(|body| matches!(body, FactBody::Unit(UnitFact::Rekeyed { .. }))) {
            let FactBody::Unit(UnitFact::Rekeyed { unit, to }) = self.fact(place).fact.body else {
                continue;
            };
            if self.verdicts.get(&place).is_none_or(|v| !v.stands()) {
                continue;
            }
            let is_other = |id: &UnitId| {
                let known = self.tree.find_registered(id);
                known.is_some_and(|at| !self.tree.unit(at).is_employer())
            };
            if is_other(&unit) || is_other(&to) {
                self.verdicts.insert(place, Verdict::Parked(Reason::UnknownSubject));
                continue;
            }
            if !self.tree.add_alias(unit, to) {
                self.verdicts.insert(place, Verdict::Parked(Reason::Cycle));
            }
        }
        if self.tree.has_aliases() {
            let left_out = self.tree.merge_aliases();
            self.park_left_out(&left_out);
            for enrolled in &mut self.authority.enrolments {
                enrolled.unit = self.tree.canonical(enrolled.unit);
            }
            self.authority.forget_words();
        }
    }
}

fn is_enrolment(body: &FactBody) -> bool {
    enrolment_in(body).is_some()
}

fn enrolment_in(body: &FactBody) -> Option<&Enrolment> {
    match body {
        FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => Some(enrolment),
        _ => None,
    }
}

/// Whether a registration's id follows from its code, or from the fact itself (DESIGN §3).
pub(crate) fn is_rightly_named(id: &FactId, body: &FactBody) -> bool {
    let FactBody::Unit(UnitFact::Registered { unit, list_year, profile, .. }) = body else {
        return false;
    };
    let by_code = profile.codes.iter().any(|code| match (code.kind, list_year) {
        (CodeKind::Uscc, _) => *unit == UnitId::of_employer(&code.value),
        (CodeKind::Division, Some(year)) => *unit == UnitId::of_territory(&code.value, *year),
        _ => false,
    });
    by_code || *unit == UnitId::of_registration(id)
}
