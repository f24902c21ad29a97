//! `hub enrol revoke`: a signed cut. What the node below wrote after the last good block is kept, shown and
//! not counted; what it wrote before stays.

use super::error::CommandError;
use super::session::{Session, day_of};
use crate::enrol::EnrolError;
use crate::import::text;
use crate::ops_nats::Children;
use crate::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::governance::GovernanceFact;
use hub_core::id::{ChainId, Lane, NodeId, UnitId};
use hub_core::time::{Hlc, Millis};
use hub_core::view::authority::Cut;

/// Takes the word of the node that serves a unit below: in every epoch in which it was ever enrolled, for whoever
/// has its directory holds the keys of all of them.
///
/// # Errors
/// No node below is enrolled for the unit, or the facts cannot be written.
pub fn revoke(
    session: &Session<'_>,
    unit: &str,
    good_until: Option<&str>,
    reason: &str,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, unit)?;
    let replica = session.replica();
    let own_place = names.place_of(&own);
    let is_below = own_place.is_some_and(|own| own != place && names.is_at_or_below(place, own));
    let (Some(node), true) = (node_of(session, &names.unit_at(place).id), is_below) else {
        return Err(CommandError::refused(
            format!("“{}”没有在本级之下接入的节点", names.unit_path(place)),
            format!("no node below this one is enrolled for “{}”", names.unit_path(place)),
        ));
    };
    let until = match good_until {
        Some(typed) => day_of(session, Some(typed), false)?.day.next().start_millis(),
        None => Millis::MAX,
    };
    let cuts = cuts(session, node, until);
    let kept: u64 = cuts.iter().flat_map(|cut| &cut.last_good).map(|(_, height)| height).sum();
    let reason = text::name(reason);
    let draft = |cut: EpochCut| {
        let (epoch, last_good, reason) = (cut.epoch, cut.last_good, reason.clone());
        let fact = GovernanceFact::NodeRevoked { node, epoch, last_good, reason };
        let body = FactBody::Governance(fact);
        Draft { operator: session.operator, ..Draft::new(own, session.today(), body) }
    };
    let drafts: Vec<Draft> = cuts.into_iter().filter(|cut| cut.is_news).map(draft).collect();
    replica.write(drafts)?;
    let path = names.unit_path(place);
    session.say(
        &format!("已收回“{path}”节点的授权;此前的 {kept} 块账本仍有效,以后的暂存不计"),
        &format!(
            "the node of “{path}” is cut off; {kept} blocks before stay, later ones are parked"
        ),
    )?;
    if forget_login(session, node)? {
        session.say(
            "它在消息服务的登录已除名;请重新生成配置(hub ops nats-config)并重载消息服务,才会断开",
            "its login is off the list; write the configuration anew (hub ops nats-config) and reload the \
             server: only then is it shut out",
        )?;
    }
    Ok(0)
}

/// The node that serves just this unit now.
fn node_of(session: &Session<'_>, unit: &UnitId) -> Option<NodeId> {
    let replica = session.replica();
    let view = replica.read();
    let at = view.tree().find(unit)?;
    let server = view.authority().server_of(view.tree(), at, Hlc::at(replica.now()))?;
    (server.unit == at).then_some(server.enrolment.node)
}

/// A cut of one epoch.
struct EpochCut {
    epoch: u32,
    last_good: Vec<(Lane, u64)>,
    /// Whether it is lower than what was cut before.
    is_news: bool,
}

/// The cut of each epoch in which a node was enrolled.
fn cuts(session: &Session<'_>, node: NodeId, until: Millis) -> Vec<EpochCut> {
    let epochs: Vec<u32> = session.replica().read().authority().epochs_of(node).collect();
    let cut = |epoch: u32| {
        let last_good = last_good(session, node, epoch, until);
        let view = session.replica().read();
        let before = view.authority().cuts.get(&(node, epoch));
        let is_news = before.is_none_or(|before| is_lower(&last_good, before));
        EpochCut { epoch, last_good, is_news }
    };
    epochs.into_iter().map(cut).collect()
}

fn is_lower(last_good: &[(Lane, u64)], before: &Cut) -> bool {
    let height = |lane: &Lane| last_good.iter().find(|(of, _)| of == lane).map_or(0, |(_, h)| *h);
    before.last_good.iter().any(|(lane, cut)| height(lane) < *cut)
}

/// Takes a node's user off the list of those who log in at this node's server; whether it was on it.
fn forget_login(session: &Session<'_>, node: NodeId) -> Result<bool, CommandError> {
    let path = session.shared.node.children_file();
    let mut list = Children::load(&path).map_err(EnrolError::from)?;
    let was_on_it = list.remove(node);
    if was_on_it {
        list.save(&path).map_err(EnrolError::from)?;
    }
    Ok(was_on_it)
}

/// The last block of each lane that was closed before an instant; where the lane forks, of the side that counts.
fn last_good(session: &Session<'_>, node: NodeId, epoch: u32, until: Millis) -> Vec<(Lane, u64)> {
    let replica = session.replica();
    let (view, journal) = (replica.read(), replica.journal());
    let of_node = |chain: &ChainId| chain.node == node && chain.epoch == epoch;
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
