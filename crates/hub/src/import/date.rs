//! Days as rosters write them: `2019.5`, `2019年5月3日`, `2019-05-03`, `20190503`, serial numbers.

use super::{Problem, text::plain};
use hub_core::time::{Day, Precision};

/// A day with what was really known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// The first day of what was named.
    pub day: Day,
    /// Whether a day, a month or a year was named.
    pub precision: Precision,
}

impl Dated {
    /// The day on which something stops holding when it ended then: the first day after what was named
    /// (DESIGN §4).
    pub fn as_end(self) -> Day {
        let (year, month, _) = self.day.to_ymd();
        let after = match self.precision {
            Precision::Day => None,
            Precision::Month if month < 12 => Day::from_ymd(year, month + 1, 1),
            Precision::Month | Precision::Year => Day::from_ymd(year + 1, 1, 1),
        };
        after.unwrap_or_else(|| self.day.next())
    }

    fn of(year: i32, month: Option<u32>, day: Option<u32>) -> Result<Self, Problem> {
        let precision = match (month, day) {
            (Some(_), Some(_)) => Precision::Day,
            (Some(_), None) => Precision::Month,
            _ => Precision::Year,
        };
        Day::from_ymd(year, month.unwrap_or(1), day.unwrap_or(1))
            .filter(|day| day.is_nameable())
            .map(|day| Self { day, precision })
            .ok_or(Problem::NotADay)
    }
}

/// Days between 1899-12-30, from which spreadsheets count, and 1970-01-01.
const SERIAL_OF_1970: i32 = 25_569;

/// Reads a day.
///
/// # Errors
/// [`Problem::NotADay`], or [`Problem::TwoDigitYear`] where the century is open.
pub fn parse(cell: &str) -> Result<Dated, Problem> {
    let plain = plain(cell);
    // A time of day after the day says nothing here.
    let date = plain.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = date
        .trim_end_matches(['日', '号', '月', '年', '.', '起'])
        .split(['年', '月', '.', '/', '-', '。', '、'])
        .collect();
    if !parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Problem::NotADay);
    }
    match parts.as_slice() {
        [single] => of_digits(single),
        [serial, fraction] if serial.len() == 5 && !date.contains(['年', '月', '/', '-']) => {
            let _ = fraction;
            of_digits(serial)
        }
        [year, month] => Dated::of(year_of(year)?, Some(number(month)?), None),
        [year, month, day] => Dated::of(year_of(year)?, Some(number(month)?), Some(number(day)?)),
        _ => Err(Problem::NotADay),
    }
}

/// Whether `2019.1` may be what a spreadsheet left of `2019.10`.
pub fn may_be_october(cell: &str) -> bool {
    let plain = plain(cell);
    plain.len() == 6
        && plain.ends_with(".1")
        && plain.as_bytes()[..4].iter().all(u8::is_ascii_digit)
}

fn of_digits(digits: &str) -> Result<Dated, Problem> {
    match digits.len() {
        8 => Dated::of(
            year_of(&digits[..4])?,
            Some(number(&digits[4..6])?),
            Some(number(&digits[6..])?),
        ),
        6 => Dated::of(year_of(&digits[..4])?, Some(number(&digits[4..])?), None),
        4 => Dated::of(year_of(digits)?, None, None),
        5 => {
            let serial = i32::try_from(number(digits)?).map_err(|_| Problem::NotADay)?;
            let (year, month, day) = Day(serial - SERIAL_OF_1970).to_ymd();
            Dated::of(year, Some(month), Some(day))
        }
        _ => Err(Problem::NotADay),
    }
}

fn year_of(text: &str) -> Result<i32, Problem> {
    match text.len() {
        4 => text.parse().map_err(|_| Problem::NotADay),
        2 => Err(Problem::TwoDigitYear),
        _ => Err(Problem::NotADay),
    }
}

fn number(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::NotADay)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str) -> Option<(String, Precision)> {
        parse(cell).ok().map(|dated| (dated.day.to_string(), dated.precision))
    }

    #[test]
    fn the_forms_of_rosters() {
        let third = Some(("2019-05-03".to_owned(), Precision::Day));
        for cell in [
            "2019-05-03",
            "2019/5/3",
            "2019.5.3",
            "2019年5月3日",
            "2019年05月03号",
            "20190503",
            "２０１９．０５．０３",
            "2019-05-03 00:00:00",
            "2019-05-03T08:00",
            "43588",
            "43588.0",
        ] {
            assert_eq!(read(cell), third, "{cell}");
        }
        let may = Some(("2019-05-01".to_owned(), Precision::Month));
        for cell in ["2019.5", "2019年5月", "2019-05", "201905", "2019/5"] {
            assert_eq!(read(cell), may, "{cell}");
        }
        assert_eq!(read("2019年"), Some(("2019-01-01".to_owned(), Precision::Year)));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for cell in ["", "2019-13-01", "2019-02-29", "5/3/2019", "今年", "2019..5", "999999999"] {
            assert_eq!(parse(cell), Err(Problem::NotADay), "{cell}");
        }
        assert_eq!(parse("19.5.3"), Err(Problem::TwoDigitYear));
        assert!(may_be_october("2019.1") && !may_be_october("2019.01"));
    }

    #[test]
    fn an_end_holds_through_what_was_named() {
        let end = |cell: &str| parse(cell).unwrap().as_end().to_string();
        assert_eq!(end("2024-02-29"), "2024-03-01");
        assert_eq!(end("2024.12"), "2025-01-01");
        assert_eq!(end("2024"), "2025-01-01");
    }
}
