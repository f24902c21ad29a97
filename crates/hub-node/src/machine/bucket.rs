//! A bucket that leaks: what a peer has spent of late. Amounts are kept times the milliseconds of a day, so that no
//! leak is too small to count.

use hub_core::time::{DAY_MILLIS, Millis};

/// What was spent and has not leaked yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    spent: u128,
    at: Millis,
}

const DAY: u128 = DAY_MILLIS as u128;

impl Bucket {
    /// What was spent when a record was made.
    pub(super) fn of(spent: u64, at: Millis) -> Self {
        Self { spent: u128::from(spent) * DAY, at }
    }

    /// What is spent, whole and rounded up.
    pub(super) fn spent(&self) -> u64 {
        u64::try_from(self.spent.div_ceil(DAY)).unwrap_or(u64::MAX)
    }

    /// When it last leaked.
    pub(super) fn at(&self) -> Millis {
        self.at
    }

    /// Time has passed: `amount` leaks in each `span`. A clock that went back gives nothing and takes nothing.
    pub(super) fn leak(&mut self, now: Millis, amount: u64, span: Millis) {
        let passed = u128::from(now.saturating_sub(self.at));
        let leaks = (DAY * passed).checked_div(u128::from(span)).unwrap_or(0);
        self.spent = self.spent.saturating_sub(leaks.saturating_mul(amount.into()));
        self.at = self.at.max(now);
    }

    pub(super) fn spend(&mut self, amount: u64) {
        self.spent = self.spent.saturating_add(u128::from(amount) * DAY);
    }

    /// How much more it holds of what it may, rounded up.
    pub(super) fn room(&self, holds: u64) -> u64 {
        let room = (u128::from(holds) * DAY).saturating_sub(self.spent).div_ceil(DAY);
        u64::try_from(room).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaks_by_the_millisecond_and_never_gains_by_a_clock_that_goes_back() {
        let mut bucket = Bucket::of(3, 1_000);
        assert_eq!(bucket.room(3), 0);
        for now in 1_001..1_100 {
            bucket.leak(now, 3, DAY_MILLIS);
        }
        assert_eq!((bucket.room(3), bucket.spent()), (1, 3), "less than a whole one has leaked");
        bucket.leak(5, 3, DAY_MILLIS);
        bucket.leak(1_099, 3, DAY_MILLIS);
        assert_eq!(bucket.spent, 3 * DAY - 3 * 99);
        bucket.leak(1_000 + DAY_MILLIS, 3, DAY_MILLIS);
        assert_eq!(bucket.spent(), 0);
    }
}
