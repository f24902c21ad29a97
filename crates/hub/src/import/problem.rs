//! What can be wrong with a cell or a row. The words for people stand in `render::words`.

use hub_core::time::Day;

/// What is wrong, or worth knowing, about a cell or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A required cell is blank.
    Blank,
    /// No day.
    NotADay,
    /// A day whose century is open, as `19.5.3`.
    TwoDigitYear,
    /// A day after today where only what has happened may stand.
    FutureDay {
        /// The last day allowed.
        latest: Day,
    },
    /// One day must not lie before another.
    DayBefore {
        /// The column it must not lie before.
        column: &'static str,
    },
    /// No whole number of persons or things.
    NotACount,
    /// No whole number.
    NotANumber,
    /// Neither yes nor no.
    NotAFlag,
    /// A part is larger than its whole.
    MoreThanAll {
        /// The column of the whole.
        column: &'static str,
    },
    /// None of the known words of this column.
    NotInList {
        /// The words there are.
        known: Vec<&'static str>,
    },
    /// An ID number was stored as a number; its last digits are gone for good.
    DigitsLost,
    /// A number ends in 000 and yet passes its check digit, as one in eleven rounded numbers does:
    /// accepted and named.
    PerhapsDigitsLost,
    /// A number of the wrong length.
    Length {
        /// The lengths there are, in words.
        expected: &'static str,
        /// The length found, in characters.
        found: usize,
    },
    /// A character that cannot stand in this kind of number.
    Character {
        /// The character.
        found: char,
    },
    /// The check digit of an ID number is wrong: accepted, unqualified (K17).
    IdCheckDigit,
    /// The birth day inside an ID number is no day: accepted, unqualified (K17).
    IdBirthDay,
    /// The sex stated is not that of the ID number: accepted as stated.
    SexDiffers,
    /// The check digit of a 统一社会信用代码 is wrong: accepted, unqualified (K17).
    UsccCheckDigit,
    /// `2019.1` may have been `2019.10`: accepted as January.
    PerhapsOctober,
    /// The row is in no encoding the hub reads.
    Encoding,
    /// The row is longer than allowed.
    RowTooLong {
        /// The bound, in bytes.
        max: usize,
    },
    /// The cell is longer than allowed.
    CellTooLong {
        /// The bound, in bytes.
        max: usize,
    },
    /// A quote is opened and never closed.
    OpenQuote,
    /// The row has more or fewer cells than the header.
    CellCount {
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// The same row stands in the file already.
    DuplicateRow {
        /// Where it stands first.
        first: u64,
    },
    /// The same person, union or unit stands in the file already, with other content.
    SameKey {
        /// Where it stands first.
        first: u64,
    },
    /// No unit of this name, path or code.
    UnknownUnit,
    /// No union of this name, path or code.
    UnknownBranch,
    /// The name fits several; their paths.
    Ambiguous {
        /// The candidates.
        candidates: Vec<String>,
    },
    /// Another node keeps the books of this unit.
    ServedElsewhere {
        /// The unit whose node it is.
        by: String,
    },
    /// The parent's level is not above the unit's own.
    ParentTooLow,
    /// The unit named as approving does not lie above the union's host (工会法 art. 12).
    NotAbove,
    /// This node does not lie strictly above the unit.
    NotStrictlyAbove,
    /// A unit cannot follow itself.
    OldAndNew,
    /// No conflict of this id.
    UnknownCase,
    /// A ruling cannot name the sides of this conflict.
    NotRulable,
    /// This node does not lie above all sides.
    NotCommonAncestor {
        /// The unit whose node does.
        by: String,
    },
    /// None of the sides of the conflict.
    NoSuchSide {
        /// The sides there are.
        sides: Vec<String>,
    },
    /// A ruling cannot act before its sides stand against each other.
    BeforeCase {
        /// From when they do.
        earliest: Day,
    },
    /// The report does not pass a logic check, in a sentence of each language: accepted and named.
    Suspect {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// A rule of the catalogue the value breaks, in words.
    Shape {
        /// What is allowed.
        expected: String,
    },
}

impl Problem {
    /// Whether the row is taken all the same, and only named.
    pub fn is_note(&self) -> bool {
        matches!(
            self,
            Self::IdCheckDigit
                | Self::IdBirthDay
                | Self::SexDiffers
                | Self::UsccCheckDigit
                | Self::PerhapsOctober
                | Self::PerhapsDigitsLost
                | Self::Suspect { .. }
        )
    }
}

/// One cell or row that is refused, or taken with a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The row, counted as a spreadsheet counts it.
    pub row: u64,
    /// The heading of the column as the file has it; empty when the whole row is meant.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub problem: Problem,
}
