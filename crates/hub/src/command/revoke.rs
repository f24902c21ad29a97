//! `hub enrol revoke`: a signed cut. What the node below wrote after the last good block is kept, shown and
//! not counted; what it wrote before stays.

use super::error::CommandError;
use super::session::{Session, day_of};
use crate::import::text;
use crate::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::governance::GovernanceFact;
use hub_core::id::{Lane, NodeId};
use hub_core::time::{Hlc, Millis};

/// Takes the word of the node that serves a unit below.
///
/// # Errors
/// No node below is enrolled for the unit, or the fact cannot be written.
pub fn revoke(
    session: &Session<'_>,
    unit: &str,
    good_until: Option<&str>,
    reason: &str,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, unit)?;
    let id = names.unit_at(place).id;
    let replica = session.replica();
    let enrolled = {
        let view = replica.read();
        let tree = view.tree();
        let at = tree.find(&id);
        let server = at.and_then(|at| view.authority().server_of(tree, at, Hlc::at(replica.now())));
        let of_unit = server.filter(|server| Some(server.unit) == at);
        of_unit.map(|server| (server.enrolment.node, server.enrolment.epoch))
    };
    let own_place = names.place_of(&own);
    let is_below = own_place.is_some_and(|own| own != place && names.is_at_or_below(place, own));
    let (Some((node, epoch)), true) = (enrolled, is_below) else {
        return Err(CommandError::refused(
            format!("“{}”没有在本级之下接入的节点", names.unit_path(place)),
            format!("no node below this one is enrolled for “{}”", names.unit_path(place)),
        ));
    };
    let until = match good_until {
        Some(typed) => day_of(session, Some(typed), false)?.day.next().start_millis(),
        None => Millis::MAX,
    };
    let last_good = last_good(session, node, epoch, until);
    let kept: u64 = last_good.iter().map(|(_, height)| height).sum();
    let fact = GovernanceFact::NodeRevoked { node, epoch, last_good, reason: text::name(reason) };
    let body = FactBody::Governance(fact);
    let draft = Draft { operator: session.operator, ..Draft::new(own, session.today(), body) };
    replica.write(vec![draft])?;
    let path = names.unit_path(place);
    session.say(
        &format!("已收回“{path}”节点的授权;此前的 {kept} 块账本仍有效,以后的暂存不计"),
        &format!(
            "the node of “{path}” is cut off; {kept} blocks before stay, later ones are parked"
        ),
    )?;
    Ok(0)
}

/// The last block of each lane that was closed before an instant; where the lane forks, of the side that counts.
fn last_good(session: &Session<'_>, node: NodeId, epoch: u32, until: Millis) -> Vec<(Lane, u64)> {
    let replica = session.replica();
    let (view, journal) = (replica.read(), replica.journal());
    let of_node = |chain: &hub_core::id::ChainId| chain.node == node && chain.epoch == epoch;
    let heads = journal.heads().into_iter().filter(|(chain, _)| of_node(chain));
    let good = heads.filter_map(|(chain, head)| {
        let is_good = |height: &u64| {
            let block = view.block_at(&chain, *height, journal);
            block.is_some_and(|block| block.header().last_hlc.millis() < until)
        };
        // the side that counts may be longer than the one that came first
        let counted = |height: &u64| view.hash_at(&chain, *height).is_some();
        let top = (head.height + 1..).take_while(counted).last().unwrap_or(head.height);
        (1..=top).rev().find(is_good).map(|height| (chain.lane, height))
    });
    good.collect()
}
