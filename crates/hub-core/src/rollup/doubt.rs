//! What may count another way: the alternatives that low and high are made of (DESIGN §8).

use super::Work;
use super::members::{Placement, measures};
use super::unions::with_women;
use super::units::{Stage, headcount_bounds};
use crate::measure::Measure;
use crate::view::Counted;
use crate::view::branch::BranchIx;
use crate::view::cell::{Class, ClassStatus};
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// One way in which a doubtful thing may count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    /// At which unit; nowhere if none.
    pub(super) at: Option<UnitIx>,
    /// Under which parent of the unit, if not the one it stands under.
    pub(super) under: Option<UnitIx>,
    /// What it adds there.
    pub(super) counts: Vec<(Measure, i64)>,
}

/// A thing that may count in several ways; the first is how it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) alternatives: Vec<Alternative>,
}

/// An employer of unknown headcount: due or not, by each bound there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) at: UnitIx,
    pub(super) covered: bool,
    pub(super) stage: Stage,
    /// Employees from which a unit is due.
    pub(super) due: i64,
}

/// Everything in doubt on a day but where units stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts {
    pub(super) unknown: Vec<Unknown>,
    pub(super) things: Vec<Doubt>,
}

impl Doubts {
    /// What would count at one unit counts at another (U4).
    pub(super) fn gather(&mut self, from: UnitIx, to: UnitIx) {
        let ways = self.things.iter_mut().flat_map(|doubt| &mut doubt.alternatives);
        for way in ways.filter(|way| way.at == Some(from)) {
            way.at = Some(to);
        }
    }
}

impl Unknown {
    /// How it may count: as if it had fewer employees than any bound asks for, then as many as each asks for.
    pub(super) fn doubt(&self) -> Doubt {
        let mut bounds = headcount_bounds(self.due);
        bounds.sort_unstable_by_key(|(least, ..)| *least);
        let mut alternatives = vec![Alternative::new(Some(self.at), [])];
        let mut counts: Vec<Measure> = Vec::new();
        for (_, of_all, of_covered) in bounds {
            counts.push(of_all);
            if self.covered {
                counts.push(of_covered);
            }
            if of_all == Measure::UnitsDue {
                counts.extend(self.stage.measures());
            }
            alternatives.push(Alternative::new(Some(self.at), counts.iter().copied()));
        }
        Doubt { alternatives }
    }
}

impl Alternative {
    fn new(at: Option<UnitIx>, measures: impl IntoIterator<Item = Measure>) -> Self {
        let counts = measures.into_iter().map(|measure| (measure, 1)).collect();
        Self { at, under: None, counts }
    }
}

/// A claim that may hold: where it would count.
struct Claim {
    placement: Placement,
    class: Class,
}

impl Claim {
    /// The union at which it would be that of an active woman.
    fn woman_at(&self) -> Option<BranchIx> {
        match self.placement {
            Placement::Counts(_, union, _) if self.class.is_woman() => {
                (self.class.status() == ClassStatus::Active).then_some(union)
            }
            _ => None,
        }
    }
}

impl Work<'_> {
    /// Everything in doubt on the day but where units stand.
    pub(super) fn doubts(&mut self) -> Doubts {
        let mut things = self.doubtful_persons();
        things.retain(|doubt| {
            let mut rest = doubt.alternatives.iter().skip(1);
            rest.any(|alternative| *alternative != doubt.alternatives[0])
        });
        Doubts { unknown: self.unknown.clone(), things }
    }

    fn claim_alternative(&self, claim: &Claim) -> Alternative {
        let Some(unit) = claim.placement.unit() else { return Alternative::new(None, []) };
        let is_employer = self.tree.unit(unit).is_employer();
        let mut all = Vec::new();
        measures(claim.placement, claim.class, is_employer, |measure| all.push(measure));
        let active = claim.class.status() == ClassStatus::Active;
        if active && is_employer && matches!(claim.placement, Placement::Counts(.., true)) {
            all.extend(self.of_known_headcount(unit));
        }
        Alternative::new(Some(unit), all)
    }

    /// What an active member counts as besides, at an employer open, qualified and of known headcount.
    pub(super) fn of_known_headcount(&self, unit: UnitIx) -> Vec<Measure> {
        let open = self.tree.unit(unit).is_open_under(self.placed.registration(unit), self.day);
        let known = self.counted(unit).is_some_and(|s| s.qualified && s.headcount.is_some());
        match (open && known, self.covered[unit as usize]) {
            (false, _) => Vec::new(),
            (true, false) => vec![Measure::MembersEmployed],
            (true, true) => vec![Measure::MembersEmployed, Measure::MembersCovered],
        }
    }

    /// Persons whose holder may be another, and the unions that have a woman member only perhaps.
    fn doubtful_persons(&mut self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let mut women = WomenInDoubt::default();
        for (_, doubtful) in self.view.doubts().filter(|(_, doubt)| doubt.holds_on(self.day)) {
            let claim = |counted: &Counted| {
                let cell = &self.view.cells().all()[counted.cell as usize];
                Claim {
                    placement: self.placement(cell.branch, cell.employer),
                    class: counted.class,
                }
            };
            let counted = doubtful.counted.as_ref().map(claim);
            let others: Vec<Claim> = doubtful.others.iter().map(claim).collect();
            women.note(counted.as_ref(), &others);
            let first = counted
                .map_or_else(|| Alternative::new(None, []), |claim| self.claim_alternative(&claim));
            let rest = others.iter().map(|claim| self.claim_alternative(claim));
            doubts.push(Doubt { alternatives: std::iter::once(first).chain(rest).collect() });
        }
        self.women_in_doubt = women.0.keys().copied().collect();
        for (union, (less, more)) in women.0 {
            doubts.extend(self.doubtful_women(union, less, more));
        }
        doubts
    }

    fn doubtful_women(&self, union: BranchIx, less: i64, more: i64) -> Option<Doubt> {
        let women = self.women_at.get(&union).copied().unwrap_or(0);
        let mut with = Vec::new();
        let branch = self.view.branches().branch(union);
        with_women(branch, self.day, |measure| with.push(measure));
        let at = self.host(union);
        let (with, without) = (Alternative::new(at, with), Alternative::new(at, []));
        match women {
            0 if more > 0 => Some(Doubt { alternatives: vec![without, with] }),
            1.. if women <= less => Some(Doubt { alternatives: vec![with, without] }),
            _ => None,
        }
    }
}

/// How many women of a union may not be there after all, and how many besides may be.
#[derive(Default)]
struct WomenInDoubt(BTreeMap<BranchIx, (i64, i64)>);

impl WomenInDoubt {
    fn note(&mut self, counted: Option<&Claim>, others: &[Claim]) {
        let here = counted.and_then(Claim::woman_at);
        if let Some(union) = here
            && others.iter().any(|other| other.woman_at() != Some(union))
        {
            self.0.entry(union).or_default().0 += 1;
        }
        for union in others.iter().filter_map(Claim::woman_at) {
            if here != Some(union) {
                self.0.entry(union).or_default().1 += 1;
            }
        }
    }
}
