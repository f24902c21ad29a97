//! The view digest: a hash tree over canonical rows (DESIGN §6).
//!
//! Rows are in order of id and name units and unions by id, so two replicas with the same blocks have the
//! same digest whatever order the blocks came in. 4,096 buckets by the first 12 bits of the id make
//! differences easy to find.

use super::cell::CellChange;
use super::decision::Ruling;
use super::renewal::MemberChanges;
use super::tree::{Unit, UnitIx};
use super::{Counted, Doubt, View};
use crate::fact::Code;
use crate::hash::{Hash, sha256};
use crate::id::{BranchId, UnitId};
use crate::time::Day;
use std::collections::{BTreeMap, BTreeSet};

const BUCKETS: usize = 4_096;

/// A row under way.
#[derive(Default)]
struct Row(Vec<u8>);

impl Row {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn day(&mut self, day: Day) -> &mut Self {
        self.number(i64::from(day.0))
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn codes(&mut self, codes: &[Code]) -> &mut Self {
        self.number(codes.len() as i64);
        for code in codes {
            self.number(code.kind as i64).text(&code.value);
        }
        self
    }
}

fn bucket_of(id: &[u8; 16]) -> usize {
    usize::from(id[0]) << 4 | usize::from(id[1]) >> 4
}

/// The hash of a bucket's rows, in order of id.
fn leaf(rows: &[u8]) -> Hash {
    sha256(&[&[0], rows])
}

/// The hash of each bucket.
fn leaves(rows: impl Iterator<Item = ([u8; 16], Row)>) -> Vec<Hash> {
    let mut buckets: Vec<Vec<u8>> = vec![Vec::new(); BUCKETS];
    for (id, row) in rows {
        buckets[bucket_of(&id)].extend_from_slice(&sha256(&[&id, &row.0]).0);
    }
    // most buckets of a small view are empty, and alike
    let empty = leaf(&[]);
    buckets.iter().map(|rows| if rows.is_empty() { empty } else { leaf(rows) }).collect()
}

fn top(label: &str, leaves: &[Hash]) -> Hash {
    let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
    sha256(&[label.as_bytes(), &bytes])
}

fn tree_hash(label: &str, rows: impl Iterator<Item = ([u8; 16], Row)>) -> Hash {
    top(label, &leaves(rows))
}

/// The parts of a digest, kept so that a few changed unions do not cost all rows.
#[derive(Debug, Clone)]
pub(crate) struct DigestParts {
    units: Hash,
    /// The hash of each bucket of unions.
    unions: Vec<Hash>,
    rulings: Hash,
    conflicts: Hash,
    doubts: Hash,
    figures: Hash,
}

impl View {
    /// The digest of units, unions by day, rulings, conflicts, doubts and figures.
    pub fn digest(&self) -> Hash {
        self.digest_of(&self.digest_parts())
    }

    /// The digest these parts make.
    pub(crate) fn digest_of(&self, parts: &DigestParts) -> Hash {
        let DigestParts { units, unions, rulings, conflicts, doubts, figures } = parts;
        let unions = top("hub unions 0", unions);
        let parts = [*units, unions, *rulings, *conflicts, *doubts, *figures].map(|hash| hash.0);
        sha256(&[b"hub view 0", &self.federation.0, &parts.concat()])
    }

    /// The parts of the digest.
    pub(crate) fn digest_parts(&self) -> DigestParts {
        // a unit or union only named says nothing, and whether it was ever named depends on arrival
        let units = self.tree.ids().map(|(id, at)| (id.0, self.unit_row(at)));
        let units = tree_hash("hub units 0", units.filter(|(_, row)| !row.0.is_empty()));
        let unions = self.branches.ids().map(|(id, at)| (id.0, self.union_row(at)));
        let unions = leaves(unions.filter(|(_, row)| !row.0.is_empty()));
        let rulings = tree_hash("hub rulings 0", self.ruling_rows().into_iter());
        let figures = tree_hash("hub figures 0", self.figure_rows().into_iter());
        let (conflicts, doubts) = (self.conflicts_hash(), self.doubts_hash());
        DigestParts { units, unions, rulings, conflicts, doubts, figures }
    }

    /// Brings parts up to date after member facts alone.
    pub(crate) fn renew_digest_parts(&self, parts: &mut DigestParts, changes: &MemberChanges) {
        let union_of = |change: &CellChange| self.cells.all()[change.cell as usize].branch;
        let changed: BTreeSet<u32> = changes.cells.iter().map(union_of).collect();
        let bucket = |union: u32| bucket_of(&self.branches.branch(union).id.0);
        for bucket in changed.into_iter().map(bucket).collect::<BTreeSet<usize>>() {
            let mut rows = Vec::new();
            for (id, at) in self.branches.ids_beginning(bucket as u16) {
                let row = self.union_row(at);
                if !row.0.is_empty() {
                    rows.extend_from_slice(&sha256(&[&id.0, &row.0]).0);
                }
            }
            parts.unions[bucket] = leaf(&rows);
        }
        if changes.extras {
            (parts.conflicts, parts.doubts) = (self.conflicts_hash(), self.doubts_hash());
        }
    }

    fn conflicts_hash(&self) -> Hash {
        let conflicts = self.members.conflicts().into_iter().map(|(member, conflict)| {
            let mut row = Row::default();
            row.text(&format!("{conflict:?}"));
            (member.0, row)
        });
        tree_hash("hub conflicts 0", conflicts)
    }

    fn doubts_hash(&self) -> Hash {
        let doubts = self.members.doubts();
        let doubts = doubts.map(|(member, doubt)| (member.0, self.doubt_row(doubt).0));
        let doubts: BTreeSet<([u8; 16], Vec<u8>)> = doubts.collect();
        tree_hash("hub doubts 0", doubts.into_iter().map(|(member, row)| (member, Row(row))))
    }

    /// The digest of every person's shares; computed by audit, tests and closings.
    pub fn member_digest(&self) -> Hash {
        let rows = self.members.rows(|cell| {
            let cell = &self.cells.all()[cell as usize];
            (self.branches.branch(cell.branch).id, cell.employer.map(|at| self.unit_id(at)))
        });
        let rows = rows.into_iter().map(|(key, bytes)| (key.0, Row(bytes)));
        tree_hash("hub members 0", rows)
    }

    fn counted_row(&self, counted: &Counted) -> Row {
        let cell = &self.cells.all()[counted.cell as usize];
        let mut row = Row::default();
        row.bytes(&self.branches.branch(cell.branch).id.0).number(i64::from(counted.class.byte()));
        row.bytes(&cell.employer.map_or(UnitId::NIL, |at| self.unit_id(at)).0);
        row
    }

    fn doubt_row(&self, doubt: &Doubt) -> Row {
        let mut row = Row::default();
        row.day(doubt.from).day(doubt.to);
        row.bytes(&doubt.counted.map_or(Vec::new(), |counted| self.counted_row(&counted).0));
        let others = doubt.others.iter().map(|other| self.counted_row(other).0);
        let mut others: Vec<Vec<u8>> = others.collect();
        others.sort_unstable();
        others.iter().for_each(|other| {
            row.bytes(other);
        });
        row
    }

    /// Rulings in force over registrations and unions; what those over claims do, conflicts and cells tell.
    fn ruling_rows(&self) -> BTreeMap<[u8; 16], Row> {
        let row = |ruling: &Ruling| {
            let (mut id, mut row) = ([0; 16], Row::default());
            id.copy_from_slice(&sha256(&[&ruling.id.to_bytes()]).0[..16]);
            row.bytes(&ruling.id.to_bytes()).day(ruling.from);
            (id, row)
        };
        self.decisions.in_force().map(row).collect()
    }

    fn unit_id(&self, at: UnitIx) -> UnitId {
        self.tree.unit(self.tree.canonical(at)).id
    }

    fn unit_row(&self, at: UnitIx) -> Row {
        let unit: &Unit = self.tree.unit(at);
        let mut row = Row::default();
        let Some(origin) = &unit.origin else { return row };
        row.number(origin.kind as i64).number(origin.level as i64).day(origin.day);
        row.text(&origin.profile.name).codes(&origin.profile.codes);
        for registration in &unit.registrations {
            let parent = registration.parent.map_or(UnitId::NIL, |at| self.unit_id(at));
            row.bytes(&parent.0).bytes(&registration.id.to_bytes());
        }
        for moved in &unit.moves {
            let parent = moved.parent.map_or(UnitId::NIL, |at| self.unit_id(at));
            row.day(moved.stamp.day).bytes(&moved.stamp.id.to_bytes()).bytes(&parent.0);
            row.number(i64::from(moved.registrations));
        }
        for (moved, from) in &unit.unmoved {
            row.bytes(&moved.to_bytes()).number(from.0 as i64);
        }
        for change in &unit.changes {
            row.day(change.stamp.day).bytes(&change.stamp.id.to_bytes());
            row.number(i64::from(change.under.0));
        }
        for closing in &unit.closings {
            row.day(closing.stamp.day).bytes(&closing.stamp.id.to_bytes());
            row.number(i64::from(closing.under.0));
        }
        if let Some(succession) = self.tree.succession_of(at) {
            row.day(succession.stamp.day).bytes(&succession.stamp.id.to_bytes());
            let mut units: Vec<UnitId> =
                succession.old.iter().chain(&succession.new).map(|at| self.unit_id(*at)).collect();
            units.sort_unstable();
            units.iter().for_each(|unit| {
                row.bytes(&unit.0);
            });
        }
        row
    }

    fn branch_row(&self, at: u32) -> Row {
        let branch = self.branches.branch(at);
        let mut row = Row::default();
        let Some(profile) = &branch.profile else { return row };
        row.number(profile.kind as i64).text(&profile.name).codes(&profile.codes);
        for (stamp, host) in &branch.hosts {
            row.bytes(&stamp.id.to_bytes()).bytes(&self.unit_id(*host).0);
        }
        for (day, to) in &branch.applied {
            row.day(*day).bytes(&self.unit_id(*to).0);
        }
        for day in &branch.refused {
            row.day(*day);
        }
        for approval in &branch.approvals {
            row.bytes(&approval.stamp.id.to_bytes()).bytes(&self.unit_id(approval.by).0);
        }
        row.day(branch.counts_from().unwrap_or(Day::OPEN)).day(branch.ends(&self.tree));
        for (unit, from, to) in &branch.covers {
            row.bytes(&self.unit_id(*unit).0).day(*from).day(*to);
        }
        for (day, until) in &branch.elections {
            row.day(*day).day(*until);
        }
        for (day, form) in &branch.women {
            row.day(*day).number(*form as i64);
        }
        let into = branch.merged.map_or(BranchId::NIL, |(_, into)| self.branches.branch(into).id);
        row.bytes(&into.0);
        row
    }

    fn union_row(&self, at: u32) -> Row {
        let mut row = self.branch_row(at);
        self.cells_row(at, &mut row);
        row
    }

    /// Members of a union by employer, day and class.
    fn cells_row(&self, at: u32, row: &mut Row) {
        // cells of one employer under two codes, one an alias of the other, are one
        let mut sums: BTreeMap<UnitId, BTreeMap<(Day, u8), i64>> = BTreeMap::new();
        for cell in self.cells.of_union(at) {
            let employer = cell.employer.map_or(UnitId::NIL, |at| self.unit_id(at));
            let changes = sums.entry(employer).or_default();
            for (day, class, count) in cell.changes() {
                *changes.entry((day, class.byte())).or_default() += i64::from(count);
            }
        }
        for (employer, mut changes) in sums {
            changes.retain(|_, count| *count != 0);
            if changes.is_empty() {
                continue;
            }
            row.bytes(&employer.0).number(changes.len() as i64);
            for ((day, class), count) in changes {
                row.day(day).number(i64::from(class)).number(count);
            }
        }
    }

    /// Every report with what became of it: which of a series stands follows from these.
    fn figure_rows(&self) -> Vec<([u8; 16], Row)> {
        let mut rows = Vec::new();
        for (series, reports) in self.figures.all() {
            for report in reports {
                let mut row = Row::default();
                row.number(i64::from(series.form))
                    .text(&series.period)
                    .bytes(&report.id.to_bytes());
                row.number(i64::from(series.residual)).number(i64::from(report.revision));
                row.number(report.values.len() as i64);
                for value in &report.values {
                    row.number(i64::from(value.element)).number(value.value);
                }
                row.number(report.rates.len() as i64);
                for rate in &report.rates {
                    row.number(i64::from(rate.numerator)).number(i64::from(rate.denominator));
                    row.text(&rate.text).text(&rate.name);
                }
                row.number(report.residual_of.len() as i64);
                for unit in &report.residual_of {
                    row.bytes(&self.unit_id(*unit).0);
                }
                row.number(report.returned.len() as i64);
                for id in report.returned.keys().chain(report.approved.keys()) {
                    row.bytes(&id.to_bytes());
                }
                rows.push((self.unit_id(series.unit).0, row.0));
            }
        }
        rows.sort_unstable();
        rows.into_iter().map(|(id, bytes)| (id, Row(bytes))).collect()
    }
}
