//! The document a person is known by: kind, number, whether the number holds.

use super::{Problem, code_list, text};
use hub_core::check_digit::{birth_day, id_check_digit, id_to_18, is_citizen_id};
use hub_core::fact::member::Sex;
use hub_core::person::DocumentKind;

/// A document as a roster states it.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its number, normalised.
    pub number: String,
    /// Whether the number passes its check digit and names a real birth day; always so for kinds
    /// without a check digit.
    pub qualified: bool,
    /// What is worth telling though the number is taken.
    pub note: Option<Problem>,
}

/// Not the number: it belongs in the vault and in the user's own file, never in a log.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.kind)
            .field("qualified", &self.qualified)
            .finish_non_exhaustive()
    }
}

impl Document {
    /// The sex a qualified resident ID states (its 17th digit: odd for men).
    pub fn sex(&self) -> Sex {
        if self.kind != DocumentKind::ResidentId || !self.qualified {
            return Sex::Unknown;
        }
        match self.number.as_bytes().get(16) {
            Some(digit) if digit % 2 == 1 => Sex::Man,
            Some(_) => Sex::Woman,
            None => Sex::Unknown,
        }
    }
}

/// Reads a document from the cells of its kind and number; a blank kind is a resident ID.
///
/// # Errors
/// [`Problem::DigitsLost`] where a spreadsheet rounded the number; a wrong length or character. A wrong
/// check digit is no error: the number is kept, unqualified (K17).
pub fn parse(kind: &str, number: &str) -> Result<Document, Problem> {
    let kind = match text::is_blank(kind) {
        true => DocumentKind::ResidentId,
        false => code_list::document_kind(&text::plain(kind))?,
    };
    let shown = text::plain(number);
    if kind == DocumentKind::ResidentId { resident(&shown) } else { other(kind, &shown) }
}

fn resident(shown: &str) -> Result<Document, Problem> {
    if is_scientific(shown) {
        return Err(Problem::DigitsLost);
    }
    let number = text::code(shown);
    if let Some(found) = strange_character(&number) {
        return Err(Problem::Character { found });
    }
    match number.len() {
        15 => {
            let long = id_to_18(&number);
            let qualified = is_citizen_id(&long);
            let note = (!qualified).then_some(Problem::IdBirthDay);
            Ok(Document { kind: DocumentKind::ResidentId, number: long, qualified, note })
        }
        18 => {
            let right_digit = id_check_digit(&number).is_some_and(|digit| number.ends_with(digit));
            // Spreadsheets keep 15 digits of a number and write zeros for the rest. Persons whose
            // numbers differ only there would become one, so such a number is not even kept.
            if !right_digit && number.ends_with("000") {
                return Err(Problem::DigitsLost);
            }
            let note = match (right_digit, birth_day(&number)) {
                (false, _) => Some(Problem::IdCheckDigit),
                (true, None) => Some(Problem::IdBirthDay),
                (true, Some(_)) if number.ends_with("000") => Some(Problem::PerhapsDigitsLost),
                (true, Some(_)) => None,
            };
            let qualified = is_citizen_id(&number);
            Ok(Document { kind: DocumentKind::ResidentId, number, qualified, note })
        }
        found => Err(Problem::Length { expected: "18 / 15", found }),
    }
}

fn other(kind: DocumentKind, shown: &str) -> Result<Document, Problem> {
    if is_scientific(shown) {
        return Err(Problem::DigitsLost);
    }
    let number = text::code(shown);
    if let Some(found) = number.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Err(Problem::Character { found });
    }
    match number.len() {
        5..=20 => Ok(Document { kind, number, qualified: true, note: None }),
        found => Err(Problem::Length { expected: "5–20", found }),
    }
}

/// The first character that cannot stand in a resident ID: not a digit, and not an X at the end.
fn strange_character(number: &str) -> Option<char> {
    let last = number.chars().count().saturating_sub(1);
    let strange =
        |(place, c): &(usize, char)| !(c.is_ascii_digit() || (*c == 'X' && *place == last));
    number.chars().enumerate().find(strange).map(|(_, c)| c)
}

/// `1.10105E+17`, and the same rounded to a decimal point.
fn is_scientific(shown: &str) -> bool {
    let Some((mantissa, exponent)) = shown.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(&mantissa.replacen('.', "", 1)) && digits(exponent.trim_start_matches('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: &str) -> Result<(String, bool), Problem> {
        parse("", number).map(|document| (document.number, document.qualified))
    }

    #[test]
    fn however_it_is_typed() {
        for typed in
            ["11010519491231002X", " 110105 19491231 002x", "１１０１０５１９４９１２３１００２×"]
        {
            assert_eq!(read(typed), Ok(("11010519491231002X".to_owned(), true)), "{typed}");
        }
        assert_eq!(read("110105491231002"), Ok(("11010519491231002X".to_owned(), true)));
        assert_eq!(read("=\"11010519491231002X\""), Ok(("11010519491231002X".to_owned(), true)));
    }

    #[test]
    fn digits_lost_in_a_spreadsheet_have_their_own_message() {
        for lost in ["1.10105E+17", "1.10105194912E+17", "110105194912310000", "1E17"] {
            assert_eq!(read(lost), Err(Problem::DigitsLost), "{lost}");
        }
    }

    #[test]
    fn a_number_that_really_ends_in_zeros_stays() {
        let mut found = 0;
        for year in 1950..2000 {
            let body = format!("990101{year}0101100");
            let number = format!("{body}{}", id_check_digit(&body).unwrap());
            if number.ends_with("000") {
                let document = parse("", &number).unwrap();
                assert_eq!((&document.number, document.qualified), (&number, true));
                assert_eq!(document.note, Some(Problem::PerhapsDigitsLost));
                found += 1;
            }
        }
        assert!(found > 0);
    }

    #[test]
    fn wrong_numbers_are_kept_or_refused_by_what_is_wrong() {
        let wrong_digit = parse("身份证", "110105194912310021").unwrap();
        assert_eq!((wrong_digit.qualified, wrong_digit.note), (false, Some(Problem::IdCheckDigit)));
        assert_eq!(
            read("1101051949123100"),
            Err(Problem::Length { expected: "18 / 15", found: 16 })
        );
        assert_eq!(read("11010519491231O02X"), Err(Problem::Character { found: 'O' }));
    }

    #[test]
    fn sex_and_other_documents() {
        assert_eq!(parse("", "11010519491231002X").unwrap().sex(), Sex::Woman);
        assert_eq!(parse("", "34052419800101001X").unwrap().sex(), Sex::Man);
        let passport = parse("护照", "e1234 5678").unwrap();
        assert_eq!(
            (passport.kind, passport.number.as_str()),
            (DocumentKind::Passport, "E12345678")
        );
        assert_eq!(passport.sex(), Sex::Unknown);
        assert!(matches!(parse("门禁卡", "1"), Err(Problem::NotInList { .. })));
    }
}
