//! Founding a federation: the root makes its keys, registers its unit and enrols itself.

use super::EnrolError;
use crate::clock::Clock;
use crate::config::{CONFIG_FILE, Config, Node, RootKey};
use crate::keys::{KeyStore, PERSON_KEY, VAULT_KEY};
use crate::ops_nats::replace_file;
use crate::replica::{Draft, LaneChoice, Replica};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, FactBody, GovernanceFact, UnitFact};
use hub_core::id::{Lane, NodeId, UnitId};
use hub_core::time::{DAY_MILLIS, Millis};
use std::path::Path;
use std::sync::Arc;

/// The root's own enrolment holds for so long; it is renewed by the root itself.
const ROOT_YEARS: u64 = 100;

/// What a federation is founded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The root unit's name, e.g. 黑龙江省.
    pub name: String,
    /// Its division code, e.g. 23.
    pub code: String,
    /// The year of the list the code is from.
    pub list_year: u16,
    /// Its level: a province, or less for a small federation.
    pub level: Level,
}

/// Writes a configuration in the place of the one that may be there, and reads it back.
pub(super) fn write_config(directory: &Path, config: &Config) -> Result<Node, EnrolError> {
    let path = directory.join(CONFIG_FILE);
    replace_file(&path, &config.to_toml()?).map_err(|error| EnrolError::Io { path, error })?;
    Ok(Node::load(directory)?)
}

/// Refuses a directory that holds a node.
pub(super) fn check_free(directory: &Path) -> Result<(), EnrolError> {
    let path = directory.join(CONFIG_FILE);
    if path.exists() {
        return Err(EnrolError::Taken { path });
    }
    std::fs::create_dir_all(directory)
        .map_err(|error| EnrolError::Io { path: directory.to_owned(), error })
}

/// Founds a federation in an empty directory and says its root key.
///
/// # Errors
/// The directory holds a node, or something cannot be written.
pub fn found(
    directory: &Path,
    founding: &Founding,
    clock: Arc<dyn Clock>,
) -> Result<RootKey, EnrolError> {
    check_free(directory)?;
    let keys = KeyStore::new(directory.join("keys"));
    let key = keys.create_signing_key(1)?;
    keys.create(PERSON_KEY)?;
    keys.create(VAULT_KEY)?;
    let public = key.verifying_key().to_bytes();
    let root_key = RootKey(public);
    let config = Config::of_node(root_key, NodeId::of_first_key(&public));
    let node = write_config(directory, &config)?;
    let (replica, _) = Replica::open(&node, clock)?;
    let now = replica.now();
    replica.write(first_facts(founding, config.node, public, now))?;
    Ok(root_key)
}

fn first_facts(founding: &Founding, node: NodeId, key: [u8; 32], now: Millis) -> Vec<Draft> {
    let unit = UnitId::of_territory(&founding.code, founding.list_year);
    let today = hub_core::time::Day::of_millis(now);
    let code = Code { kind: CodeKind::Division, value: founding.code.clone() };
    let registered = UnitFact::Registered {
        unit,
        kind: UnitKind::Territory,
        level: founding.level,
        parent: None,
        located_in: None,
        list_year: Some(founding.list_year),
        profile: UnitProfile {
            name: founding.name.clone(),
            codes: vec![code],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    };
    let enrolment = root_enrolment(node, key, (1, unit), now);
    let enrolled = GovernanceFact::NodeEnrolled(Box::new(enrolment));
    [FactBody::Unit(registered), FactBody::Governance(enrolled)]
        .into_iter()
        .map(|body| {
            let mut draft = Draft::new(unit, today, body);
            draft.lane = LaneChoice::Lane(Lane::Down(unit));
            draft
        })
        .collect()
}

/// What the root says of itself in one of its epochs.
pub(super) fn root_enrolment(
    node: NodeId,
    key: [u8; 32],
    (epoch, unit): (u32, UnitId),
    now: Millis,
) -> Enrolment {
    Enrolment {
        node,
        key,
        epoch,
        unit,
        may_delegate: true,
        not_before: now.saturating_sub(DAY_MILLIS),
        expires: now + ROOT_YEARS * 365 * DAY_MILLIS,
        continues: None,
        person_key: Vec::new(),
    }
}
