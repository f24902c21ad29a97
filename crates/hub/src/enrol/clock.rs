//! How a node's clock stands against what it signed and what it heard (DESIGN §9): whether it ran ahead, so
//! that only a new epoch lets the node sign again before that time has come.

use crate::replica::{CLOCK_BACK_MILLIS, CLOCK_OFF_MILLIS, Replica, ReplicaError};
use crate::status;
use hub_core::time::Millis;
use hub_node::io::Input;
use hub_node::machine::Machine;

/// The clocks a stopped node knows of, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// What the machine shows now.
    pub now: Millis,
    /// Of the newest fact this node signed in its epoch; 0 for none.
    pub own: Millis,
    /// The parent's when it made its last receipt; none where there is none.
    pub receipt: Option<Millis>,
    /// Of the newest block of any other node that is here; 0 for none.
    pub others: Millis,
}

/// What follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The node may sign.
    Sound,
    /// Others were later already: it is this machine's clock that is slow. Nothing else need be mended.
    Slow {
        /// At least this late it is.
        at_least: Millis,
    },
    /// What was signed last is so little ahead that waiting is enough.
    Wait {
        /// How long.
        millis: Millis,
    },
    /// The clock ran ahead while facts were signed.
    RanAhead {
        /// By how much the last of them is ahead of now.
        millis: Millis,
    },
}

impl Clocks {
    /// The clocks of a node's books.
    ///
    /// # Errors
    /// What is kept of peers cannot be read.
    pub fn of(replica: &Replica) -> Result<Self, ReplicaError> {
        let (node, now) = (replica.who().node, replica.now());
        let mut machine = Machine::new();
        let start = status::start(replica)?;
        machine.step(now, Input::Start(Box::new(start)), &replica.lookup());
        let heads = replica.journal().heads().into_iter();
        let others = heads.filter(|(chain, _)| chain.node != node);
        Ok(Self {
            now,
            own: replica.last_own_hlc().millis(),
            receipt: machine.status().receipt.map(|receipt| receipt.stated_at),
            others: others.map(|(_, head)| head.last_hlc.millis()).max().unwrap_or(0),
        })
    }

    /// What follows.
    pub fn verdict(&self) -> Verdict {
        let at_least = self.others.max(self.receipt.unwrap_or(0));
        if self.now.saturating_add(CLOCK_OFF_MILLIS) < at_least {
            return Verdict::Slow { at_least };
        }
        let ahead = self.own.saturating_sub(self.now);
        match ahead {
            ..=CLOCK_BACK_MILLIS => Verdict::Sound,
            millis if millis <= CLOCK_OFF_MILLIS => Verdict::Wait { millis },
            millis => Verdict::RanAhead { millis },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const NOW: Millis = 1_795_700_000_000;

    fn verdict(own: Millis, receipt: Option<Millis>, others: Millis) -> Verdict {
        Clocks { now: NOW, own, receipt, others }.verdict()
    }

    #[test]
    fn only_a_clock_that_ran_ahead_needs_a_new_epoch() {
        assert_eq!(verdict(0, None, 0), Verdict::Sound);
        assert_eq!(verdict(NOW + MINUTE, Some(NOW - 90 * MINUTE), NOW), Verdict::Sound);
        let little = 5 * MINUTE;
        assert_eq!(verdict(NOW + little, None, 0), Verdict::Wait { millis: little });
        let much = 60 * 24 * MINUTE;
        assert_eq!(verdict(NOW + much, Some(NOW), NOW), Verdict::RanAhead { millis: much });
        // the receipt is as late as the own fact: this machine's clock went back
        let at_least = NOW + much;
        assert_eq!(verdict(NOW + much, Some(at_least), NOW), Verdict::Slow { at_least });
        assert_eq!(verdict(NOW + much, None, at_least), Verdict::Slow { at_least });
        assert_eq!(verdict(NOW - much, Some(NOW), at_least), Verdict::Slow { at_least });
    }
}
