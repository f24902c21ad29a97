//! A union's hosts by the clock: who may speak for the union follows them (DESIGN §4, §9).
//!
//! A move of a union acts from its own clock to that of what takes it back, never backwards: what the node of
//! the new host stated meanwhile keeps its word. On no day is the union where a move taken back said.

use super::org::OrgFold;
use super::tree::UnitIx;
use super::verdict::Verdict;
use super::withdrawal::Withdrawal;
use crate::fact::{BranchFact, FactBody};
use crate::id::FactId;
use crate::time::Hlc;
use std::collections::BTreeMap;

/// The hosts of a union, each with the clock from which it is; the first from the start of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostLine(Vec<(Hlc, UnitIx)>);

impl HostLine {
    fn starting(host: UnitIx) -> Self {
        Self(vec![(Hlc::ZERO, host)])
    }

    /// The host at a clock.
    pub fn at(&self, clock: Hlc) -> Option<UnitIx> {
        self.0.iter().rev().find(|(from, _)| *from <= clock).map(|(_, host)| *host)
    }

    /// All of them, in order of clock.
    pub(super) fn all(&self) -> &[(Hlc, UnitIx)] {
        &self.0
    }
}

/// What may change a host, in order of clock.
enum Event {
    /// A move is stated, by its place.
    Move(usize, UnitIx),
    /// A move, by its place, is perhaps taken back.
    Withdrawal(usize, Withdrawal),
}

impl OrgFold<'_> {
    /// Judges a union's moves in order of clock, each by what was so when it was stated.
    pub(super) fn host_line(&mut self, first: UnitIx, places: &[usize]) -> HostLine {
        let mut line = HostLine::starting(first);
        let mut acting: Vec<(usize, UnitIx)> = Vec::new();
        let mut taken_back: BTreeMap<usize, FactId> = BTreeMap::new();
        for event in self.events(places) {
            let host = acting.last().map_or(first, |(_, host)| *host);
            let clock = match event {
                Event::Move(place, to) => {
                    let verdict = match taken_back.get(&place) {
                        Some(by) => Verdict::Withdrawn(*by),
                        None => self.move_verdict(place, host),
                    };
                    self.verdicts[place] = verdict;
                    if verdict.stands() {
                        acting.push((place, to));
                    }
                    self.facts[place].fact.hlc
                }
                Event::Withdrawal(place, by) => {
                    let fact = self.facts[place].id;
                    let known = self.registered(host);
                    let is_first = !taken_back.contains_key(&place);
                    if is_first && by.is_valid(&fact, known, self.tree, self.authority) {
                        taken_back.insert(place, by.id);
                        if by.hlc >= self.facts[place].fact.hlc {
                            self.verdicts[place] = Verdict::Withdrawn(by.id);
                        }
                        acting.retain(|(moved, _)| *moved != place);
                    }
                    by.hlc
                }
            };
            let now = acting.last().map_or(first, |(_, host)| *host);
            if now != host {
                line.0.push((clock, now));
            }
        }
        line
    }

    fn move_verdict(&mut self, place: usize, host: UnitIx) -> Verdict {
        let known = self.registered(host);
        self.unwithdrawn(place).unwrap_or_else(|| self.spoken(place, known))
    }

    /// Moves, and what names them to take them back, in order of clock and id.
    fn events(&mut self, places: &[usize]) -> Vec<Event> {
        let mut events: Vec<(Hlc, FactId, Event)> = Vec::new();
        for place in places.iter().copied() {
            let fact = &self.facts[place];
            let FactBody::Branch(BranchFact::Moved { host, .. }) = &fact.fact.body else {
                continue;
            };
            let to = self.tree.intern(host);
            events.push((fact.fact.hlc, fact.id, Event::Move(place, to)));
            if fact.is_stand_in() {
                continue;
            }
            for by in self.withdrawals.covering(&fact.id) {
                events.push((by.hlc, by.id, Event::Withdrawal(place, by)));
            }
        }
        events.sort_by_key(|(hlc, id, _)| (*hlc, *id));
        events.into_iter().map(|(.., event)| event).collect()
    }
}
