//! Writing what nodes below lack: facts restated (DESIGN §7, downward agreement).

use super::draft::Draft;
use super::error::WriteError;
use super::lane::LaneChoice;
use super::{Replica, held};
use hub_core::fact::FactBody;
use hub_core::id::Lane;
use hub_core::time::Hlc;

impl Replica {
    /// Writes what is due to be restated to nodes below, at most `limit` facts; how many were written.
    /// More may be due when as many were. A node that does not sign now writes nothing.
    ///
    /// # Errors
    /// The journal stopped.
    pub fn restate(&self, limit: usize) -> Result<usize, WriteError> {
        self.view.comes_later();
        let mut restater = held(&self.restater);
        let version = self.read().version();
        if !restater.may_find(version) || self.may_sign().is_err() {
            return Ok(0);
        }
        let last = self.sealing().last_hlc();
        let now = Hlc::at(self.clock.now()).max(last);
        let due = restater.due(&mut self.view.write(), self.node, now, &self.journal, limit);
        let count = due.len();
        let Some(unit) = self.who().unit.filter(|_| count > 0) else { return Ok(0) };
        let draft = |due: hub_core::view::restate::Due| Draft {
            lane: LaneChoice::Lane(Lane::Down(due.audience)),
            ..Draft::new(unit, now.day(), FactBody::Governance(due.fact))
        };
        let (frame, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|due| due.is_frame());
        for portion in [frame, rest].into_iter().filter(|portion| !portion.is_empty()) {
            self.write(portion.into_iter().map(draft).collect())?;
        }
        Ok(count)
    }

    /// Writes all that is due, portion by portion; how many facts that were.
    ///
    /// # Errors
    /// The journal stopped.
    pub fn restate_all(&self) -> Result<usize, WriteError> {
        let mut count = 0;
        loop {
            match self.restate(PORTION)? {
                0 => return Ok(count),
                written => count += written,
            }
        }
    }
}

/// How many facts are restated in one go.
pub(crate) const PORTION: usize = 2_000;
