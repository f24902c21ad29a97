//! Days on which more than one claim may be the right one: what low and high are made of (DESIGN §8).

use super::case::CaseState;
use super::tell::Segment;
use super::{Span, Sweep};
use crate::time::Day;
use crate::view::branch::BranchIx;
use crate::view::cell::Class;
use crate::view::tree::UnitIx;

/// A claim as it counts, or would count if it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// The union.
    pub branch: BranchIx,
    /// The employer.
    pub employer: Option<UnitIx>,
    /// What it counts as.
    pub class: Class,
}

impl Alternative {
    /// What a span counts as.
    pub(super) fn of(span: &Span) -> Self {
        Self { branch: span.branch, employer: span.employer, class: Class::of(span) }
    }
}

/// A span of days on which the person is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// From this day.
    pub from: Day,
    /// Up to and without this day.
    pub to: Day,
    /// The claim that holds; none while nobody does.
    pub counted: Option<Alternative>,
    /// The others: disputed, or lately taken over.
    pub others: Vec<Alternative>,
}

impl Sweep<'_> {
    /// Lays the losers of `auto` takeovers, for as long as they are doubtful, over the disputes of each day.
    pub(super) fn tell_doubts(&mut self) {
        let days = self.law.policy.auto_case_doubt_days;
        let windows: Vec<(Day, Day, Alternative)> = self
            .takeovers
            .iter()
            .filter(|takeover| {
                let stands = takeover.undone == Day::OPEN;
                !takeover.clean && takeover.state != CaseState::Confirmed && stands
            })
            .map(|takeover| {
                let until = Day(takeover.known.day().0.saturating_add(days));
                (takeover.from, until.min(takeover.decided), takeover.was)
            })
            .filter(|(from, to, _)| from < to)
            .collect();
        if windows.is_empty() && self.segments.iter().all(|segment| segment.others.is_empty()) {
            return;
        }
        for segment in std::mem::take(&mut self.segments) {
            let bounds = windows.iter().flat_map(|(from, to, _)| [*from, *to]);
            let within = bounds.filter(|day| segment.from < *day && *day < segment.to);
            let mut bounds: Vec<Day> = within.chain([segment.from, segment.to]).collect();
            bounds.sort_unstable();
            bounds.dedup();
            for pair in bounds.windows(2) {
                self.tell_doubt(&segment, (pair[0], pair[1]), &windows);
            }
        }
    }

    fn tell_doubt(
        &mut self,
        segment: &Segment,
        (from, to): (Day, Day),
        windows: &[(Day, Day, Alternative)],
    ) {
        let lately = windows.iter().filter(|(since, until, _)| *since <= from && from < *until);
        let mut others: Vec<Alternative> = segment.others.clone();
        others.extend(lately.map(|(.., was)| *was));
        others.sort_unstable();
        if others.is_empty() {
            return;
        }
        let counted = segment.counted;
        match self.swept.doubts.last_mut() {
            Some(last) if last.to == from && last.counted == counted && last.others == others => {
                last.to = to;
            }
            _ => self.swept.doubts.push(Doubtful { from, to, counted, others }),
        }
    }
}
