//! Cases: every conflict of a view as data (DESIGN §7): who stands against whom, what decided, since when,
//! and what a decision could change.
//!
//! A case is an answer made from the view, never an input of its fold; its id is a label.

mod decided;
mod figures;
mod organisation;
mod persons;

use crate::fact::governance::Side;
use crate::fact::member::Evidence;
use crate::hash::{Hash, sha256};
use crate::id::{FactId, MemberKey};
use crate::rollup::Rollup;
use crate::time::{Day, Hlc};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::BTreeSet;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $value:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$of])* $value,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// Its name for scripts.
            pub fn id(self) -> &'static str {
                match self { $(Self::$value => $id,)* }
            }
        }
    };
}

named! {
    /// What kind of conflict a case is.
    CaseKind {
        /// M1: a claim took over another that it neither named nor found retained.
        DualMembership = "dual-membership",
        /// M2: two open claims of which neither ended the other.
        DisputedMembership = "disputed-membership",
        /// An end or a retention without an open claim.
        OrphanEnd = "orphan-end",
        /// A death stated by a union that did not hold the person.
        ForeignDeath = "foreign-death",
        /// M3: an objection that has no effect.
        ObjectionWithoutEffect = "objection-without-effect",
        /// F4: two own unions of one employer would count.
        DoubleOwnUnion = "double-own-union",
        /// U1: a unit registered under several parents.
        DisputedUnit = "disputed-unit",
        /// Two unions of one natural key.
        DuplicateBranch = "duplicate-branch",
        /// S2: a residual figure covers a unit that files its own.
        ResidualOverlap = "residual-overlap",
        /// M4: a ruling that is kept and does not act.
        RulingParked = "ruling-parked",
        /// M3: an objection that is kept and does not act.
        ObjectionParked = "objection-parked",
    }
}

named! {
    /// How far a case has come.
    CaseState {
        /// Nothing but a tie or nothing at all has decided it: somebody should.
        Open = "open",
        /// A rule decided it, and nobody has agreed or objected.
        Auto = "auto",
        /// The losing side has confirmed what the rule decided.
        Confirmed = "confirmed",
        /// An objection to it acts.
        Objected = "objected",
        /// A ruling of a common superior decides it.
        Ruled = "ruled",
        /// It is past: no side stands against another any more.
        Settled = "settled",
    }
}

named! {
    /// What decided which side counts.
    Ground {
        /// A ruling by a common superior (M4).
        Ruling = "ruling",
        /// An objection (M3).
        Objection = "objection",
        /// The other side's membership is retained.
        Retained = "retained",
        /// The kind of union: own and joint before regional and industrial before flexible.
        Kind = "kind",
        /// The other side rests on the person's own word alone.
        NotSelfDeclared = "not-self-declared",
        /// The later start (一次入会, 动态接转).
        LaterStart = "later-start",
        /// The stronger evidence.
        Evidence = "evidence",
        /// Nothing but who wrote first: a tie.
        Clock = "clock",
        /// The union that counted earlier (F4).
        EarlierCounting = "earlier-counting",
        /// The union approved earlier (F4).
        EarlierApproval = "earlier-approval",
        /// The registration by whose superior the counting union was approved (U1).
        CountingUnion = "counting-union",
        /// The earlier registration, for want of anything better (U1).
        EarlierRegistration = "earlier-registration",
        /// Nothing decided it.
        Nothing = "nothing",
    }
}

named! {
    /// How a side stands, the one that counts first.
    Standing {
        /// It counts.
        Counts = "counts",
        /// It is counted as disputed.
        Disputed = "disputed",
        /// It does not count.
        Uncounted = "uncounted",
    }
}

/// One side of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSide {
    /// What a ruling would name; none where a ruling cannot name it.
    pub side: Option<Side>,
    /// The unit it stands at: the host of the union, the parent of the registration.
    pub unit: Option<UnitIx>,
    /// The fact that states it.
    pub fact: FactId,
    /// Its effective day.
    pub day: Day,
    /// When it was written.
    pub hlc: Hlc,
    /// What it rests on, for a membership.
    pub evidence: Option<Evidence>,
    /// The document it rests on.
    pub document: Option<String>,
    /// How it stands.
    pub standing: Standing,
}

/// What would count elsewhere if the case were decided the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// Persons.
    pub persons: i64,
    /// Employers.
    pub units: i64,
    /// Unions.
    pub unions: i64,
}

/// A conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The hash of the sorted ids of its facts: a label.
    pub id: Hash,
    /// What it is.
    pub kind: CaseKind,
    /// How far it has come.
    pub state: CaseState,
    /// The person it is about.
    pub member: Option<MemberKey>,
    /// The unit it is about, where not only its sides' units.
    pub subject: Option<UnitIx>,
    /// Its sides; the one that counts first, else in order of day, clock and fact.
    pub sides: Vec<CaseSide>,
    /// The place among the sides of what stood before the others came: the base.
    pub base: Option<usize>,
    /// What decided.
    pub ground: Ground,
    /// The standing ruling or objection that acts, or the one that is parked.
    pub decision: Option<FactId>,
    /// From which day the sides stand against each other.
    pub since: Day,
    /// The clock of the fact that made it a case.
    pub known: Hlc,
    /// What another decision would change.
    pub effect: Effect,
}

impl CaseKind {
    /// The rule that decides such cases, and where it comes from.
    pub fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::DualMembership => ("M1", "DESIGN §7 M1; 会籍办法(2016)第三条; K1"),
            Self::DisputedMembership => ("M2", "DESIGN §7 M2; K1, K2"),
            Self::OrphanEnd => ("M1", "DESIGN §7"),
            Self::ForeignDeath => ("M1", "DESIGN §7"),
            Self::ObjectionWithoutEffect | Self::ObjectionParked => ("M3", "DESIGN §7 M3; K1"),
            Self::DoubleOwnUnion => ("F4", "DESIGN §7 F4; 总工办发〔2020〕20号第七条; K6"),
            Self::DisputedUnit => ("U1", "DESIGN §7 U1; 总工办发〔2020〕20号第七条; K5, K6"),
            Self::DuplicateBranch => ("F4", "DESIGN §3; K6"),
            Self::ResidualOverlap => ("S2", "DESIGN §7 S2; K12"),
            Self::RulingParked => ("M4", "DESIGN §7 M4"),
        }
    }
}

impl Case {
    /// The label of a case of these facts.
    fn label(facts: impl IntoIterator<Item = FactId>) -> Hash {
        let mut facts: Vec<FactId> = facts.into_iter().collect();
        facts.sort_unstable();
        let bytes: Vec<u8> = facts.iter().flat_map(|fact| fact.to_bytes()).collect();
        sha256(&[b"hub case 0", &bytes])
    }

    /// Whether it touches what stands at or below a unit.
    pub fn concerns(&self, unit: UnitIx, rollup: &Rollup) -> bool {
        self.units().any(|at| rollup.is_at_or_above(unit, at))
    }

    /// The units concerned: those the sides stand at, and the one it is about.
    pub fn units(&self) -> impl Iterator<Item = UnitIx> + '_ {
        self.sides.iter().filter_map(|side| side.unit).chain(self.subject)
    }

    /// The lowest unit that is at or above all its sides: who may rule (M4).
    pub fn common_ancestor(&self, rollup: &Rollup) -> Option<UnitIx> {
        let mut units = self.sides.iter().map(|side| side.unit);
        let first = units.next()??;
        let rest: Vec<UnitIx> = units.collect::<Option<_>>()?;
        let mut up = std::iter::successors(Some(first), |at| rollup.parent(*at));
        up.find(|above| rest.iter().all(|unit| rollup.is_at_or_above(*above, *unit)))
    }

    /// Whether a ruling could name its sides.
    pub fn can_be_ruled(&self) -> bool {
        let named = self.sides.iter().filter(|side| side.side.is_some()).count();
        named >= 2 && named == self.sides.len() && !matches!(self.kind, CaseKind::RulingParked)
    }
}

/// All cases of a view on a day, in order of kind, day, clock and id.
pub fn all(view: &mut View, rollup: &Rollup, source: &dyn BlockSource) -> Vec<Case> {
    let decided = decided::Decided::of(view);
    let mut persons: BTreeSet<MemberKey> = view.conflicts().iter().map(|(key, _)| *key).collect();
    persons.extend(decided.persons());
    let spans = view.spans_of(&persons, source);
    let view = &*view;
    let mut cases = persons::cases(view, rollup, source, &decided, &spans);
    cases.extend(organisation::cases(view, rollup, &decided));
    cases.extend(figures::cases(view, rollup));
    cases.extend(decided.parked());
    cases.sort_by_key(|case| (case.kind, case.since, case.known, case.id));
    cases
}
