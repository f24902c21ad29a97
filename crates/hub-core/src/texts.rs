//! The texts that figures were published under: those of this program, and earlier ones that a log carries
//! (DESIGN §7, S5).
//!
//! A closing names policy and definitions by hash. Whoever closes a period states the text of the definitions in
//! the log, the root that of the policy too, so that a later program still reads what was published then.

use crate::closing::{Closing, PublishedError};
use crate::fact::{FactBody, GovernanceFact};
use crate::hash::{Hash, sha256};
use crate::measure::Indicators;
use crate::policy::Policy;
use crate::published;
use crate::view::View;
use std::sync::Arc;

/// What figures were published under.
#[derive(Debug, Clone)]
pub struct Law {
    /// What the view is folded under.
    pub policy: Arc<Policy>,
    /// What its ratios mean.
    pub definitions: Arc<Indicators>,
}

impl Law {
    /// That of this program.
    pub fn standard() -> Self {
        Self { policy: Policy::standard(), definitions: Arc::new(Indicators::standard().clone()) }
    }

    /// That of a closing, as far as this program or a standing fact of the log has its texts.
    ///
    /// # Errors
    /// A text is nowhere, or asks for rules that this program does not implement.
    pub fn of(closing: &Closing, view: &View) -> Result<Self, PublishedError> {
        let mut law = Self::standard();
        if closing.policy != law.policy.hash {
            let policy = text_of(view, &closing.policy).and_then(|text| Policy::parse(text).ok());
            law.policy = Arc::new(policy.ok_or(PublishedError::Rules {
                what: "policy",
                expected: closing.policy,
                found: law.policy.hash,
            })?);
        }
        if closing.definitions != published::definitions_hash() {
            let text = text_of(view, &closing.definitions);
            let definitions = text.and_then(|text| Indicators::parse(text).ok());
            law.definitions = Arc::new(definitions.ok_or(PublishedError::Rules {
                what: "definitions",
                expected: closing.definitions,
                found: published::definitions_hash(),
            })?);
        }
        Ok(law)
    }
}

/// A text of this hash that stands in the log.
fn text_of<'a>(view: &'a View, hash: &Hash) -> Option<&'a str> {
    stated(view).find(|text| sha256(&[text.as_bytes()]) == *hash)
}

/// All texts that stand in the log.
fn stated(view: &View) -> impl Iterator<Item = &str> {
    let standing = view.facts().filter(|(_, verdict)| verdict.stands());
    standing.filter_map(|(fact, _)| match &fact.fact.body {
        FactBody::Governance(
            GovernanceFact::CatalogPublished { text, .. }
            | GovernanceFact::PolicyPublished { text, .. },
        ) => Some(text.as_str()),
        _ => None,
    })
}

/// The texts of this program that the log lacks and a closing needs: the definitions, and from the root's node
/// the policy.
pub fn due(view: &View, is_root: bool) -> Vec<GovernanceFact> {
    let lacks = |hash: &Hash| text_of(view, hash).is_none();
    let mut due = Vec::new();
    let (hash, text) = (published::definitions_hash(), published::INDICATORS.to_owned());
    if lacks(&hash) {
        let version = Indicators::standard().version();
        due.push(GovernanceFact::CatalogPublished { version, hash, text });
    }
    let policy = Policy::standard();
    if is_root && lacks(&policy.hash) {
        let (version, hash, text) = (policy.version, policy.hash, published::POLICY.to_owned());
        due.push(GovernanceFact::PolicyPublished { version, hash, text });
    }
    due
}
