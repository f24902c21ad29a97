//! From places of a child's stream to places of our journal, so that our parent's receipt becomes the
//! child's watermark. The state is bounded at every level, whatever lies below or above.

use crate::io::Position;
use crate::limits::MARKS_MAX;
use crate::wire::{Reader, Watermark, WireError, Writer};
use std::collections::VecDeque;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// The child's stream to here …
    theirs: Position,
    /// … is in our journal to here.
    ours: Position,
}

/// Invariant: both places rise from mark to mark; at most [`MARKS_MAX`] marks. A mark left out only
/// makes a watermark older, never wrong; the newest is never left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(VecDeque<Mark>);

impl Marks {
    /// The child's stream to `theirs` is in our journal, which now ends at `ours`.
    pub(super) fn note(&mut self, theirs: Position, ours: Position) {
        while self.0.back().is_some_and(|last| last.theirs >= theirs) {
            self.0.pop_back();
        }
        if self.0.back().is_some_and(|last| last.ours == ours) {
            self.0.pop_back();
        }
        self.0.push_back(Mark { theirs, ours });
        if self.0.len() > MARKS_MAX {
            let last = self.0.len() - 1;
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index % 2 == 1 || index > last
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.count(self.0.len());
        for mark in &self.0 {
            writer.u64(mark.theirs);
            writer.u64(mark.ours);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = reader.count("marks", MARKS_MAX, 16)?;
        let mut marks = Self::default();
        for _ in 0..count {
            marks.note(reader.u64("mark")?, reader.u64("mark")?);
        }
        Ok(marks)
    }

    /// The child's stream began anew.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What ancestors that hold our stream as `ours` says hold of the child's.
    pub(super) fn watermarks(&mut self, ours: &[Watermark]) -> Vec<Watermark> {
        let place = |held: Position| {
            self.0.iter().rev().find(|mark| mark.ours <= held).map_or(0, |mark| mark.theirs)
        };
        let theirs =
            ours.iter().map(|mark| Watermark { position: place(mark.position), ..*mark }).collect();
        if let Some(least) = ours.iter().map(|mark| mark.position).min() {
            while self.0.get(1).is_some_and(|second| second.ours <= least) {
                self.0.pop_front();
            }
        }
        theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::id::NodeId;

    fn held(position: Position) -> Watermark {
        Watermark { ancestor: NodeId([1; 16]), position, durable_at: 5 }
    }

    #[test]
    fn a_receipt_from_above_becomes_a_watermark_below() {
        let mut marks = Marks::default();
        marks.note(10, 100);
        marks.note(20, 250);
        assert_eq!(marks.watermarks(&[held(249), held(99)])[0].position, 10);
        assert_eq!(marks.watermarks(&[held(250), held(120)])[0].position, 20);
        assert_eq!(marks.watermarks(&[held(250), held(120)])[1].position, 10);
        assert_eq!(marks.watermarks(&[held(50)])[0].position, 0);
    }

    #[test]
    fn marks_are_bounded_and_end_exact() {
        let mut marks = Marks::default();
        for place in 1..10_000 {
            marks.note(place, 3 * place);
            assert!(marks.0.len() <= MARKS_MAX + 1);
            let told = marks.watermarks(&[held(0)])[0].position;
            assert_eq!(told, 0);
        }
        assert_eq!(marks.watermarks(&[held(3 * 9_999)])[0].position, 9_999);
        assert_eq!(marks.0.len(), 1);
    }
}
