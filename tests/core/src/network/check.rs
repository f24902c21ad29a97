//! What must be so once all is still.

use super::Network;
use hub_core::audit::conserve;
use hub_core::id::{Lane, UnitId};
use hub_core::measure::{Indicators, Measure};
use hub_core::query::{Basis, By, Desk, Question};
use hub_core::rollup::Rollup;
use hub_core::time::{Day, Hlc};
use hub_core::view::View;
use std::collections::BTreeMap;

/// Figures of every unit of a view on a day, those that are zero left out.
pub type Figures = BTreeMap<UnitId, BTreeMap<&'static str, i64>>;

/// What a view answers for a unit on a day by every indicator and base: numerator, denominator, low and high.
fn answers(view: &View, desk: &mut Desk, unit: UnitId, day: Day) -> Vec<String> {
    let Some(at) = view.tree().find(&unit) else { return Vec::new() };
    let mut answers = Vec::new();
    for indicator in &Indicators::standard().indicators {
        for base in indicator.bases.keys() {
            let question = Question {
                unit: at,
                indicator: indicator.id.clone(),
                base: base.clone(),
                by: By::Total,
                as_of: day,
                boundaries: None,
                basis: Basis::Registry,
            };
            let Ok(answer) = desk.answer(view, &question) else { continue };
            answers.extend(answer.rows.iter().map(|row| {
                let (over, under) = (row.numerator, row.denominator);
                format!("{} {base}: {over} of {under:?}, {:?}", indicator.id, row.bounds)
            }));
        }
    }
    answers
}

/// The figures of a view on a day.
pub fn figures(view: &View, day: Day) -> Figures {
    let rollup = Rollup::of(view, day, day);
    let tree = view.tree();
    let mut figures = Figures::new();
    for (id, at) in tree.ids() {
        if tree.unit(at).id != *id || tree.unit(at).origin.is_none() {
            continue;
        }
        let total = rollup.total(at);
        let counts = Measure::ALL.iter().map(|measure| (measure.id(), total.get(*measure)));
        figures.insert(*id, counts.filter(|(_, count)| *count != 0).collect());
    }
    figures
}

impl Network {
    /// The nodes from the one that serves a unit up to the root, as the root sees it.
    pub fn levels_of(&self, unit: UnitId) -> Vec<usize> {
        let root = &self.nodes[0].view;
        let Some(at) = root.tree().find(&unit) else { return Vec::new() };
        let now = Hlc::at(self.now);
        let server = root.authority().server_of(root.tree(), at, now);
        let mut next = server.and_then(|server| self.node_of(server.enrolment.node));
        let mut levels = Vec::new();
        while let Some(node) = next {
            levels.push(node);
            next = self.nodes[node].parent;
        }
        levels
    }

    /// Compares each unit's figures at every level; how many numbers were compared, or what differs.
    ///
    /// # Errors
    /// The first unit and day on which two levels differ.
    pub fn compare(&self, days: &[Day]) -> Result<usize, String> {
        let mut compared = 0;
        for day in days {
            let all: Vec<Figures> =
                self.nodes.iter().map(|node| figures(&node.view, *day)).collect();
            for (unit, expected) in &all[0] {
                for node in self.levels_of(*unit) {
                    let found = all[node].get(unit);
                    if found != Some(expected) {
                        let name = self.name_of(*unit);
                        return Err(format!(
                            "{name} on day {}: node {node} says {found:?}, the root {expected:?}",
                            day.0
                        ));
                    }
                    compared += Measure::ALL.len();
                }
            }
        }
        Ok(compared)
    }

    /// Compares every indicator with its low and high at every level; how many answers were compared.
    ///
    /// # Errors
    /// The first unit for which two levels answer differently.
    pub fn compare_answers(&self, day: Day) -> Result<usize, String> {
        let mut desks: Vec<Desk> = self.nodes.iter().map(|_| Desk::default()).collect();
        let root = &self.nodes[0].view;
        let mut compared = 0;
        for (unit, at) in root.tree().ids() {
            if root.tree().unit(at).id != *unit || root.tree().unit(at).origin.is_none() {
                continue;
            }
            let expected = answers(root, &mut desks[0], *unit, day);
            for node in self.levels_of(*unit) {
                let found = answers(&self.nodes[node].view, &mut desks[node], *unit, day);
                if found != expected {
                    let differs = found.iter().zip(&expected).find(|(one, other)| one != other);
                    let name = self.name_of(*unit);
                    return Err(format!("{name} on {day}: node {node} and the root: {differs:?}"));
                }
                compared += found.len();
            }
        }
        Ok(compared)
    }

    /// What one node holds at this very step: folded piece by piece it is what its blocks say, and every
    /// person is on each day in one place (M8).
    ///
    /// # Errors
    /// What is not so.
    pub fn check_step(&mut self, node: usize) -> Result<(), String> {
        let (federation, today) = (self.federation(), self.today());
        let own = &mut self.nodes[node];
        let mut fresh = View::new(federation, *own.view.root_key());
        fresh.apply_all(own.blocks.values(), &own.blocks);
        if fresh.digest() != own.view.digest() {
            return Err(format!("node {node}: replay differs"));
        }
        if fresh.member_digest() != own.view.member_digest() {
            return Err(format!("node {node}: replay differs in members"));
        }
        for day in [Day(today.0 - 30), today] {
            let conserved = conserve(&mut own.view, &own.blocks, day);
            if !conserved.broken.is_empty() {
                return Err(format!("node {node} on {day}: not conserved: {conserved:?}"));
            }
        }
        Ok(())
    }

    fn name_of(&self, unit: UnitId) -> String {
        let tree = self.nodes[0].view.tree();
        let name = tree.find(&unit).map(|at| tree.unit(at).name().to_owned());
        format!("{} ({unit})", name.unwrap_or_default())
    }

    /// Every block a node holds is of a node at or below it, or went down a lane that concerns it; and
    /// what was restated to it is of persons that its own lane's subtree shares.
    ///
    /// # Errors
    /// The first block that should not be there.
    pub fn check_scope(&self) -> Result<(), String> {
        let root = &self.nodes[0].view;
        let now = Hlc::at(self.now);
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(unit) = root.tree().find(&node.unit) else { continue };
            for (chain, _) in node.blocks.keys() {
                let Some(writer) = self.node_of(chain.node) else { continue };
                let of_writer = root.tree().find(&self.nodes[writer].unit);
                let from_below =
                    of_writer.is_some_and(|at| root.tree().is_at_or_above(unit, at, now));
                let down = match chain.lane {
                    Lane::Up => false,
                    Lane::Down(audience) => root.tree().find(&audience).is_some_and(|at| {
                        // what flowed to it while the audience stood below it stays there
                        let moves = root.tree().unit(at).moves.iter().map(|moved| moved.stamp);
                        let followed = root.tree().succession_of(at).map(|follows| follows.stamp);
                        let ends = moves.chain(followed);
                        let before = ends.map(|stamp| Hlc::at(stamp.hlc.millis() - 1));
                        before.chain([now]).any(|clock| {
                            root.tree().is_at_or_above(unit, at, clock)
                                || root.tree().is_at_or_above(at, unit, clock)
                        })
                    }),
                };
                if !from_below && !down && !self.was_moved(writer, number) {
                    return Err(format!("node {number} holds {chain}"));
                }
            }
        }
        Ok(())
    }

    /// Whether either, or a node below it, is or was under another parent than once: that brought along
    /// what flowed to it there, and left what had.
    fn was_moved(&self, one: usize, other: usize) -> bool {
        let path = |node: usize| std::iter::successors(Some(node), |at| self.nodes[*at].parent);
        let moved = (0..self.nodes.len()).filter(|node| !self.nodes[*node].former.is_empty());
        let near = |node: usize, at: usize| {
            let former = self.nodes[node].former.iter().flat_map(|old| path(*old));
            path(node).chain(former).any(|above| above == at)
        };
        moved.into_iter().any(|node| near(node, one) || near(node, other))
    }
}
