//! Takeovers in bulk (M7): what one union took over in a calendar month from outside its parent's subtree.

use super::View;
use super::branch::BranchIx;
use super::claim::Taken;
use super::table::MemberIx;
use super::tree::UnitIx;
use crate::time::{Day, Hlc};
use std::collections::{BTreeMap, BTreeSet};

/// A calendar month, counted from year 0.
type Month = i32;

fn month_of(day: Day) -> Month {
    let (year, month, _) = day.to_ymd();
    year * 12 + month as i32 - 1
}

fn last_day_of(month: Month) -> Day {
    let next = Day::from_ymd((month + 1).div_euclid(12), (month + 1).rem_euclid(12) as u32 + 1, 1);
    next.map_or(Day::OPEN, |day| Day(day.0 - 1))
}

/// The person, the clock of the taking start, and the union that held.
type TakenPerson = (MemberIx, Hlc, BranchIx);

/// Takeovers of holders that nobody confirmed, by taking union and month.
#[derive(Debug, Clone, Default)]
pub(super) struct Takeovers {
    all: BTreeMap<(BranchIx, Month), BTreeSet<TakenPerson>>,
}

impl Takeovers {
    pub(super) fn add(&mut self, member: MemberIx, taken: &Taken) {
        let of_month = self.all.entry((taken.by, month_of(taken.day))).or_default();
        of_month.insert((member, taken.hlc, taken.from));
    }

    pub(super) fn remove(&mut self, member: MemberIx, taken: &Taken) {
        let key = (taken.by, month_of(taken.day));
        if let Some(of_month) = self.all.get_mut(&key) {
            of_month.remove(&(member, taken.hlc, taken.from));
            if of_month.is_empty() {
                self.all.remove(&key);
            }
        }
    }
}

/// More persons taken over by one union in a month than its host could employ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MassTakeover {
    /// The union.
    pub union: BranchIx,
    /// Its host on the last day of the month.
    pub host: UnitIx,
    /// Year and month.
    pub month: (i32, u32),
    /// How many persons.
    pub persons: u64,
    /// How many it may be: the policy's number, or the host's declared employees if these are more.
    pub most: u64,
    /// The unions that held them, in order of id.
    pub from: Vec<BranchIx>,
    /// The nearest common ancestor of the hosts involved, on that day; none if they have none.
    pub at: Option<UnitIx>,
}

impl View {
    /// M7: mass takeovers, in order of month, then union.
    pub fn mass_takeovers(&self) -> Vec<MassTakeover> {
        let rule = self.policy.mass_takeover;
        let mut found = Vec::new();
        for ((union, month), taken) in &self.members.takeovers().all {
            // counting is cheap, asking who served whom is not
            let persons: BTreeSet<MemberIx> = taken.iter().map(|(member, ..)| *member).collect();
            if persons.len() as u64 > u64::from(rule.holders_min) {
                found.extend(self.mass_takeover(*union, *month, taken));
            }
        }
        let id = |found: &MassTakeover| self.branches.branch(found.union).id;
        found.sort_by_key(|found| (found.month, id(found)));
        found
    }

    fn mass_takeover(
        &self,
        union: BranchIx,
        month: Month,
        taken: &BTreeSet<TakenPerson>,
    ) -> Option<MassTakeover> {
        let mut known: BTreeMap<(Hlc, BranchIx), bool> = BTreeMap::new();
        let (mut persons, mut from) = (BTreeSet::new(), BTreeSet::new());
        for (member, hlc, loser) in taken {
            let key = (*hlc, *loser);
            let outside =
                *known.entry(key).or_insert_with(|| self.took_from_outside(union, *loser, *hlc));
            if outside {
                persons.insert(*member);
                from.insert(*loser);
            }
        }
        let day = last_day_of(month);
        let host = self.tree.canonical(self.branches.branch(union).host_on(day)?);
        let rule = self.policy.mass_takeover;
        let declared = self.tree.unit(host).counted_on(0, day).and_then(|state| state.headcount);
        let declared = declared.filter(|_| rule.or_declared_employees_of_host);
        let most = rule.holders_min.max(declared.map_or(0, |heads| heads.employees));
        if persons.len() as u64 <= u64::from(most) {
            return None;
        }
        let mut from: Vec<BranchIx> = from.into_iter().collect();
        from.sort_by_key(|at| self.branches.branch(*at).id);
        let hosts = from.iter().filter_map(|at| self.branches.branch(*at).host_on(day));
        Some(MassTakeover {
            union,
            host,
            month: (month.div_euclid(12), month.rem_euclid(12) as u32 + 1),
            persons: persons.len() as u64,
            most: u64::from(most),
            at: self.common_ancestor(hosts.chain([host]), day),
            from,
        })
    }

    /// Whether a union's host lies, at a clock, outside the subtree of the parent of the unit whose node
    /// serves the taking union's host.
    fn took_from_outside(&self, taker: BranchIx, loser: BranchIx, at: Hlc) -> bool {
        let host = |union: BranchIx| self.branches.branch(union).host_at(at);
        let (Some(taker), Some(loser)) = (host(taker), host(loser)) else { return false };
        let server = self.authority.server_of(&self.tree, taker, at);
        // a node whose unit another follows one to one serves that
        let path = server.map(|server| self.tree.path_at(server.unit, 0, at));
        let parent = path.and_then(|path| path.get(1).copied());
        parent.is_some_and(|parent| !self.tree.is_at_or_above(parent, loser, at))
    }

    /// The lowest unit that all of these stand at or below on a day.
    fn common_ancestor(&self, units: impl Iterator<Item = UnitIx>, day: Day) -> Option<UnitIx> {
        let mut common: Option<Vec<UnitIx>> = None;
        for unit in units {
            let path = self.tree.path_on(self.tree.canonical(unit), day);
            common = Some(match common {
                None => path,
                Some(known) => known.into_iter().filter(|at| path.contains(at)).collect(),
            });
        }
        common?.first().copied()
    }
}
