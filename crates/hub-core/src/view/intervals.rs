//! Spans of clock readings in which something holds.

use crate::time::Hlc;

/// Half-open spans, sorted, disjoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intervals(Vec<(Hlc, Hlc)>);

impl Intervals {
    /// Adds a span that begins at or after the end of the last.
    pub(crate) fn push(&mut self, from: Hlc, to: Hlc) {
        match self.0.last_mut() {
            _ if from >= to => {}
            Some(last) if last.1 == from => last.1 = to,
            _ => self.0.push((from, to)),
        }
    }

    /// Adds those of `other` that lie in [from, to), keeping order and disjointness.
    pub(crate) fn add_within(&mut self, other: &Self, from: Hlc, to: Hlc) {
        let clipped = other.0.iter().map(|(f, t)| ((*f).max(from), (*t).min(to)));
        let mut all: Vec<(Hlc, Hlc)> =
            self.0.drain(..).chain(clipped.filter(|(f, t)| f < t)).collect();
        all.sort_unstable();
        for (from, to) in all {
            match self.0.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => self.0.push((from, to)),
            }
        }
    }

    /// Whether it holds at `at`.
    pub fn contains(&self, at: Hlc) -> bool {
        self.span_of(at).is_some()
    }

    /// Whether it holds at both ends and between.
    pub fn contains_all(&self, first: Hlc, last: Hlc) -> bool {
        self.span_of(first).is_some_and(|(_, to)| last < to)
    }

    /// Whether it holds nowhere from `first` to `last`.
    pub fn misses_all(&self, first: Hlc, last: Hlc) -> bool {
        self.0.iter().all(|(from, to)| *to <= first || last < *from)
    }

    fn span_of(&self, at: Hlc) -> Option<(Hlc, Hlc)> {
        let next = self.0.partition_point(|(from, _)| *from <= at);
        let span = *self.0.get(next.checked_sub(1)?)?;
        (at < span.1).then_some(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_touching_become_one() {
        let mut spans = Intervals::default();
        spans.push(Hlc(1), Hlc(3));
        spans.push(Hlc(3), Hlc(5));
        spans.push(Hlc(7), Hlc(7));
        spans.push(Hlc(8), Hlc(9));
        assert!(spans.contains_all(Hlc(1), Hlc(4)) && !spans.contains_all(Hlc(4), Hlc(8)));
        assert!(spans.misses_all(Hlc(5), Hlc(7)) && !spans.misses_all(Hlc(5), Hlc(8)));
        assert!(!spans.contains(Hlc(0)) && !spans.contains(Hlc(9)));
    }
}
