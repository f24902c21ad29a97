//! Generated persons and codes. Area prefix 99 is no area of GB/T 2260, so that no number here can be
//! a real person's or firm's, while every check digit is right.

use hub_core::check_digit::{id_check_digit, uscc_check_digit};
use hub_core::time::Day;

const FAMILY: [&str; 20] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
    "何", "郭", "马", "罗",
];
const GIVEN_WOMEN: [&str; 12] =
    ["秀英", "桂兰", "玉梅", "丽华", "春燕", "雪莲", "晓红", "美玲", "海霞", "静", "敏", "婷"];
const GIVEN_MEN: [&str; 12] =
    ["建国", "志强", "海涛", "文斌", "立新", "永胜", "德福", "国栋", "少华", "刚", "勇", "伟"];

/// How many days of birth there are: 1 January 1966 to some day of 2001, adults all.
const BIRTH_DAYS: u32 = 13_000;
/// Coprime to `BIRTH_DAYS`, so that consecutive persons differ in more than the last digits.
const BIRTH_STEP: u32 = 3_701;

/// One generated person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// A name; names repeat, as they do.
    pub name: String,
    /// An 18-digit number with area 99 and a right check digit.
    pub number: String,
    /// Whether a woman.
    pub woman: bool,
}

/// The `serial`-th person; different serials below 120 million have different numbers.
pub fn person(serial: u32, woman: bool) -> Person {
    let block = serial / BIRTH_DAYS;
    let offset = (serial % BIRTH_DAYS) * BIRTH_STEP % BIRTH_DAYS;
    let birth = Day::from_ymd(1966, 1, 1).map_or_else(String::new, |first| {
        let (year, month, day) = Day(first.0 + offset as i32).to_ymd();
        format!("{year:04}{month:02}{day:02}")
    });
    // the last digit of the sequence is odd for men, even for women
    let sequence = 100 + (serial % 400) * 2 + u32::from(!woman);
    let mut number = format!("99{:04}{birth}{sequence:03}", block % 10_000);
    number.extend(id_check_digit(&number));
    let given = if woman { GIVEN_WOMEN } else { GIVEN_MEN };
    let name = format!(
        "{}{}",
        pick(&FAMILY, serial.wrapping_mul(7)),
        pick(&given, serial.wrapping_mul(11) / 3)
    );
    Person { name, number, woman }
}

fn pick<'a>(list: &[&'a str], at: u32) -> &'a str {
    list.get(at as usize % list.len()).copied().unwrap_or("甲")
}

/// The `serial`-th employer's 统一社会信用代码: an enterprise (91) of area 990000, both check digits right.
pub fn employer_code(serial: u32) -> String {
    let organisation = format!("{serial:08}");
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = organisation
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let organisation_check = match (11 - sum % 11) % 11 {
        10 => "X".to_owned(),
        digit => digit.to_string(),
    };
    let mut code = format!("91990000{organisation}{organisation_check}");
    code.extend(uscc_check_digit(&code));
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::check_digit::{is_citizen_id, is_uscc};
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_valid_distinct_and_of_no_real_area() {
        let mut seen = BTreeSet::new();
        for serial in 0..40_000 {
            let person = person(serial, serial.is_multiple_of(3));
            assert!(is_citizen_id(&person.number), "{}", person.number);
            assert!(person.number.starts_with("99"));
            let sex_digit = person.number.as_bytes()[16] - b'0';
            assert_eq!(sex_digit.is_multiple_of(2), person.woman);
            assert!(seen.insert(person.number));
        }
    }

    #[test]
    fn codes_are_valid_distinct_and_of_no_real_area() {
        let mut seen = BTreeSet::new();
        for serial in 1..5_000 {
            let code = employer_code(serial);
            assert!(is_uscc(&code), "{code}");
            assert_eq!(&code[2..4], "99");
            assert!(seen.insert(code));
        }
        assert_eq!(employer_code(90_000_001), "91990000900000014Q");
    }
}
