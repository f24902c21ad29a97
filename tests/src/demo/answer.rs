//! An answer of `hub query … --format json`, as far as the demonstration compares it.

use super::error::DemoError;
use serde_json::Value;

/// The rows of an answer, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One per child or group, then 本级 and 合计.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name people read.
    pub name: String,
    /// Numerator, or the count.
    pub numerator: Option<i64>,
    /// Denominator; none for plain counts.
    pub denominator: Option<i64>,
    /// Persons and firms that await agreement between levels.
    pub awaiting: Option<i64>,
}

impl Answer {
    /// Reads an answer; `line` is the query, for messages.
    pub fn read(line: &str, text: &str) -> Result<Self, DemoError> {
        let fault = |expected: &str| DemoError::Answer {
            line: line.to_owned(),
            expected: expected.to_owned(),
            found: text.to_owned(),
        };
        let value: Value = serde_json::from_str(text).map_err(|error| fault(&error.to_string()))?;
        let rows = value["rows"].as_array().ok_or_else(|| fault("an answer with rows"))?;
        let rows: Option<Vec<Row>> = rows.iter().map(Row::read).collect();
        Ok(Self { rows: rows.ok_or_else(|| fault("rows with a name"))? })
    }

    /// The row of that name.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl Row {
    fn read(value: &Value) -> Option<Self> {
        let number = |key: &str| value[key].as_i64();
        Some(Self {
            name: value["unit"].as_str()?.to_owned(),
            numerator: number("numerator").or_else(|| number("count")),
            denominator: number("denominator"),
            awaiting: number("awaiting"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_counts_read_alike() {
        let text = r#"{"rows": [
            {"unit": "爱辉区", "numerator": 3, "denominator": 4, "awaiting": 1},
            {"unit": "合计", "count": 7, "awaiting": 0}]}"#;
        let answer = Answer::read("x", text).unwrap();
        let row = answer.row("爱辉区").unwrap();
        assert_eq!((row.numerator, row.denominator, row.awaiting), (Some(3), Some(4), Some(1)));
        assert_eq!(answer.row("合计").unwrap().numerator, Some(7));
        assert!(Answer::read("x", "{}").is_err());
    }
}
