//! Numbers corrected (K17): a row with a right number whose union knows the same name under a wrong one.
//!
//! A correction is only seen where nothing else fits: one member of that union with that name and an
//! unqualified number, not in the file under it, and at most two characters apart.

use super::error::CommandError;
use super::intake::Taken;
use super::member_import::Resolved;
use super::roster::Roster;
use super::session::Session;
use crate::import::row::MemberRow;
use hub_core::id::{BranchId, MemberKey};
use std::collections::{BTreeSet, HashMap};

/// In how many characters a mistyped number may differ: one wrong, or two swapped.
const CHARACTERS_APART_MAX: usize = 2;

/// Unqualified members of the unions of a file, by union and name.
pub(super) struct Corrections {
    known: HashMap<(BranchId, String), Vec<(MemberKey, String)>>,
}

impl Corrections {
    /// Those the books and the vault know and the rows do not name.
    pub(super) fn of(
        session: &Session<'_>,
        roster: &Roster,
        rows: &[(Taken<MemberRow>, Resolved)],
    ) -> Result<Self, CommandError> {
        let branches: BTreeSet<BranchId> = rows.iter().map(|(_, row)| row.branch).collect();
        let named: BTreeSet<(BranchId, MemberKey)> =
            rows.iter().map(|(_, row)| (row.branch, row.member)).collect();
        let mut known: HashMap<(BranchId, String), Vec<(MemberKey, String)>> = HashMap::new();
        for branch in branches {
            for (member, entry) in roster.standing(&branch) {
                if entry.start.qualified || named.contains(&(branch, member)) {
                    continue;
                }
                let Some(person) = session.shared.vault()?.get(&member)? else { continue };
                let place = (branch, person.name.to_string());
                known.entry(place).or_default().push((member, person.number.to_string()));
            }
        }
        Ok(Self { known })
    }

    /// Marks the rows that correct one.
    pub(super) fn apply(&self, roster: &Roster, rows: &mut [(Taken<MemberRow>, Resolved)]) {
        let mut used = BTreeSet::new();
        for (taken, resolved) in rows {
            let document = &taken.row.document;
            if !document.qualified || roster.entry(&resolved.branch, &resolved.member).is_some() {
                continue;
            }
            let place = (resolved.branch, taken.row.name.clone());
            let Some([(wrong, number)]) = self.known.get(&place).map(Vec::as_slice) else {
                continue;
            };
            if apart(number, &document.number) <= CHARACTERS_APART_MAX && used.insert(*wrong) {
                resolved.corrects = Some(*wrong);
            }
        }
    }
}

/// In how many characters two numbers differ; of different lengths in all of them.
fn apart(one: &str, other: &str) -> usize {
    if one.len() != other.len() {
        return one.len().max(other.len());
    }
    one.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_numbers_far() {
        assert_eq!(apart("110105194912310021", "11010519491231002X"), 1);
        assert_eq!(apart("110150194912310021", "110105194912310021"), 2);
        assert_eq!(apart("110105491231002", "11010519491231002X"), 18);
    }
}
