//! Check digits of the two national identifiers (DOMAIN §3).

/// The 31 characters of GB 32100-2015; a character's value is its place.
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS: &[u8; 11] = b"10X98765432";

/// Whether this is a well-formed 统一社会信用代码 with the right check digit (GB 32100-2015).
/// The text must be normalised: half-width, upper case, no spaces.
pub fn is_uscc(code: &str) -> bool {
    code.len() == 18 && uscc_check_digit(code).is_some_and(|digit| code.ends_with(digit))
}

/// The check digit that belongs to the first 17 characters of `code`; `None` when there are fewer, or
/// one is not of the alphabet (which has no I, O, S, V, Z).
pub fn uscc_check_digit(code: &str) -> Option<char> {
    let body = code.as_bytes().get(..17)?;
    let mut weight = 1;
    let mut sum = 0;
    for character in body {
        let value = USCC_ALPHABET.iter().position(|known| known == character)?;
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    USCC_ALPHABET.get((31 - sum % 31) % 31).map(|byte| char::from(*byte))
}

/// Whether this is a well-formed 18-digit 公民身份号码 with a real birth day and the right check digit
/// (GB 11643-1999). The text must be normalised: half-width, `X` upper case, no spaces.
pub fn is_citizen_id(number: &str) -> bool {
    number.len() == 18
        && id_check_digit(number).is_some_and(|digit| number.ends_with(digit))
        && birth_day(number).is_some()
}

/// The check digit that belongs to the first 17 digits; `None` when there are fewer or one is no digit.
pub fn id_check_digit(number: &str) -> Option<char> {
    let body = number.as_bytes().get(..17)?;
    let mut sum = 0;
    for (digit, weight) in body.iter().zip(ID_WEIGHTS) {
        sum += char::from(*digit).to_digit(10)? * weight;
    }
    ID_CHECKS.get((sum % 11) as usize).map(|byte| char::from(*byte))
}

/// A 15-digit number of the old form as 18 digits; anything else unchanged.
pub fn id_to_18(number: &str) -> String {
    if number.len() != 15 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return number.to_owned();
    }
    let (area, rest) = number.split_at(6);
    let mut long = format!("{area}19{rest}");
    if let Some(digit) = id_check_digit(&long) {
        long.push(digit);
    }
    long
}

/// The birth day inside an 18-digit number.
pub fn birth_day(number: &str) -> Option<crate::time::Day> {
    let part = |range: std::ops::Range<usize>| number.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(part(6..10)?).ok()?;
    let day = crate::time::Day::from_ymd(year, part(10..12)?, part(12..14)?)?;
    day.is_nameable().then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        assert!(is_uscc("91350100M000100Y43"));
        assert!(!is_uscc("91350100M000100Y4Z"));
        assert!(is_citizen_id("11010519491231002X"));
        assert!(is_citizen_id("34052419800101001X"));
        assert!(!is_citizen_id("340524198001010010"));
        assert!(!is_citizen_id("34052419801301001X"));
    }

    #[test]
    fn every_single_wrong_character_is_seen() {
        let good = "91350100M000100Y43";
        for place in 0..18 {
            for wrong in USCC_ALPHABET {
                let mut bytes = good.as_bytes().to_vec();
                if bytes[place] != *wrong {
                    bytes[place] = *wrong;
                    assert!(!is_uscc(std::str::from_utf8(&bytes).unwrap()));
                }
            }
        }
    }

    #[test]
    fn old_numbers_become_long() {
        assert_eq!(id_to_18("110105491231002"), "11010519491231002X");
        assert_eq!(id_to_18("11010549123100"), "11010549123100");
    }
}
