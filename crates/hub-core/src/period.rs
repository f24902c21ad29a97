//! Reporting periods: a union statistical year (1 Oct to 30 Sep, named by the year it ends in) or a calendar
//! month (DOMAIN §1.18).

use crate::time::Day;
use serde::Deserialize;
use std::fmt;

/// How often a form is filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// A union statistical year.
    Year,
    /// A calendar month.
    Month,
}

/// A period, by its first and last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Year or month.
    pub cycle: Cycle,
    /// Its first day.
    pub first: Day,
    /// Its last day, the day its figures are of (时点).
    pub last: Day,
}

impl Span {
    /// Reads `2026` or `2026-05`, in just the form facts use.
    pub fn parse(text: &str) -> Option<Self> {
        let span = match text.split_once('-') {
            None => Self::year(text.parse().ok()?)?,
            Some((year, month)) => Self::month(year.parse().ok()?, month.parse().ok()?)?,
        };
        (span.to_string() == text).then_some(span)
    }

    /// The union statistical year that ends in this year.
    fn year(year: i32) -> Option<Self> {
        let first = Day::from_ymd(year.checked_sub(1)?, 10, 1)?;
        Some(Self { cycle: Cycle::Year, first, last: Day::from_ymd(year, 9, 30)? })
    }

    fn month(year: i32, month: u32) -> Option<Self> {
        let first = Day::from_ymd(year, month, 1)?;
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let last = Day(Day::from_ymd(next_year, next_month, 1)?.0 - 1);
        Some(Self { cycle: Cycle::Month, first, last })
    }

    /// The newest period of this cycle whose last day is not after `day`: the one an answer as of that
    /// day speaks of.
    pub fn newest_ended(cycle: Cycle, day: Day) -> Option<Self> {
        let (year, month, _) = day.to_ymd();
        let around = match cycle {
            Cycle::Year => Self::year(year),
            Cycle::Month => Self::month(year, month),
        }?;
        if around.last <= day { Some(around) } else { around.previous() }
    }

    /// The period before it.
    pub fn previous(self) -> Option<Self> {
        let (year, month, _) = Day(self.first.0 - 1).to_ymd();
        match self.cycle {
            Cycle::Year => Self::year(year),
            Cycle::Month => Self::month(year, month),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, _) = self.last.to_ymd();
        match self.cycle {
            Cycle::Year => write!(f, "{year:04}"),
            Cycle::Month => write!(f, "{year:04}-{month:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_run_from_october_and_months_as_they_do() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let table = [
            ("2026", "2025-10-01", "2026-09-30", "2025"),
            ("2026-02", "2026-02-01", "2026-02-28", "2026-01"),
            ("2024-12", "2024-12-01", "2024-12-31", "2024-11"),
            ("2026-01", "2026-01-01", "2026-01-31", "2025-12"),
        ];
        for (text, first, last, previous) in table {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.first, span.last), (day(first), day(last)), "{text}");
            assert_eq!(span.previous().unwrap().to_string(), previous);
        }
        for wrong in ["", "26", "2026-5", "2026-13", "2026-00", "2026-05-01", "年", "+2026"] {
            assert_eq!(Span::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_answer_speaks_of_the_newest_period_that_has_ended() {
        let table = [
            ("2026-09-29", "2025", "2026-08"),
            ("2026-09-30", "2026", "2026-09"),
            ("2026-11-20", "2026", "2026-10"),
            ("2026-01-01", "2025", "2025-12"),
        ];
        for (day, year, month) in table {
            let day = day.parse().unwrap();
            let named = |cycle| Span::newest_ended(cycle, day).unwrap().to_string();
            assert_eq!((named(Cycle::Year), named(Cycle::Month)), (year.into(), month.into()));
        }
    }
}
