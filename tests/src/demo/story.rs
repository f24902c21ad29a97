//! A story: what is entered where, what is asked, and what must come out.
//!
//! One step a line; `#` starts a comment, blank lines part.
//!
//! ```text
//! title 女职工组织                     a heading
//! source 黑河市工会工作总结 [S0:93]     where the figure comes from
//! note …                               a remark for the reader
//! load                                 every node that has unions imports them and its members
//! load 演示花园机械厂                    that node does
//! sync                                 waits until every fact has its receipts from all nodes above
//! sync both                            and until what concerns a subtree has been acknowledged below
//! at 爱辉区: branch apply …             runs `hub` on that node; it must succeed
//! ask 黑龙江省: query coverage …        runs and shows it; lines below it say what must be answered:
//!   = 合计 3261/3261                     a row with this numerator and denominator
//!   = 爱辉区 97                          a row of a plain count
//!   ? 爱辉区 1                           a row where so many await agreement between levels
//!   ~ 待各级一致                         the text contains this
//! find 黑河市: period close …            the same for a command that finds something to look at (exit code 1)
//! same 黑龙江省 | 黑河市: query …        both nodes answer the same rows
//! pick CASE 黑河市: cases list …        the one row of this list: {CASE} stands for its id from here on
//! audit 黑龙江省                        a copy of its log, folded anew, gives the digest of its answers
//! ```

use super::error::DemoError;
use std::collections::BTreeMap;

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A heading.
    Title(String),
    /// Where a figure comes from.
    Source(String),
    /// A remark.
    Note(String),
    /// Every node that has unions imports them and its members; or the one named.
    Load(Option<String>),
    /// Waits until all nodes above have what was entered below.
    Sync {
        /// And the other way round.
        below: bool,
    },
    /// A command that must succeed.
    At(Call),
    /// A command whose output is shown and checked.
    Ask(Call, Vec<Expect>),
    /// A command that finds something to look at (exit code 1); shown and checked.
    Find(Call, Vec<Expect>),
    /// A list with one row, whose id later commands name by this word in braces.
    Pick(String, Call),
    /// Two nodes, one question, the same rows.
    Same(String, Call),
    /// A copy of the node's log, folded anew by another process, gives the same view.
    Audit(String),
}

/// A command line on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The node's name.
    pub node: String,
    /// The arguments after `hub`.
    pub args: Vec<String>,
}

impl Call {
    /// The call with words in braces replaced by what was picked.
    #[must_use]
    pub fn with(&self, picked: &BTreeMap<String, String>) -> Self {
        let replace = |arg: &String| {
            let name = arg.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.and_then(|name| picked.get(name)).unwrap_or(arg).clone()
        };
        Self { node: self.node.clone(), args: self.args.iter().map(replace).collect() }
    }

    /// As people would type it.
    pub fn line(&self) -> String {
        self.args.join(" ")
    }
}

/// What an answer must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// A row, its numerator (or count) and its denominator.
    Row {
        /// The name in the row.
        name: String,
        /// Numerator, or the count.
        numerator: i64,
        /// Denominator; none for plain counts.
        denominator: Option<i64>,
    },
    /// A row, and how many persons and firms in it await agreement between levels.
    Awaiting {
        /// The name in the row.
        name: String,
        /// How many.
        count: i64,
    },
    /// Words in the text.
    Words(String),
}

/// The steps of a story; `name` is for messages.
pub fn parse(name: &str, text: &str) -> Result<Vec<Step>, DemoError> {
    let mut steps = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let fault = |expected: &str| {
            DemoError::scenario(format!("{name}:{}", at + 1), expected, format!("{line:?}"))
        };
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (word, rest) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        let rest = rest.trim();
        match word {
            "title" => steps.push(Step::Title(rest.to_owned())),
            "source" => steps.push(Step::Source(rest.to_owned())),
            "note" => steps.push(Step::Note(rest.to_owned())),
            "load" => {
                let node = Some(rest.to_owned()).filter(|name| !name.is_empty());
                steps.push(Step::Load(node));
            }
            "sync" => steps.push(Step::Sync { below: rest == "both" }),
            "audit" => steps.push(Step::Audit(rest.to_owned())),
            "at" => steps.push(Step::At(call(rest).ok_or_else(|| fault("at NODE: ARGS"))?)),
            "ask" => {
                let call = call(rest).ok_or_else(|| fault("ask NODE: ARGS"))?;
                steps.push(Step::Ask(call, Vec::new()));
            }
            "find" => {
                let call = call(rest).ok_or_else(|| fault("find NODE: ARGS"))?;
                steps.push(Step::Find(call, Vec::new()));
            }
            "same" => {
                let (first, second) = rest.split_once('|').ok_or_else(|| fault("two nodes"))?;
                let call = call(second.trim()).ok_or_else(|| fault("same A | B: ARGS"))?;
                steps.push(Step::Same(first.trim().to_owned(), call));
            }
            "pick" => {
                let picked = rest.split_once(' ');
                let (name, rest) = picked.ok_or_else(|| fault("pick NAME NODE: ARGS"))?;
                let call = call(rest).ok_or_else(|| fault("pick NAME NODE: ARGS"))?;
                steps.push(Step::Pick(name.to_owned(), call));
            }
            "=" | "~" | "?" => {
                let expect = match word {
                    "=" => row(rest).ok_or_else(|| fault("= ROW NUMBER[/NUMBER]"))?,
                    "?" => awaiting(rest).ok_or_else(|| fault("? ROW NUMBER"))?,
                    _ => Expect::Words(rest.to_owned()),
                };
                match steps.last_mut() {
                    Some(Step::Ask(_, expects) | Step::Find(_, expects)) => expects.push(expect),
                    _ => return Err(fault("an expectation after a question")),
                }
            }
            _ => {
                return Err(fault(
                    "title, source, note, load, sync, at, ask, find, pick, same, audit, =, ? or ~",
                ));
            }
        }
    }
    Ok(steps)
}

fn call(text: &str) -> Option<Call> {
    let (node, args) = text.split_once(':')?;
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let node = node.trim();
    (!node.is_empty() && !args.is_empty()).then(|| Call { node: node.to_owned(), args })
}

fn awaiting(text: &str) -> Option<Expect> {
    let (name, count) = text.rsplit_once(' ')?;
    Some(Expect::Awaiting { name: name.trim().to_owned(), count: count.parse().ok()? })
}

fn row(text: &str) -> Option<Expect> {
    let (name, figure) = text.rsplit_once(' ')?;
    let (numerator, denominator) = match figure.split_once('/') {
        Some((numerator, denominator)) => (numerator, Some(denominator.parse().ok()?)),
        None => (figure, None),
    };
    let name = name.trim().to_owned();
    Some(Expect::Row { name, numerator: numerator.parse().ok()?, denominator })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_read_as_documented() {
        let text = "title 女职工\n\n# remark\nload\nask 省: query coverage --unit 市\n  = 合计 3/4\n  ~ 待\n";
        let steps = parse("x", text).unwrap();
        assert_eq!(steps.len(), 3);
        let Step::Ask(call, expects) = &steps[2] else { panic!("{steps:?}") };
        assert_eq!(call.line(), "query coverage --unit 市");
        assert_eq!(
            expects[0],
            Expect::Row { name: "合计".into(), numerator: 3, denominator: Some(4) }
        );
        assert_eq!(expects[1], Expect::Words("待".into()));
    }

    #[test]
    fn what_was_picked_stands_for_its_word() {
        let steps = parse("x", "pick 甲 市: cases list\nat 市: cases show {甲} {乙}").unwrap();
        let (Step::Pick(name, _), Step::At(call)) = (&steps[0], &steps[1]) else {
            panic!("{steps:?}")
        };
        let picked = BTreeMap::from([(name.clone(), "3f9a".to_owned())]);
        assert_eq!(call.with(&picked).line(), "cases show 3f9a {乙}");
    }

    #[test]
    fn faults_name_the_line() {
        for (text, line) in [("load\nsing", "x:2"), ("= 合计 3/4", "x:1"), ("ask nobody", "x:1")]
        {
            let error = parse("x", text).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }
}
