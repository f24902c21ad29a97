//! Folding units, unions and figures: every fact but members' judged and laid in place.

use super::authority::{Authority, Writer};
use super::branch::{self, Branches};
use super::decision::is_decision;
use super::figure::{Figures, Report, Returned, Series};
use super::host_line::HostLine;
use super::resolve::is_structural;
use super::restated::Restatements;
use super::tree::{Change, Closing, Stamp, Tree, UnitIx};
use super::verdict::{Reason, Verdict};
use super::withdrawal::Withdrawals;
use super::{OrgFact, View};
use crate::fact::branch::BranchKind;
use crate::fact::{BranchFact, FactBody, FigureFact, GovernanceFact, UnitFact};
use crate::id::{BranchId, FactId};
use crate::time::Hlc;
use std::collections::{BTreeMap, BTreeSet};

impl View {
    /// Folds all facts but members' anew.
    pub(super) fn fold_org(&mut self) {
        let resolved = self.resolved();
        self.tree = resolved.tree;
        self.authority = resolved.authority;
        self.verdicts = vec![Verdict::Parked(Reason::NoAuthority); self.facts.len()];
        for (place, verdict) in resolved.verdicts {
            self.verdicts[place as usize] = verdict;
        }
        let by_branch = std::mem::take(&mut self.by_branch);
        let mut fold = self.org();
        for place in 0..fold.facts.len() {
            fold.unit_or_governance(place);
        }
        fold.sort_changes();
        fold.branches(&by_branch);
        let figures = fold.figures();
        self.by_branch = by_branch;
        self.figures = figures;
        self.judge_decisions();
    }

    pub(super) fn org(&mut self) -> OrgFold<'_> {
        OrgFold {
            facts: &self.facts,
            verdicts: &mut self.verdicts,
            withdrawals: &self.withdrawals,
            restatements: &self.restatements,
            tree: &mut self.tree,
            authority: &mut self.authority,
            branches: &mut self.branches,
        }
    }
}

pub(super) struct OrgFold<'a> {
    pub(super) facts: &'a [OrgFact],
    pub(super) verdicts: &'a mut [Verdict],
    pub(super) withdrawals: &'a Withdrawals,
    pub(super) restatements: &'a Restatements,
    pub(super) tree: &'a mut Tree,
    pub(super) authority: &'a mut Authority,
    pub(super) branches: &'a mut Branches,
}

fn writer_of(fact: &OrgFact) -> Writer {
    (fact.id.chain.node, fact.id.chain.epoch)
}

fn stamp_of(fact: &OrgFact) -> Stamp {
    Stamp { day: fact.fact.day, hlc: fact.fact.hlc, id: fact.id }
}

impl OrgFold<'_> {
    /// Cuts, clocks and withdrawals, which no fact escapes.
    pub(super) fn general(&mut self, place: usize, subject: Option<UnitIx>) -> Option<Verdict> {
        self.general_at(place, |_, _| subject)
    }

    /// The same where what the fact is about is told by the clock of what takes it back.
    fn general_at(
        &mut self,
        place: usize,
        subject: impl Fn(&Tree, Hlc) -> Option<UnitIx>,
    ) -> Option<Verdict> {
        if let Some(verdict) = self.stand_in_verdict(place) {
            return Some(verdict);
        }
        let fact = &self.facts[place];
        let (tree, authority) = (&*self.tree, &mut *self.authority);
        let withdrawn = self
            .withdrawals
            .of(&fact.id, |w| w.is_valid(&fact.id, subject(tree, w.hlc), tree, authority));
        if let Some(withdrawn) = withdrawn
            && !matches!(fact.fact.body, FactBody::Withdrawn(_))
        {
            return Some(Verdict::Withdrawn(withdrawn.id));
        }
        self.unwithdrawn(place)
    }

    /// Cuts and clocks alone.
    pub(super) fn unwithdrawn(&mut self, place: usize) -> Option<Verdict> {
        if let Some(verdict) = self.stand_in_verdict(place) {
            return Some(verdict);
        }
        let fact = &self.facts[place];
        let cut = self.authority.cuts.get(&writer_of(fact));
        if cut.is_some_and(|cut| cut.parks(&fact.id.chain.lane, fact.height)) {
            return Some(Verdict::Parked(Reason::AfterCut));
        }
        fact.fact.is_premature().then_some(Verdict::Parked(Reason::Premature))
    }

    fn speaks(&mut self, place: usize, unit: UnitIx) -> bool {
        let fact = &self.facts[place];
        self.authority.speaks(self.tree, writer_of(fact), unit, fact.fact.hlc)
    }

    /// Whether the writer holds the word over the unit it is enrolled for.
    fn is_in_office(&mut self, place: usize) -> bool {
        self.office(place).is_some()
    }

    pub(super) fn office(&mut self, place: usize) -> Option<UnitIx> {
        let fact = &self.facts[place];
        self.authority.office_at(self.tree, writer_of(fact), fact.fact.hlc)
    }

    /// Judges a fact about a unit that shapes no tree, or about governance.
    pub(super) fn unit_or_governance(&mut self, place: usize) {
        let facts = self.facts;
        match &facts[place].fact.body {
            // decisions are judged once the hosts of unions are known
            body if is_structural(body) || is_decision(body) => {}
            FactBody::Unit(unit) => self.unit_fact(place, unit),
            FactBody::Governance(_) | FactBody::Withdrawn(_) => {
                let general = self.general(place, None);
                self.verdicts[place] = general.unwrap_or_else(|| {
                    let speaks = match &facts[place].fact.body {
                        FactBody::Governance(GovernanceFact::Restated { .. }) => {
                            self.restates(place)
                        }
                        // one policy for all: nobody but the root publishes it (DESIGN §7)
                        FactBody::Governance(GovernanceFact::PolicyPublished { .. }) => {
                            let office = self.office(place);
                            office.is_some() && office == self.tree.root()
                        }
                        _ => self.is_in_office(place),
                    };
                    if speaks { Verdict::Stands } else { Verdict::Parked(Reason::NoAuthority) }
                });
            }
            FactBody::Branch(_) | FactBody::Figure(_) | FactBody::Member(_) => {}
        }
    }

    fn sort_changes(&mut self) {
        for unit in &mut self.tree.units {
            unit.sort_changes();
        }
    }

    fn unit_fact(&mut self, place: usize, unit: &UnitFact) {
        let known = self.tree.find_registered(&unit.unit());
        let verdict = self.served(place, known);
        self.verdicts[place] = verdict;
        let (true, Some(at)) = (verdict.stands(), known) else { return };
        let fact = &self.facts[place];
        let stamp = stamp_of(fact);
        let under = match &fact.stand_in {
            Some(stand_in) => self.tree.under(at, &stand_in.under),
            None => self.authority.told_under(self.tree, writer_of(fact), at, stamp.hlc),
        };
        let state = &mut self.tree.units[at as usize];
        match unit {
            UnitFact::Closed { .. } => state.closings.push(Closing { stamp, under }),
            other => state.changes.push(Change { stamp, under, fact: other.clone() }),
        }
    }

    /// Puts a unit's changes in order after one was added.
    pub(super) fn sort_changes_of(&mut self, unit: UnitIx) {
        self.tree.units[unit as usize].sort_changes();
    }

    /// The verdict on a fact that only the node serving this unit may state.
    fn served(&mut self, place: usize, unit: Option<UnitIx>) -> Verdict {
        self.general(place, unit).unwrap_or_else(|| self.spoken(place, unit))
    }

    /// Whether its writer has the word over a unit.
    pub(super) fn spoken(&mut self, place: usize, unit: Option<UnitIx>) -> Verdict {
        match unit {
            None => Verdict::Parked(Reason::UnknownSubject),
            Some(unit) if self.speaks(place, unit) => Verdict::Stands,
            Some(_) => Verdict::Parked(Reason::NoAuthority),
        }
    }

    pub(super) fn registered(&self, unit: UnitIx) -> Option<UnitIx> {
        self.tree.unit(unit).origin.is_some().then_some(unit)
    }

    fn branches(&mut self, by_branch: &BTreeMap<BranchId, Vec<usize>>) {
        for branch in &mut self.branches.all {
            *branch = branch::Branch::named(branch.id);
        }
        for (id, places) in by_branch {
            self.branch(*id, places.clone());
        }
        self.park_merger_cycles();
    }

    /// Judges and folds one union's facts, but for cycles of mergers.
    pub(super) fn branch(&mut self, id: BranchId, mut places: Vec<usize>) {
        places.retain(|place| self.takes_part(*place));
        places.sort_by_key(|place| (self.facts[*place].fact.hlc, self.facts[*place].id));
        let line = self.judge_branch(id, &places);
        places.retain(|place| self.verdicts[*place].stands());
        places.sort_by_key(|place| stamp_of(&self.facts[*place]));
        self.fold_branch(id, &places);
        let at = self.branches.intern(&id) as usize;
        self.branches.all[at].host_line = line;
    }

    /// The verdict on a fact about a union: from the node that serves its host at the fact's clock, and taken
    /// back by the one that serves its host at that clock.
    fn about_union(&mut self, place: usize, line: &HostLine) -> Verdict {
        let host_at = |tree: &Tree, clock: Hlc| {
            line.at(clock).filter(|host| tree.unit(*host).origin.is_some())
        };
        if let Some(verdict) = self.general_at(place, host_at) {
            return verdict;
        }
        let host = host_at(self.tree, self.facts[place].fact.hlc);
        self.spoken(place, host)
    }

    /// Judges a union's facts in order of clock: its host may change as it goes.
    fn judge_branch(&mut self, id: BranchId, places: &[usize]) -> HostLine {
        let facts = self.facts;
        let first = places.iter().find(|place| BranchId::of_first_fact(&facts[**place].id) == id);
        let introduced = first.and_then(|place| match &facts[*place].fact.body {
            FactBody::Branch(fact) => fact.profile(),
            _ => None,
        });
        let (Some(first), Some(profile)) = (first, introduced) else {
            for place in places {
                self.verdicts[*place] = Verdict::Parked(Reason::UnknownSubject);
            }
            return HostLine::default();
        };
        let host = self.tree.intern(&profile.host);
        let verdict = self.served(*first, self.registered(host));
        self.verdicts[*first] = verdict;
        if !verdict.stands() {
            for place in places.iter().filter(|place| *place != first) {
                self.verdicts[*place] = Verdict::Parked(Reason::UnknownSubject);
            }
            return HostLine::default();
        }
        let line = self.host_line(host, places);
        let mut approvals: Vec<usize> = Vec::new();
        let mut is_corrected = false;
        let mut kind = (stamp_of(&facts[*first]), profile.kind);
        for place in places.iter().filter(|place| *place != first) {
            let FactBody::Branch(fact) = &facts[*place].fact.body else { continue };
            if let BranchFact::Approved { .. } | BranchFact::Refused { .. } = fact {
                approvals.push(*place);
                continue;
            }
            if let BranchFact::Moved { .. } = fact {
                continue;
            }
            let verdict = self.about_union(*place, &line);
            self.verdicts[*place] = verdict;
            let stamp = stamp_of(&facts[*place]);
            match fact {
                // corrected for all days; of several the latest day's holds
                BranchFact::Revised { kind: Some(corrected), .. }
                    if verdict.stands() && (!is_corrected || stamp > kind.0) =>
                {
                    kind = (stamp, *corrected);
                    is_corrected = true;
                }
                _ => {}
            }
        }
        for place in approvals {
            let host = line.at(facts[place].fact.hlc).unwrap_or(host);
            self.verdicts[place] = self.approval(place, host, kind.1);
        }
        line
    }

    /// F1: the unit acted for is a strict ancestor of the host, or the host itself for kinds other than
    /// own, and is served by the writer.
    fn approval(&mut self, place: usize, host: UnitIx, kind: BranchKind) -> Verdict {
        let fact = &self.facts[place];
        let by = self.tree.find_registered(&fact.fact.unit);
        if let Some(verdict) = self.general(place, by) {
            return verdict;
        }
        let Some(by) = by else { return Verdict::Parked(Reason::UnknownSubject) };
        let above = self.tree.is_at_or_above(by, host, fact.fact.hlc);
        let heir = |unit| self.tree.heir_at(self.tree.canonical(unit), fact.fact.hlc);
        let may = above && (heir(by) != heir(host) || kind != BranchKind::Own);
        if may && self.speaks(place, by) {
            Verdict::Stands
        } else {
            Verdict::Parked(Reason::NoAuthority)
        }
    }

    fn fold_branch(&mut self, id: BranchId, places: &[usize]) {
        let facts = self.facts;
        let told: Vec<branch::Told<'_>> = places
            .iter()
            .filter_map(|place| match &facts[*place].fact.body {
                FactBody::Branch(fact) => Some(branch::Told {
                    stamp: stamp_of(&facts[*place]),
                    document: facts[*place].fact.document.as_deref(),
                    unit: self.tree.intern(&facts[*place].fact.unit),
                    fact,
                }),
                _ => None,
            })
            .collect();
        let tree = &mut *self.tree;
        let branches = &mut *self.branches;
        let folded = branch::fold(id, &told, |id| tree.intern(id), |id| branches.intern(id));
        let at = branches.intern(&id) as usize;
        branches.all[at] = folded;
    }

    /// F5: mergers hold in order of their stamps; one that closes a cycle is parked.
    fn park_merger_cycles(&mut self) {
        let mut mergers: Vec<(Stamp, usize)> = Vec::new();
        for (place, branch) in self.branches.all.iter_mut().enumerate() {
            mergers.extend(branch.merged.map(|(stamp, _)| (stamp, place)));
        }
        mergers.sort_unstable();
        let mut cyclic: BTreeSet<FactId> = BTreeSet::new();
        let mut into: BTreeMap<usize, usize> = BTreeMap::new();
        for (stamp, from) in mergers {
            let Some((_, to)) = self.branches.all[from].merged else { continue };
            let mut end = to as usize;
            while let Some(next) = into.get(&end) {
                end = *next;
            }
            if end == from {
                self.branches.all[from].merged = None;
                cyclic.insert(stamp.id);
            } else {
                into.insert(from, to as usize);
            }
        }
        if cyclic.is_empty() {
            return;
        }
        for (fact, verdict) in self.facts.iter().zip(self.verdicts.iter_mut()) {
            if cyclic.contains(&fact.id) {
                *verdict = Verdict::Parked(Reason::Cycle);
            }
        }
    }

    pub(super) fn figures(&mut self) -> Figures {
        let facts = self.facts;
        let mut figures = Figures::default();
        for returning in [false, true] {
            for (place, fact) in facts.iter().enumerate() {
                let FactBody::Figure(figure) = &fact.fact.body else { continue };
                if matches!(figure, FigureFact::Reported { .. }) == returning {
                    continue;
                }
                let verdict = self.figure_verdict(place, figure, &figures);
                self.verdicts[place] = verdict;
                if verdict.stands() {
                    self.lay_figure(&mut figures, fact, figure);
                }
            }
        }
        figures
    }

    /// Reports come from the node serving the unit; returns, approvals, closings and targets from one
    /// that serves it or an ancestor of it.
    fn figure_verdict(&mut self, place: usize, figure: &FigureFact, figures: &Figures) -> Verdict {
        let unit = self.tree.find_registered(&figure.unit());
        if matches!(figure, FigureFact::Reported { .. }) {
            return self.served(place, unit);
        }
        if let Some(verdict) = self.general(place, unit) {
            return verdict;
        }
        let Some(unit) = unit else { return Verdict::Parked(Reason::UnknownSubject) };
        // a report returned or approved is one of that unit, standing
        if let FigureFact::Returned { report, .. } | FigureFact::Approved { report, .. } = figure
            && figures.unit_of(report) != Some(unit)
        {
            return Verdict::Parked(Reason::UnknownSubject);
        }
        let hlc = self.facts[place].fact.hlc;
        let own = self.office(place);
        if own.is_some_and(|own| self.tree.is_at_or_above(own, unit, hlc)) {
            Verdict::Stands
        } else {
            Verdict::Parked(Reason::NoAuthority)
        }
    }

    fn lay_figure(&mut self, figures: &mut Figures, fact: &OrgFact, figure: &FigureFact) {
        match figure {
            FigureFact::Reported {
                unit,
                form,
                period,
                revision,
                values,
                rates,
                posts,
                residual_of,
            } => {
                let report = Report {
                    id: fact.id,
                    hlc: fact.fact.hlc,
                    height: fact.height,
                    revision: *revision,
                    values: values.clone(),
                    rates: rates.clone(),
                    posts: *posts,
                    residual_of: residual_of.iter().map(|u| self.tree.intern(u)).collect(),
                    returned: BTreeMap::new(),
                    approved: BTreeMap::new(),
                };
                let (form, period, unit) = (*form, period.clone(), self.tree.intern(unit));
                let residual = !residual_of.is_empty();
                figures.file(Series { form, period, unit, residual }, report);
            }
            FigureFact::Returned { report, reason, .. } => {
                let by = self.tree.intern(&fact.fact.unit);
                if let Some(report) = figures.report_mut(report) {
                    let returned = Returned { by, reason: reason.clone() };
                    report.returned.insert(fact.id, returned);
                }
            }
            FigureFact::Approved { report, .. } => {
                let by = self.tree.intern(&fact.fact.unit);
                if let Some(report) = figures.report_mut(report) {
                    report.approved.insert(fact.id, by);
                }
            }
            FigureFact::PeriodClosed { .. } | FigureFact::TargetSet { .. } => {}
        }
    }
}
