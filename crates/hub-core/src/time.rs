//! Days and clocks. Nobody here asks what time it is; callers say.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = u64;

/// Milliseconds of a day.
pub const DAY_MILLIS: u64 = 86_400_000;
/// Asia/Shanghai is UTC+8, without summer time in the span the hub covers.
const SHANGHAI_OFFSET_MILLIS: u64 = 8 * 3_600_000;

/// A civil day of Asia/Shanghai, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A text that is not a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayError {
    /// What was read.
    pub found: String,
}

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a day as YYYY-MM-DD, found {:?}", self.found)
    }
}

impl std::error::Error for DayError {}

impl Day {
    /// The first day facts may name: 1900-01-01.
    pub const FIRST: Self = Self(-25_567);
    /// The last day facts may name: 2199-12-31.
    pub const LAST: Self = Self(84_005);
    /// After every day a fact may name: the end of an open span.
    pub const OPEN: Self = Self(i32::MAX);

    /// The civil day, `None` when there is no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        // Days of the proleptic Gregorian calendar, years counted from March.
        let (month, day) = (i32::try_from(month).ok()?, i32::try_from(day).ok()?);
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Year, month, day.
    pub fn to_ymd(self) -> (i32, u32, u32) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month as u32, day as u32)
    }

    /// The civil day in Shanghai at this instant.
    pub fn of_millis(at: Millis) -> Self {
        Self(i32::try_from((at + SHANGHAI_OFFSET_MILLIS) / DAY_MILLIS).unwrap_or(i32::MAX))
    }

    /// The instant at which this day begins in Shanghai; 0 for days before 1970.
    pub fn start_millis(self) -> Millis {
        (u64::try_from(self.0).unwrap_or(0) * DAY_MILLIS).saturating_sub(SHANGHAI_OFFSET_MILLIS)
    }

    /// The day after.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The same day so many years later; 29 February becomes 28 February.
    pub fn plus_years(self, years: i32) -> Self {
        let (year, month, day) = self.to_ymd();
        let year = year + years;
        Self::from_ymd(year, month, day.min(days_in_month(year, month))).unwrap_or(self)
    }

    /// Whether a fact may name this day.
    pub fn is_nameable(self) -> bool {
        (Self::FIRST..=Self::LAST).contains(&self)
    }
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::OPEN {
            return f.write_str("open");
        }
        let (year, month, day) = self.to_ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        let bad = || DayError { found: text.to_owned() };
        if text == "open" {
            return Ok(Self::OPEN);
        }
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or_else(bad);
        let year = part()?.parse().map_err(|_| bad())?;
        let month = part()?.parse().map_err(|_| bad())?;
        let day = part()?.parse().map_err(|_| bad())?;
        Self::from_ymd(year, month, day).ok_or_else(bad)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            i32::deserialize(deserializer).map(Self)
        }
    }
}

/// How exactly an effective day is known. A month or a year counts as its first day (an end as the
/// first day after it); the writer stores that day and says here what was really known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The day itself.
    Day,
    /// Only the month.
    Month,
    /// Only the year.
    Year,
}

/// A hybrid logical clock: 48 bits of milliseconds, 16 bits of counter (DESIGN §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hlc(pub u64);

impl Hlc {
    /// Before every fact.
    pub const ZERO: Self = Self(0);
    /// After every fact.
    pub const MAX: Self = Self(u64::MAX);

    /// The clock at this millisecond, counter 0.
    pub const fn at(millis: Millis) -> Self {
        Self(millis << 16)
    }

    /// Its milliseconds.
    pub const fn millis(self) -> Millis {
        self.0 >> 16
    }

    /// Its counter.
    pub const fn counter(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The next reading of a clock that last showed `self`, at `now`: always greater.
    #[must_use]
    pub fn tick(self, now: Millis) -> Self {
        Self::at(now).max(Self(self.0.saturating_add(1)))
    }

    /// The civil day of Shanghai it falls on.
    pub fn day(self) -> Day {
        Day::of_millis(self.millis())
    }

    /// Later by so many milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: Millis) -> Self {
        Self(self.0.saturating_add(millis << 16))
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis(), self.counter())
    }
}

impl fmt::Debug for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_civil_dates_agree_over_three_centuries() {
        let mut expected = (1900, 1, 1);
        for number in Day::FIRST.0..=Day::LAST.0 {
            assert_eq!(Day(number).to_ymd(), expected);
            assert_eq!(Day::from_ymd(expected.0, expected.1, expected.2), Some(Day(number)));
            let (year, month, day) = expected;
            expected = if day < days_in_month(year, month) {
                (year, month, day + 1)
            } else if month < 12 {
                (year, month + 1, 1)
            } else {
                (year + 1, 1, 1)
            };
        }
        assert_eq!(expected, (2200, 1, 1));
    }

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        let day: Day = "2026-11-20".parse().unwrap();
        assert_eq!(Day::of_millis(day.start_millis()), day);
        assert_eq!(Day::of_millis(day.start_millis() - 1).next(), day);
        assert!("2026-02-29".parse::<Day>().is_err());
        assert_eq!("2024-02-29".parse::<Day>().unwrap().plus_years(1).to_string(), "2025-02-28");
    }

    #[test]
    fn a_clock_only_goes_forward() {
        let first = Hlc::ZERO.tick(1_000);
        let stalled = first.tick(900);
        assert!(stalled > first && stalled.millis() == 1_000 && stalled.counter() == 1);
        assert_eq!(stalled.tick(2_000), Hlc::at(2_000));
    }
}
