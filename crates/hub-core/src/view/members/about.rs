//! What decisions say about a person: which rulings match its claims and are in force, whose objections act.

use super::{BranchIx, FactId, Fold, MemberIx, Members, OrgChange};
use crate::view::claim::{Act, ClaimFact, ClaimObjection, ClaimRuling, Told};
use crate::view::decision::{Decision, Objection, Ruling, Sides, in_force};
use std::collections::BTreeSet;

/// What a person's fold reads, and what it asked on the way.
#[derive(Default)]
pub(super) struct About {
    pub(super) told: Told,
    /// Whether each ruling that names the person matches.
    matched: Vec<(FactId, bool)>,
    /// Whether a union is the objector's, by union and objection.
    asked: Vec<(BranchIx, FactId, bool)>,
}

/// The unions of a ruling's sides, as they concern one person.
enum Named {
    /// All sides are claims of this person.
    All(Vec<BranchIx>),
    /// They are claims of several persons, or of nobody known.
    Several,
    /// They are claims of another person, whose fold tells.
    Another,
}

impl Members {
    /// The person's facts with the decisions about it.
    pub(super) fn about(&self, member: MemberIx, facts: Vec<ClaimFact>, fold: &Fold<'_>) -> About {
        let mut about = About::default();
        if !fold.decisions.is_empty() {
            self.tell_decisions(member, &facts, fold, &mut about);
        }
        about.told.facts = facts;
        about
    }

    fn tell_decisions(
        &self,
        member: MemberIx,
        facts: &[ClaimFact],
        fold: &Fold<'_>,
        about: &mut About,
    ) {
        let starts = facts.iter().filter(|fact| matches!(fact.act, Act::Start(_)));
        let starts: BTreeSet<BranchIx> = starts.map(|fact| fact.branch).collect();
        let mut seen = BTreeSet::new();
        let mut rulings: Vec<(&Ruling, Vec<BranchIx>)> = Vec::new();
        for source in self.rekeys.sources_of(member) {
            for decision in fold.decisions.of(&self.table.member(source).key) {
                match decision {
                    Decision::Ruled(ruling) if seen.insert(ruling.id) => {
                        let sides = match self.named(member, ruling) {
                            Named::All(sides) => sides,
                            Named::Several => Vec::new(),
                            Named::Another => continue,
                        };
                        let known = sides.iter().all(|side| starts.contains(side));
                        let matches = known && !sides.is_empty();
                        about.matched.push((ruling.id, matches));
                        rulings.extend(matches.then_some((ruling, sides)));
                    }
                    Decision::Objected(objection) => {
                        let end = self.rekeys.end_of(objection.branch, source).0;
                        if end == member && seen.insert(objection.id) {
                            tell_objection(objection, &starts, fold, about);
                        }
                    }
                    Decision::Ruled(_) => {}
                }
            }
        }
        let ordered: Vec<_> =
            rulings.iter().map(|(ruling, sides)| (ruling.precedence(), sides.clone())).collect();
        for place in in_force(&ordered) {
            let (ruling, sides) = &rulings[place];
            let winner = ruling.winner.map(|winner| sides[winner]);
            let (from, sides) = (ruling.from, sides.clone());
            about.told.rulings.push(ClaimRuling { from, sides, winner });
        }
    }

    fn named(&self, member: MemberIx, ruling: &Ruling) -> Named {
        let Sides::Claims(claims) = &ruling.sides else { return Named::Several };
        let mut persons = claims
            .iter()
            .map(|(key, branch)| self.table.find(key).map(|at| self.rekeys.end_of(*branch, at).0));
        let first = persons.next().flatten();
        if !persons.all(|person| person == first) {
            return Named::Several;
        }
        match first {
            Some(one) if one == member => {
                Named::All(claims.iter().map(|(_, branch)| *branch).collect())
            }
            _ => Named::Another,
        }
    }

    /// Notes what the decisions about a person were found to be.
    pub(super) fn note(&mut self, member: MemberIx, about: About) -> Told {
        for (ruling, matches) in about.matched {
            let changed =
                if matches { self.matched.insert(ruling) } else { self.matched.remove(&ruling) };
            if changed {
                self.rematched.push(ruling);
            }
        }
        for (branch, objection, own) in about.asked {
            self.asked.insert((branch, objection), (member, own));
        }
        about.told
    }

    /// Marks the persons whose decisions, or whose objectors' unions, are not what they were.
    pub(super) fn mark_changed_decisions(&mut self, fold: &mut Fold<'_>, change: &OrgChange) {
        for (key, branch) in fold.decisions.take_changed() {
            if let Some(at) = self.table.find(&key) {
                self.dirty.extend([at, self.rekeys.end_of(branch, at).0]);
            }
        }
        if *change == OrgChange::None {
            return;
        }
        let dirty = &mut self.dirty;
        self.asked.retain(|(branch, id), (member, known)| {
            let Some(Decision::Objected(objection)) = fold.decisions.decision(id) else {
                return false;
            };
            if change.reaches(*branch) && is_own(objection, *branch, fold) != *known {
                dirty.insert(*member);
            }
            true
        });
    }
}

/// M3: the objector's unions are those, but for the one objected to, whose host at the objection's clock is at
/// or below the unit acted for.
fn is_own(objection: &Objection, branch: BranchIx, fold: &Fold<'_>) -> bool {
    let host = fold.branches.branch(branch).host_at(objection.hlc);
    branch != objection.branch
        && host.is_some_and(|host| {
            let host = fold.tree.canonical(host);
            fold.tree.is_at_or_above(objection.acting, host, objection.hlc)
        })
}

fn tell_objection(
    objection: &Objection,
    unions: &BTreeSet<BranchIx>,
    fold: &Fold<'_>,
    about: &mut About,
) {
    let mut own = Vec::new();
    for branch in unions {
        let is_own = is_own(objection, *branch, fold);
        about.asked.push((*branch, objection.id, is_own));
        if is_own {
            own.push(*branch);
        }
    }
    about.told.objections.push(ClaimObjection {
        id: objection.id,
        hlc: objection.hlc,
        from: objection.from,
        branch: objection.branch,
        evidence: objection.evidence,
        own,
    });
}
