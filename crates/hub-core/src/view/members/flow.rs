//! Persons to whom something happened in a span of days, folded again a chunk at a time.

use super::{Fold, MemberIx, Members, REFOLD_CHUNK, State};
use crate::time::Day;
use crate::view::cell::Share;
use crate::view::claim::Span;

impl Members {
    /// Persons of whom anything changes on a day after `after` up to `until`.
    pub(in crate::view) fn changed_within(&self, after: Day, until: Day) -> Vec<MemberIx> {
        let within = |day: Day| after < day && day <= until;
        let touches = |share: &Share| within(share.from) || within(share.to);
        let all = self.table.all().iter().enumerate();
        let changed = all.filter(|(place, member)| match member.state() {
            State::Nothing => false,
            State::One | State::Enrolled => touches(&member.one()),
            State::Many => {
                let extra = self.extras.get(&(*place as MemberIx));
                extra.is_some_and(|extra| extra.shares().iter().any(touches))
            }
        });
        changed.map(|(place, _)| place as MemberIx).collect()
    }

    /// The spans of these persons, each block read once a chunk.
    pub(in crate::view) fn each_spans(
        &self,
        members: &[MemberIx],
        fold: &mut Fold<'_>,
        see: &mut dyn FnMut(&[Span], &Fold<'_>),
    ) {
        for chunk in members.chunks(REFOLD_CHUNK) {
            for swept in self.swept(chunk, fold) {
                see(&swept.spans, fold);
            }
        }
    }
}
