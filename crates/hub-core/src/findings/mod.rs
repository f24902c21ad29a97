//! Findings (疑点): what somebody should look at, in numbers. Nothing here changes a count; words are the
//! caller's.
//!
//! `report` checks declared figures, one report at a time and against the one before; `registry` checks what the
//! books say of units and unions on a day; `closed` what came after a closing and is dated before it.

mod closed;
mod registry;
mod report;

use crate::catalog::{Family, MixedUnits};
use crate::fact::figure::{DeclaredRate, ElementValue};
use crate::id::{BranchId, FactId, UnitId};
use crate::rate::Fit;
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The unit it is about.
    pub unit: UnitId,
    /// What it is.
    pub kind: Kind,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRef {
    /// The fact.
    pub fact: FactId,
    /// The form.
    pub form: u32,
    /// The period.
    pub period: String,
}

/// An element with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The element.
    pub element: u32,
    /// Its value.
    pub value: i64,
}

/// A declared rate as its writer put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The report it stands in.
    pub report: ReportRef,
    /// What it is called; may be blank.
    pub name: String,
    /// The text, e.g. `92%`.
    pub text: String,
}

/// A part of a whole that is not filled but follows from a declared rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Implied {
    /// The element.
    pub element: u32,
    /// The numerator of the rate.
    pub numerator: i64,
    /// The rate.
    pub text: String,
    /// The least value by rounding.
    pub low: i64,
    /// The greatest.
    pub high: i64,
}

/// What a finding is, with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A declared rate and its numbers go together (a note; S4).
    RateFollows {
        /// The rate.
        declared: Declared,
        /// Over the line.
        numerator: Filled,
        /// Under it.
        denominator: Filled,
        /// How they fit.
        fit: Fit,
    },
    /// A declared rate does not follow from its numbers (S4, X1).
    RateDiffers {
        /// The rate.
        declared: Declared,
        /// Over the line.
        numerator: Filled,
        /// Under it.
        denominator: Filled,
        /// The numerators that would make it out of this denominator.
        needed: Option<(i64, i64)>,
    },
    /// A rate without the numbers it is made of (K9, X11).
    RateWithoutNumbers {
        /// The rate.
        declared: Declared,
    },
    /// A text that states no rate.
    RateUnreadable {
        /// The rate.
        declared: Declared,
    },
    /// A rate called by the name of another: applications called foundings (X2, K8).
    RateMisnamed {
        /// The rate.
        declared: Declared,
        /// Over the line.
        numerator: Filled,
        /// Under it.
        denominator: Filled,
        /// The catalogue's rate of that name.
        called: String,
        /// The rate those elements make, if any.
        is: Option<String>,
        /// What the named rate is by the numbers of the same report, for each base.
        rightly: Vec<(i64, i64)>,
    },
    /// One number for several rates (X16).
    RateOfSeveral {
        /// The rate.
        declared: Declared,
        /// The catalogue's rates it names.
        rates: Vec<String>,
    },
    /// A rate of things counted in different units of measure (K19, X10).
    UnitsMixed {
        /// The rate.
        declared: Declared,
        /// Which.
        mixed: MixedUnits,
    },
    /// A part is more than its whole (K12).
    PartOverWhole {
        /// The report.
        report: ReportRef,
        /// The check.
        rule: String,
        /// What kind of mistake.
        family: Family,
        /// The part.
        part: Filled,
        /// The whole.
        whole: Filled,
    },
    /// Parts do not sum to their whole (X10).
    PartsDiffer {
        /// The report.
        report: ReportRef,
        /// The check.
        rule: String,
        /// The whole.
        whole: Filled,
        /// Parts that are filled.
        filled: Vec<Filled>,
        /// Parts that follow from a rate.
        implied: Vec<Implied>,
        /// The least sum of the parts.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A value far from the one of the period before (K12).
    Jump {
        /// The report.
        report: ReportRef,
        /// The value.
        now: Filled,
        /// The value before.
        before: i64,
        /// The period before.
        period_before: String,
    },
    /// Two units filed the very same figures (K22): only a warning.
    Identical {
        /// The report.
        report: ReportRef,
        /// The other unit.
        other: UnitId,
    },
    /// An element the form does not have.
    ElementUnknown {
        /// The report.
        report: ReportRef,
        /// The element.
        filled: Filled,
    },
    /// A residual figure lists a unit with a figure of its own, or one that another residual figure lists (S2).
    ResidualOverlap {
        /// The figure left out of totals.
        left_out: ReportRef,
        /// The unit that filed the one in totals.
        counted_of: UnitId,
    },
    /// More members than employees (基数不足).
    MembersOverHeadcount {
        /// Active members.
        members: i64,
        /// Employees of the latest headcount.
        employees: i64,
    },
    /// A covered unit without members (空壳, F2).
    EmptyUnit,
    /// A committee's term has run out (F6, X9).
    ElectionOverdue {
        /// The union.
        branch: BranchId,
        /// The first day after the term.
        until: Day,
        /// Days since.
        days: i32,
    },
    /// One union took more persons over in a month than its host could employ, from outside (M7).
    MassTakeover {
        /// The union.
        branch: BranchId,
        /// Year and month.
        month: (i32, u32),
        /// How many persons.
        persons: u64,
        /// How many it may be.
        most: u64,
        /// The unions that held them.
        from: Vec<BranchId>,
    },
    /// After several units followed or were followed, units and members that nobody has placed yet (U4, K14).
    LeftBySuccession {
        /// The units that ended.
        old: Vec<UnitId>,
        /// From this day others follow.
        day: Day,
        /// Units in 本级 of where they stand.
        units: u64,
        /// Members unplaced there.
        members: i64,
    },
    /// Facts that came after the unit's last closing and are dated before its end (S5, K11).
    AfterClosing {
        /// The period.
        period: String,
        /// Their kind, as the catalogue of facts names it.
        what: &'static str,
        /// How many.
        count: u64,
        /// The earliest day any states.
        earliest: Day,
        /// One of them.
        first: FactId,
    },
    /// An occurrence dated after the day it was written on (X8, K20).
    Premature {
        /// The fact.
        fact: FactId,
        /// Its kind, as the catalogue of facts names it.
        what: &'static str,
        /// The day it states.
        day: Day,
        /// The day it was written on.
        written: Day,
    },
    /// The same among members' facts, which are not listed one by one.
    PrematureMembers {
        /// How many.
        count: u64,
    },
}

impl Kind {
    /// A stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RateFollows { .. } => "rate-follows",
            Self::RateDiffers { .. } => "rate-differs",
            Self::RateWithoutNumbers { .. } => "rate-without-numbers",
            Self::RateUnreadable { .. } => "rate-unreadable",
            Self::RateMisnamed { .. } => "rate-misnamed",
            Self::RateOfSeveral { .. } => "rate-of-several",
            Self::UnitsMixed { .. } => "units-mixed",
            Self::PartOverWhole { family, .. } => match family {
                Family::Part => "part-over-whole",
                Family::Women => "women-over-total",
                Family::Members => "declared-members-over-employees",
                Family::Units => "unions-over-units",
            },
            Self::PartsDiffer { .. } => "parts-differ",
            Self::Jump { .. } => "jump",
            Self::Identical { .. } => "identical-reports",
            Self::ElementUnknown { .. } => "element-unknown",
            Self::ResidualOverlap { .. } => "residual-overlap",
            Self::MembersOverHeadcount { .. } => "members-over-headcount",
            Self::EmptyUnit => "empty-unit",
            Self::ElectionOverdue { .. } => "election-overdue",
            Self::MassTakeover { .. } => "mass-takeover",
            Self::LeftBySuccession { .. } => "left-by-succession",
            Self::AfterClosing { .. } => "after-closing",
            Self::Premature { .. } | Self::PrematureMembers { .. } => "future-dated",
        }
    }

    /// The elements it speaks of, the one to look at first leading.
    pub fn elements(&self) -> Vec<u32> {
        match self {
            Self::PartOverWhole { part, whole, .. } => vec![part.element, whole.element],
            Self::PartsDiffer { whole, filled, .. } => {
                let filled = filled.iter().map(|part| part.element);
                [whole.element].into_iter().chain(filled).collect()
            }
            Self::Jump { now, .. } => vec![now.element],
            Self::ElementUnknown { filled, .. } => vec![filled.element],
            _ => Vec::new(),
        }
    }

    /// The text of the declared rate it speaks of.
    pub fn rate(&self) -> Option<&str> {
        match self {
            Self::RateFollows { declared, .. }
            | Self::RateDiffers { declared, .. }
            | Self::RateWithoutNumbers { declared }
            | Self::RateUnreadable { declared }
            | Self::RateMisnamed { declared, .. }
            | Self::RateOfSeveral { declared, .. }
            | Self::UnitsMixed { declared, .. } => Some(&declared.text),
            _ => None,
        }
    }

    /// Whether it is only worth knowing: it makes no exit code and no list but the full one.
    pub fn is_note(&self) -> bool {
        matches!(self, Self::RateFollows { .. } | Self::Identical { .. })
    }
}

/// What can be said of a report before it is filed: its elements, its rates and its logic checks.
pub fn of_values(
    unit: UnitId,
    (form, period): (u32, &str),
    values: &[ElementValue],
    rates: &[DeclaredRate],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    report::check_values(unit, (form, period), values, rates, &mut findings);
    findings
}

/// All findings of a unit's subtree as of the roll-up's day, in order of unit id and name of kind. Declared
/// figures are those of the newest period that has ended by the day, and of later ones; what came after a
/// closing is told of the unit's own last one.
pub fn of(
    view: &mut View,
    rollup: &Rollup,
    unit: UnitIx,
    source: &dyn BlockSource,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let inside = |at: UnitIx| rollup.is_at_or_above(unit, at);
    report::check(view, rollup.day, &inside, &mut findings);
    registry::check(view, rollup, unit, &inside, &mut findings);
    closed::check(view, unit, source, &mut findings);
    findings
        .sort_by(|one, other| (one.unit, one.kind.name()).cmp(&(other.unit, other.kind.name())));
    findings
}
