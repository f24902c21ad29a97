//! Words about checkpoints and closings: `N checkpoints` states all blocks told so far and the digest of their
//! view, `N checkpoints falsely` another digest, `N checkpoints part 1 of 2` half of the chains and
//! `N checkpoints again part 2 of 2` the rest;
//! `N shuts p period 2025 at #n [revision 2]` closes a period at the checkpoint of line n, `by older definitions`
//! or `by older policy` under texts that this program no longer has; `N publishes older policy` states such a text.

use super::{Story, option, unit};
use crate::offices::view_of;
use hub_core::fact::FactBody;
use hub_core::fact::figure::FigureFact;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::{Hash, sha256};
use hub_core::id::{FactId, UnitId};
use hub_core::measure::Indicators;
use hub_core::policy::Policy;
use hub_core::query::Desk;
use hub_core::{closing, known, published};
use std::sync::Arc;

/// Definitions and policy: those of this program, or one of them as it was before.
fn law(older: Option<&str>) -> (String, String) {
    let (definitions, policy) = (published::INDICATORS.to_owned(), published::POLICY.to_owned());
    match older {
        // large units alone were due
        Some("definitions") => {
            let due = r#"["covered.due", "units.due"]"#;
            (definitions.replacen(due, r#"["covered.100", "units.100"]"#, 1), policy)
        }
        Some("policy") => {
            let due = "\"founding_due_employees\": 25";
            (definitions, policy.replace(due, "\"founding_due_employees\": 1000"))
        }
        _ => (definitions, policy),
    }
}

fn published_text(older: &str) -> GovernanceFact {
    let (definitions, policy) = law(Some(older));
    let version = 1;
    if older == "policy" {
        let hash = sha256(&[policy.as_bytes()]);
        return GovernanceFact::PolicyPublished { version, hash, text: policy };
    }
    let hash = sha256(&[definitions.as_bytes()]);
    GovernanceFact::CatalogPublished { version, hash, text: definitions }
}

impl Story {
    pub(super) fn closing_body(&self, verb: &str, rest: &[&str]) -> FactBody {
        if verb == "checkpoints" {
            return self.checkpoint(rest);
        }
        let older = option(rest, "older");
        if verb == "publishes" {
            return FactBody::Governance(published_text(older.unwrap()));
        }
        let number: usize = option(rest, "at").unwrap()[1..].parse().unwrap();
        let period = option(rest, "period").unwrap_or("2025");
        let (definitions, policy) = law(older);
        let shut = (self.facts[number - 1], unit(rest[0]), period);
        let (digest, table) = self.shut(shut, &definitions, &policy);
        FactBody::Figure(FigureFact::PeriodClosed {
            unit: unit(rest[0]),
            period: period.into(),
            revision: option(rest, "revision").map_or(1, |text| text.parse().unwrap()),
            checkpoint: self.facts[number - 1],
            digest,
            table: if rest.contains(&"falsely") { Hash::ZERO } else { table },
            policy: sha256(&[policy.as_bytes()]),
            definitions: sha256(&[definitions.as_bytes()]),
            reason: String::new(),
        })
    }

    /// The digest and the table's hash at the checkpoint of a fact, under these texts.
    fn shut(
        &self,
        (checkpoint, unit, period): (FactId, UnitId, &str),
        definitions: &str,
        policy: &str,
    ) -> (Hash, Hash) {
        let view = view_of(self.root, &self.blocks);
        let Some(checkpoint) = view.checkpoint(&checkpoint) else {
            return (Hash::ZERO, Hash::ZERO);
        };
        let policy = Arc::new(Policy::parse(policy).unwrap());
        let frontier = view.frontier_of(&checkpoint);
        let known =
            known::fold_under(policy, view.federation(), self.root, &frontier, &self.blocks)
                .unwrap();
        let definitions = Indicators::parse(definitions).unwrap();
        let at = known.tree().find(&unit).unwrap();
        let table = closing::table(&known, &mut Desk::default(), at, period, &definitions).unwrap();
        (checkpoint.digest, closing::table_hash(&table))
    }

    fn checkpoint(&self, rest: &[&str]) -> FactBody {
        // the second part is of the same blocks as the first: the one told just before is not among them
        let mut blocks = self.blocks.clone();
        if rest.first() == Some(&"again")
            && let Some(last) = self.order.last()
        {
            blocks.remove(last);
        }
        let mut frontier: Vec<ChainHeight> = Vec::new();
        for ((chain, height), block) in &blocks {
            frontier.retain(|head| head.chain != *chain);
            frontier.push(ChainHeight { chain: *chain, height: *height, hash: block.hash() });
        }
        let digest = match rest.first() {
            Some(&"falsely") => sha256(&[b"another view"]),
            _ => view_of(self.root, &blocks).digest(),
        };
        let number = |name| option(rest, name).map_or(1, |text: &str| text.parse().unwrap());
        let (part, parts) = (number("part"), number("of"));
        if parts > 1 {
            let half = frontier.len() / 2;
            frontier = if part == 1 { frontier[..half].into() } else { frontier[half..].into() };
        }
        FactBody::Governance(GovernanceFact::Checkpointed { frontier, digest, part, parts })
    }
}
