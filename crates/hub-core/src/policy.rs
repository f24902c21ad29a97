//! The policy: the parameters a view is folded under, read once from the published text (DESIGN §7).
//!
//! Whatever the text may change stands here as a field and nowhere else. What only a program of another
//! rule set could do stands in the text for readers and is compared: a policy that says otherwise is refused.

use crate::fact::branch::BranchKind;
use crate::fact::member::Evidence;
use crate::hash::{Hash, sha256};
use crate::published::POLICY;
use crate::time::{DAY_MILLIS, Millis};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The rule set this program implements.
pub const RULE_SET: u32 = 1;

/// The parameters of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The hash of its text, by which citations name it.
    pub hash: Hash,
    /// Counted from 1.
    pub version: u32,
    /// A block's clock may be ahead of its receiver's by so much.
    pub clock_ahead_max: Millis,
    /// After a move or a new enrolment the old node may still state for so long.
    pub hand_over: Millis,
    /// So many days before an enrolment expires it is warned of.
    pub enrolment_warning_days: Vec<u32>,
    /// So many days after both starts were known the loser of an `auto` case is doubtful.
    pub auto_case_doubt_days: i32,
    /// Employees from which a unit is due to found a union.
    pub founding_due_employees: u32,
    /// So many days after a deadline a report is still on time.
    pub on_time_grace_days: i32,
    /// What makes takeovers a mass takeover (M7).
    pub mass_takeover: MassTakeover,
    /// Years for which a committee may be elected.
    pub term_years: Vec<u8>,
    /// Rank by kind of union, lower is stronger.
    ranks: BTreeMap<BranchKind, u8>,
    /// Weakest first.
    evidence: Vec<Evidence>,
}

/// What makes takeovers by one union in one calendar month a finding (M7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MassTakeover {
    /// More persons than this.
    pub holders_min: u32,
    /// And more than the declared employees of the union's host.
    pub or_declared_employees_of_host: bool,
    /// In each of these.
    per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Per {
    #[default]
    CalendarMonth,
}

/// The text as it is published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    rule_set: u32,
    clock_ahead_minutes_max: u32,
    hand_over_days: u32,
    enrolment_warning_days: Vec<u32>,
    auto_case_doubt_days: u16,
    founding_due_employees: u32,
    on_time_grace_days: u16,
    mass_takeover: MassTakeover,
    evidence_weakest_first: Vec<Evidence>,
    union_kind_rank: BTreeMap<BranchKind, u8>,
    not_grassroots: Vec<BranchKind>,
    term_years: Vec<u8>,
    holder_order: Vec<String>,
    existing_without_joining_day: String,
    figure_order: Vec<String>,
    declared_rate_tolerance: String,
}

/// A policy this program cannot fold under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Which field.
    pub field: &'static str,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy: {}: expected {}, found {}", self.field, self.expected, self.found)
    }
}

impl std::error::Error for PolicyError {}

fn require<T: PartialEq + fmt::Debug>(
    field: &'static str,
    expected: &T,
    found: &T,
) -> Result<(), PolicyError> {
    if expected == found {
        return Ok(());
    }
    Err(PolicyError { field, expected: format!("{expected:?}"), found: format!("{found:?}") })
}

impl Policy {
    /// The policy of this program.
    pub fn standard() -> Arc<Self> {
        static STANDARD: OnceLock<Arc<Policy>> = OnceLock::new();
        // the text is part of the program, and a test reads it
        STANDARD.get_or_init(|| Arc::new(Self::parse(POLICY).unwrap_or_default())).clone()
    }

    /// Reads a published text.
    ///
    /// # Errors
    /// The text is none, leaves something out, or asks for rules that this program does not implement.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let read: Text = serde_json::from_str(text).map_err(|error| PolicyError {
            field: "text",
            expected: "every parameter, and no other".into(),
            found: error.to_string(),
        })?;
        read.check()?;
        let days = |days: u32| Millis::from(days) * DAY_MILLIS;
        Ok(Self {
            hash: sha256(&[text.as_bytes()]),
            version: read.version,
            clock_ahead_max: Millis::from(read.clock_ahead_minutes_max) * 60_000,
            hand_over: days(read.hand_over_days),
            enrolment_warning_days: read.enrolment_warning_days,
            auto_case_doubt_days: i32::from(read.auto_case_doubt_days),
            founding_due_employees: read.founding_due_employees,
            on_time_grace_days: i32::from(read.on_time_grace_days),
            mass_takeover: read.mass_takeover,
            term_years: read.term_years,
            ranks: read.union_kind_rank,
            evidence: read.evidence_weakest_first,
        })
    }

    /// The rank of a kind of union among claims to one person, lower is stronger (K2).
    pub fn rank(&self, kind: BranchKind) -> u8 {
        self.ranks.get(&kind).copied().unwrap_or(u8::MAX)
    }

    /// How strong evidence is, greater is stronger (K1).
    pub fn strength(&self, evidence: Evidence) -> u8 {
        let place = self.evidence.iter().position(|known| *known == evidence);
        place.map_or(0, |place| place as u8)
    }
}

impl Text {
    /// What rule set 1 fixes.
    fn check(&self) -> Result<(), PolicyError> {
        require("rule_set", &RULE_SET, &self.rule_set)?;
        let order = [
            "ruled winner",
            "not retained",
            "union kind rank",
            "not self-declared",
            "later start",
            "stronger evidence",
            "earlier HLC",
            "fact id",
        ];
        require("holder_order", &order.map(String::from).to_vec(), &self.holder_order)?;
        let existing = String::from("ranks earliest and never takes over");
        let field = "existing_without_joining_day";
        require(field, &existing, &self.existing_without_joining_day)?;
        let figures = ["approved before filed", "revision", "HLC"].map(String::from).to_vec();
        require("figure_order", &figures, &self.figure_order)?;
        let tolerance = String::from("last digit, by rounding or truncation");
        require("declared_rate_tolerance", &tolerance, &self.declared_rate_tolerance)?;
        let kinds = BranchKind::ALL.to_vec();
        let federations: Vec<BranchKind> =
            kinds.iter().copied().filter(|kind| !kind.is_grassroots()).collect();
        require("not_grassroots", &federations, &self.not_grassroots)?;
        let mut ranked: Vec<BranchKind> = self.union_kind_rank.keys().copied().collect();
        ranked.sort_unstable();
        require("union_kind_rank", &kinds, &ranked)?;
        let mut evidence = self.evidence_weakest_first.clone();
        evidence.sort_unstable();
        require("evidence_weakest_first", &Evidence::ALL.to_vec(), &evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_text_is_the_policy_of_this_program() {
        let policy = Policy::parse(POLICY).unwrap();
        assert_eq!(*Policy::standard(), policy);
        assert_eq!(policy.hash, crate::published::policy_hash());
        assert_eq!(policy.rank(BranchKind::Own), policy.rank(BranchKind::Joint));
        assert!(policy.rank(BranchKind::Own) < policy.rank(BranchKind::Regional));
        assert!(policy.rank(BranchKind::Industrial) < policy.rank(BranchKind::Flexible));
        let strengths = Evidence::ALL.map(|evidence| policy.strength(evidence));
        assert!(strengths.is_sorted() && strengths[0] < strengths[3]);
    }

    #[test]
    fn another_rule_set_is_refused() {
        let refused = |from: &str, to: &str| {
            assert!(POLICY.contains(from), "{from}");
            Policy::parse(&POLICY.replace(from, to)).unwrap_err().field
        };
        assert_eq!(refused("\"rule_set\": 1", "\"rule_set\": 2"), "rule_set");
        assert_eq!(refused("\"later start\", ", ""), "holder_order");
        assert_eq!(refused("\"own\": 0, ", ""), "union_kind_rank");
        assert_eq!(refused("\"roster\", ", ""), "evidence_weakest_first");
        assert_eq!(refused("\"federation\", \"sub", "\"sub"), "not_grassroots");
        assert_eq!(refused("\"hand_over_days\": 30", "\"hand_over_weeks\": 4"), "text");
    }
}
