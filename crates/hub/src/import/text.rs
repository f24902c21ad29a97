//! Cells made plain: width, spaces, the marks spreadsheets leave; numbers and yes or no.

use super::Problem;

/// Full-width letters, digits and signs as half-width ones, odd spaces as spaces, invisible marks gone,
/// and the wrappings spreadsheets use to keep a number text (`'123`, `="123"`) taken off.
pub fn plain(cell: &str) -> String {
    let narrow: String = cell.chars().filter_map(narrow).collect();
    let trimmed = narrow.trim();
    let unwrapped = trimmed
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| trimmed.strip_prefix('\''))
        .unwrap_or(trimmed);
    unwrapped.trim().to_owned()
}

fn narrow(character: char) -> Option<char> {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0),
        '\u{3000}' | '\u{a0}' | '\t' | '\r' | '\n' => Some(' '),
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' => None,
        other if other.is_control() => None,
        other => Some(other),
    }
}

/// A name: spaces between Chinese characters taken out (`张 三`), other runs of spaces made one; brackets
/// made full-width when they stand beside Chinese characters, so that one firm has one name.
pub fn name(cell: &str) -> String {
    let plain = plain(cell);
    let characters: Vec<char> = plain.chars().collect();
    let mut name = String::with_capacity(plain.len());
    for (place, character) in characters.iter().enumerate() {
        let next = characters[place + 1..].iter().find(|c| **c != ' ');
        let last = name.chars().last();
        if *character == ' ' {
            let beside_chinese =
                last.is_some_and(is_chinese) || next.is_some_and(|c| is_chinese(*c));
            if !beside_chinese && last.is_some_and(|c| c != ' ') {
                name.push(' ');
            }
            continue;
        }
        let chinese_around = last.is_some_and(is_chinese) || next.is_some_and(|c| is_chinese(*c));
        name.push(match character {
            '(' if chinese_around => '（',
            ')' if chinese_around || last == Some('（') => '）',
            '•' | '・' | '‧' | '∙' => '·',
            other => *other,
        });
    }
    name
}

fn is_chinese(character: char) -> bool {
    character >= '\u{2e80}'
}

/// A code or number of a document: plain, upper case, without spaces and separators; the signs typed for
/// the letter X made X.
pub fn code(cell: &str) -> String {
    plain(cell)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '—' | '–' | '·' | '.'))
        .map(|c| match c {
            '×' | '✕' | '✖' | '╳' | 'х' | 'Х' | '乂' => 'X',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

/// Whether the cell says nothing: blank, or a dash or slash that stands for blank.
pub fn is_blank(cell: &str) -> bool {
    matches!(
        plain(cell).as_str(),
        "" | "-" | "--" | "—" | "/" | "\\" | "空" | "NULL" | "null" | "#N/A"
    )
}

/// A count of persons or things.
///
/// # Errors
/// The cell is no whole number from 0 to 4,294,967,295.
pub fn count(cell: &str) -> Result<u32, Problem> {
    let plain = plain(cell);
    let digits: String = plain
        .trim_end_matches(['人', '名', '户', '家', '个'])
        .chars()
        .filter(|c| !matches!(c, ',' | ' ' | '，'))
        .collect();
    // Spreadsheets write whole numbers as `12.0`.
    let whole = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        _ => digits.as_str(),
    };
    whole.parse().map_err(|_| Problem::NotACount)
}

/// A whole number, perhaps negative, perhaps money.
///
/// # Errors
/// The cell is no whole number of 64 bits.
pub fn integer(cell: &str) -> Result<i64, Problem> {
    let digits: String = plain(cell).chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    let whole = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        _ => digits.as_str(),
    };
    whole.parse().map_err(|_| Problem::NotANumber)
}

/// Yes or no.
///
/// # Errors
/// The cell is neither.
pub fn flag(cell: &str) -> Result<bool, Problem> {
    match plain(cell).to_lowercase().as_str() {
        "是" | "有" | "√" | "✓" | "对" | "正常" | "y" | "yes" | "true" | "1" | "t" => {
            Ok(true)
        }
        "否" | "无" | "没有" | "不是" | "不" | "×" | "✗" | "x" | "n" | "no" | "false" | "0"
        | "f" => Ok(false),
        _ => Err(Problem::NotAFlag),
    }
}

/// The parts of a cell that lists several things.
pub fn list(cell: &str) -> Vec<String> {
    cell.split([';', '；', '、', '\n', '|']).map(name).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_and_wrappings_go() {
        assert_eq!(plain("　１２３ＡＢ　"), "123AB");
        assert_eq!(plain("=\"110105194912310021\""), "110105194912310021");
        assert_eq!(plain("'00123"), "00123");
        assert_eq!(plain("a\u{200b}\u{feff}b"), "ab");
    }

    #[test]
    fn names_lose_inner_spaces_where_chinese_has_none() {
        assert_eq!(name(" 张　 三 "), "张三");
        assert_eq!(name("John   Smith"), "John Smith");
        assert_eq!(name("黑河\n某厂"), "黑河某厂");
        assert_eq!(name("阿依古丽•买买提"), "阿依古丽·买买提");
        assert_eq!(name("黑河某厂(集团)公司"), name("黑河某厂（集团）公司"));
        assert_eq!(name("ABC (China) Ltd"), "ABC (China) Ltd");
    }

    #[test]
    fn codes_are_one_form() {
        assert_eq!(code("１１０１０５ 19491231 002×"), "11010519491231002X");
        assert_eq!(code("91350100m000100y43"), "91350100M000100Y43");
    }

    #[test]
    fn numbers_and_flags() {
        assert_eq!(count("1,234人"), Ok(1_234));
        assert_eq!(count("１２．０"), Ok(12));
        assert_eq!(count("12.5"), Err(Problem::NotACount));
        assert_eq!(count("-3"), Err(Problem::NotACount));
        assert_eq!(integer("-3"), Ok(-3));
        assert_eq!(flag("是"), Ok(true));
        assert_eq!(flag("Ｎ"), Ok(false));
        assert_eq!(flag("大概"), Err(Problem::NotAFlag));
        assert_eq!(list("甲厂；乙厂、 丙厂"), ["甲厂", "乙厂", "丙厂"]);
        assert!(is_blank(" — ") && !is_blank("0"));
    }
}
