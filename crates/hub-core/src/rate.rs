//! Declared rates (S4): what a text such as `92%` or `超过85%` states, and whether two numbers make it.
//!
//! A rate is derived from its two numbers and never taken from a text (K9). What a writer declares is kept as
//! written and compared: within its last digit by rounding or truncation it is a note, else a finding. All
//! arithmetic is on whole numbers.

use std::ops::RangeInclusive;

/// A rate as a text states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// Its digits as a whole number: 951 for `95.1%`.
    digits: i128,
    /// What it is out of, in units of its last digit: 1000 for `95.1%`.
    whole: i128,
    /// Whether it is the rate itself or a bound.
    pub bound: Bound,
}

/// What a stated rate says of the true one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It is that, to its last digit.
    Is,
    /// It is that or more: `85%以上`.
    AtLeast,
    /// It is more: `超过85%`.
    Above,
}

/// How a stated rate and two numbers go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The numbers make it, rounded to its last digit.
    Rounded,
    /// The numbers make it, cut off after its last digit.
    Truncated,
    /// The numbers keep the bound.
    Kept,
    /// They do not.
    Differs,
    /// There is nothing to divide by.
    NoBase,
}

/// Numbers beyond this are no figures of unions; within it nothing overflows.
const DIGITS_MAX: usize = 12;

impl Stated {
    /// Reads the first number of a text with its sign of scale (`%`, `‰`, or none) and its bound.
    pub fn read(text: &str) -> Option<Self> {
        let plain: String = text.chars().map(narrow).filter(|c| !c.is_whitespace()).collect();
        let start = plain.find(|c: char| c.is_ascii_digit())?;
        let (before, rest) = plain.split_at(start);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.len() > DIGITS_MAX || number.ends_with('.') || before.ends_with('-') {
            return None;
        }
        let scale = match after.chars().next() {
            Some('%') => 100,
            Some('‰') => 1_000,
            // the rate as a fraction of one; a bare 92 is no rate
            None if whole == "0" || whole == "1" && fraction.chars().all(|c| c == '0') => 1,
            _ => return None,
        };
        let scale_end = after.char_indices().nth(1).map_or(after.len(), |(at, _)| at);
        let tail = &after[if scale == 1 { 0 } else { scale_end }..];
        let bound = if ["超过", "突破", "高于", ">"].iter().any(|word| before.contains(word))
        {
            Bound::Above
        } else if tail.starts_with("以上")
            || ["不低于", "达到或超过", "≥"].iter().any(|word| before.contains(word))
        {
            Bound::AtLeast
        } else {
            Bound::Is
        };
        let power = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        Some(Self { digits: digits.parse().ok()?, whole: scale * power, bound })
    }

    /// Whether these two numbers make the stated rate.
    pub fn fits(&self, numerator: i64, denominator: i64) -> Fit {
        if denominator <= 0 {
            return Fit::NoBase;
        }
        let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
        let (left, right) = (numerator * self.whole, self.digits * denominator);
        match self.bound {
            Bound::Is if round(left, denominator) == self.digits => Fit::Rounded,
            Bound::Is if left.div_euclid(denominator) == self.digits => Fit::Truncated,
            Bound::AtLeast if left >= right => Fit::Kept,
            Bound::Above if left > right => Fit::Kept,
            _ => Fit::Differs,
        }
    }

    /// The numerators that would make it out of this denominator; none if no whole number does.
    pub fn numerators(&self, denominator: i64) -> Option<RangeInclusive<i64>> {
        let base = i128::from(denominator);
        let low = match self.bound {
            // rounding begins half a digit below, truncation at the digit itself
            Bound::Is => ceil((2 * self.digits - 1) * base, 2 * self.whole),
            Bound::AtLeast => ceil(self.digits * base, self.whole),
            Bound::Above => (self.digits * base).div_euclid(self.whole) + 1,
        };
        let high = match self.bound {
            Bound::Is => ceil((self.digits + 1) * base, self.whole) - 1,
            Bound::AtLeast | Bound::Above => base,
        };
        range(low.max(0), high)
    }

    /// The denominators out of which this numerator makes it, by rounding.
    pub fn denominators(&self, numerator: i64) -> Option<RangeInclusive<i64>> {
        self.denominators_between(numerator, 2 * self.digits - 1, 2 * self.digits + 1)
    }

    /// The same by rounding or truncation.
    pub fn denominators_at_most(&self, numerator: i64) -> Option<RangeInclusive<i64>> {
        self.denominators_between(numerator, 2 * self.digits - 1, 2 * self.digits + 2)
    }

    /// Denominators for which the rate lies in [from, to), in half units of the last digit.
    fn denominators_between(
        &self,
        numerator: i64,
        from: i128,
        to: i128,
    ) -> Option<RangeInclusive<i64>> {
        if self.bound != Bound::Is || numerator <= 0 || from <= 0 {
            return None;
        }
        let twice = 2 * i128::from(numerator) * self.whole;
        range(twice.div_euclid(to) + 1, twice.div_euclid(from))
    }
}

fn range(low: i128, high: i128) -> Option<RangeInclusive<i64>> {
    (low <= high).then_some(i64::try_from(low).ok()?..=i64::try_from(high).ok()?)
}

/// Half up.
fn round(over: i128, under: i128) -> i128 {
    (2 * over + under).div_euclid(2 * under)
}

fn ceil(over: i128, under: i128) -> i128 {
    -(-over).div_euclid(under)
}

/// Full-width digits and signs as narrow ones.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' | '．' | '％' | '＞' | '－' => {
            char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
