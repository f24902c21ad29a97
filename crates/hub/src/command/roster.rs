//! The books of the unions this node keeps: what each last said of each of its members.
//!
//! An import compares with the books, not with who holds whom: a person whom another union has taken
//! over stays in the old roster until that union says so, and re-importing it must not fetch them back.

use crate::replica::Replica;
use hub_core::codec::Body;
use hub_core::fact::member::{MemberAct, MemberFact, Profile, Start};
use hub_core::id::{BranchId, FactId, MemberKey};
use hub_core::time::{Day, Hlc};
use hub_core::view::View;
use hub_log::Position;
use std::collections::{HashMap, HashSet};

/// What a union's books last said of a person.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The start that opened the membership.
    pub start: Start,
    /// The fact that stated it.
    pub start_fact: FactId,
    /// Its day.
    pub start_day: Day,
    /// Attributes as last stated.
    pub profile: Profile,
    /// How it stands.
    pub standing: Standing,
}

/// How a membership stands in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Open.
    Open,
    /// Retained since a day.
    Retained(Day),
    /// Ended on a day.
    Ended(Day),
}

/// The books of some unions.
#[derive(Debug, Default)]
pub struct Roster {
    entries: HashMap<(BranchId, MemberKey), Entry>,
}

impl Roster {
    /// Reads the books of these unions from the journal: one pass over member blocks, whatever the size
    /// of the import.
    pub fn read(replica: &Replica, branches: &HashSet<BranchId>) -> Self {
        let mut told: Vec<(Day, Hlc, FactId, MemberFact)> = Vec::new();
        for stored in replica.journal().scan(Position::START) {
            let Ok(stored) = stored else { continue };
            let block = stored.block;
            let Ok(Body::Members(batch)) = block.body() else { continue };
            if !batch.branches.iter().any(|branch| branches.contains(branch)) {
                continue;
            }
            let verdicts = replica.ask(|view: &mut View, _| view.block_verdicts(&block));
            for (index, verdict) in verdicts.iter().enumerate() {
                let row = &batch.rows[index];
                let branch = batch.branches[usize::from(row.branch)];
                if verdict.stands() && branches.contains(&branch) {
                    let id = block.fact_id(index as u32);
                    told.push((row.day, row.hlc, id, batch.member_fact(index)));
                }
            }
        }
        told.sort_unstable_by_key(|(day, hlc, id, _)| (*day, *hlc, *id));
        let mut roster = Self::default();
        for (day, hlc, id, fact) in told {
            roster.tell((day, hlc, id), &fact);
        }
        roster
    }

    /// What the books say of a person.
    pub fn entry(&self, branch: &BranchId, member: &MemberKey) -> Option<&Entry> {
        self.entries.get(&(*branch, *member))
    }

    /// All entries of a union that stand open or retained, in order of person.
    pub fn standing(&self, branch: &BranchId) -> Vec<(MemberKey, &Entry)> {
        let of_branch = self.entries.iter().filter(|((of, _), entry)| {
            of == branch && !matches!(entry.standing, Standing::Ended(_))
        });
        let mut standing: Vec<_> = of_branch.map(|((_, member), entry)| (*member, entry)).collect();
        standing.sort_unstable_by_key(|(member, _)| *member);
        standing
    }

    /// Takes in one more standing fact; facts come in order of day, clock, id.
    pub fn tell(&mut self, order: (Day, Hlc, FactId), fact: &MemberFact) {
        let place = (fact.branch, fact.member);
        if let Some(start) = fact.start() {
            match self.entries.get_mut(&place) {
                // A start while the membership is open says nothing (it ends a retention).
                Some(entry) if !matches!(entry.standing, Standing::Ended(_)) => {
                    entry.standing = Standing::Open;
                }
                _ => {
                    let entry = Entry {
                        start: *start,
                        start_fact: order.2,
                        start_day: order.0,
                        profile: start.profile,
                        standing: Standing::Open,
                    };
                    self.entries.insert(place, entry);
                }
            }
            return;
        }
        if let MemberAct::Rekeyed { to, qualified } = fact.act {
            if let Some(mut entry) = self.entries.remove(&place) {
                entry.start.qualified = qualified;
                self.entries.insert((fact.branch, to), entry);
            }
            return;
        }
        let Some(entry) = self.entries.get_mut(&place) else { return };
        match fact.act {
            MemberAct::TransferredOut { .. } | MemberAct::Left { .. } => {
                entry.standing = Standing::Ended(order.0);
            }
            MemberAct::Retained { .. } => entry.standing = Standing::Retained(order.0),
            MemberAct::Revised { profile } => entry.profile = entry.profile.revised(profile),
            MemberAct::Joined(_)
            | MemberAct::TransferredIn(_)
            | MemberAct::Rekeyed { .. }
            | MemberAct::Erased => {}
        }
    }
}
