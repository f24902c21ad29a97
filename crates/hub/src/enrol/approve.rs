//! The parent approves: it writes the enrolment and hands back the chain file from the root.

use super::{EnrolError, seal};
use crate::expiry;
use crate::keys::PERSON_KEY;
use crate::ops_nats::{ChildUser, Children};
use crate::replica::{Draft, LaneChoice, Replica};
use hub_core::block::Block;
use hub_core::fact::governance::{Enrolment, LaneHead};
use hub_core::fact::unit::UnitProfile;
use hub_core::fact::{FactBody, GovernanceFact, UnitFact};
use hub_core::hash::hex_encode;
use hub_core::id::{ChainId, FactId, Lane, UnitId};
use hub_core::time::{DAY_MILLIS, Day, Millis};
use hub_core::view::View;
use hub_core::view::authority::Cut;
use hub_node::wire::{EnrolAnswer, EnrolRequest, Message};
use std::collections::BTreeMap;
use std::path::Path;

/// How a request is approved.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The unit the node is to serve, found by its name.
    pub unit: UnitId,
    /// Whether it may enrol nodes below.
    pub may_delegate: bool,
    /// For how many days, from now.
    pub days: u32,
    /// Whether it gets the person key: hosts keep it at county and above.
    pub with_person_key: bool,
}

/// An approved request.
#[derive(Debug, Clone)]
pub struct Approved {
    /// The answer to carry back.
    pub answer: Vec<u8>,
    /// The enrolment.
    pub enrolment: Enrolment,
    /// The fact that states it.
    pub fact: FactId,
    /// Whether the list of those who log in at this node's server is another now.
    pub logins_changed: bool,
}

/// The request inside these bytes, its signature checked.
///
/// # Errors
/// Not a request to this federation, or not signed by the key in it.
pub fn requested(replica: &Replica, bytes: &[u8]) -> Result<EnrolRequest, EnrolError> {
    let federation = replica.who().federation;
    match Message::decode(bytes, federation)? {
        Message::EnrolRequest(request) => {
            request.verify(federation)?;
            let fits = match &request.continues {
                Some((before, _)) => (1..request.epoch).contains(before),
                None => request.epoch == 1,
            };
            if !fits {
                return Err(EnrolError::Kind { expected: "an epoch after the one it continues" });
            }
            Ok(*request)
        }
        _ => Err(EnrolError::Kind { expected: "a request for enrolment" }),
    }
}

/// Whether a request is a renewal by who has the key of the epoch it continues, which is enrolled for this unit
/// and not cut off. Else it may be anybody's: a token and the check code tell.
///
/// # Errors
/// What it carries as proof is another's.
pub fn is_proven(
    replica: &Replica,
    request: &EnrolRequest,
    unit: UnitId,
) -> Result<bool, EnrolError> {
    let view = replica.read();
    let Some(before) = continued(&view, request, unit) else { return Ok(false) };
    Ok(request.is_proven(view.federation(), &before.key)?)
}

/// The enrolment that a request continues, where it is for this unit and neither cut off nor taken back.
fn continued<'v>(view: &'v View, request: &EnrolRequest, unit: UnitId) -> Option<&'v Enrolment> {
    let (epoch, _) = request.continues.as_ref()?;
    let writer = (request.node, *epoch);
    let before = view.authority().enrolment_of(writer)?;
    let is_cut = before.withdrawn.is_some() || view.authority().cuts.contains_key(&writer);
    let same = view.tree().find(&unit) == Some(before.unit);
    (same && !is_cut).then_some(&before.enrolment)
}

/// From when an enrolment holds: from now, after everything this node has stated about the unit's subtree. Where the
/// node goes on in a new epoch it has served the unit all along and nobody else could state what it states: there
/// it holds from the request on, so that what was written meanwhile counts, but not before what is held of
/// the epoch before.
fn not_before(
    replica: &Replica,
    view: &View,
    request: &EnrolRequest,
    unit: UnitId,
    now: Millis,
) -> Millis {
    let Some(before) = continued(view, request, unit) else { return now };
    let heads = replica.journal().heads().into_iter();
    let of_epoch = |chain: &ChainId| (chain.node, chain.epoch) == (before.node, before.epoch);
    let held = heads.filter(|(chain, _)| of_epoch(chain)).map(|(_, head)| head.last_hlc.millis());
    let since = request.requested_at.max(before.not_before);
    held.fold(since, Millis::max).min(now)
}

/// The heads that a new epoch continues (DESIGN §9): those it names, or what is held here and goes on from them, up
/// to where that is cut. Of a lane that forks or of which another block is held than the one named, what it
/// names.
fn continued_heads(
    replica: &Replica,
    view: &View,
    request: &EnrolRequest,
) -> Option<(u32, Vec<LaneHead>)> {
    let (epoch, named) = request.continues.as_ref()?;
    let journal = replica.journal();
    let mut heads: BTreeMap<Lane, LaneHead> = named.iter().map(|head| (head.lane, *head)).collect();
    let cut = view.authority().cuts.get(&(request.node, *epoch));
    for (chain, head) in journal.heads() {
        let of_epoch = (chain.node, chain.epoch) == (request.node, *epoch);
        if !of_epoch || !journal.besides(&chain, 0).is_empty() {
            continue;
        }
        let hash_at = |height: u64| journal.contains(&chain, height).ok().flatten();
        let good = |cut: &Cut| cut.last_good.get(&chain.lane).copied().unwrap_or(0);
        let height = cut.map_or(head.height, |cut| good(cut).min(head.height));
        let goes_on = heads
            .get(&chain.lane)
            .is_none_or(|named| named.height < height && hash_at(named.height) == Some(named.hash));
        if goes_on && let Some(hash) = hash_at(height).filter(|_| height > 0) {
            heads.insert(chain.lane, LaneHead { lane: chain.lane, height, hash });
        }
    }
    Some((*epoch, heads.into_values().collect()))
}

/// Enrols the node that asks, puts it on the list of the courier's users, and answers.
///
/// # Errors
/// This node has no right to enrol, or something cannot be written.
pub fn approve(
    replica: &Replica,
    request: &EnrolRequest,
    approval: &Approval,
    children: &Path,
) -> Result<Approved, EnrolError> {
    let person_key = match replica.keys().load(PERSON_KEY)? {
        Some(secret) if approval.with_person_key => seal::seal(&secret, &request.sealing_key)?,
        _ => Vec::new(),
    };
    let (enrolment, fact) =
        replica.transact(|transaction| -> Result<(Enrolment, FactId), EnrolError> {
            let own = transaction.who().unit.ok_or(EnrolError::NoRight)?;
            let now: Millis = transaction.now().millis();
            let today = Day::of_millis(now);
            if let Some(again) = registered_again(transaction.view(), approval.unit) {
                let mut draft = Draft::new(own, today, FactBody::Unit(again));
                draft.lane = LaneChoice::Lane(Lane::Down(approval.unit));
                transaction.push(draft);
            }
            let enrolment = Enrolment {
                node: request.node,
                key: request.key,
                epoch: request.epoch,
                unit: approval.unit,
                may_delegate: approval.may_delegate,
                not_before: not_before(replica, transaction.view(), request, approval.unit, now),
                expires: now + u64::from(approval.days) * DAY_MILLIS,
                continues: continued_heads(replica, transaction.view(), request),
                person_key: person_key.clone(),
            };
            // What the node wrote after its enrolment had ended counts up to now (DESIGN §9).
            if let Some(late) = lapsed(transaction.view(), &enrolment, now) {
                let late = GovernanceFact::NodeEnrolled(Box::new(late));
                transaction.push(Draft::new(own, today, FactBody::Governance(late)));
            }
            let enrolled = GovernanceFact::NodeEnrolled(Box::new(enrolment.clone()));
            let fact = transaction.push(Draft::new(own, today, FactBody::Governance(enrolled)));
            Ok((enrolment, fact))
        })?;
    let own = replica.who().node;
    let above = replica.lookup().server_above(approval.unit).filter(|(node, _)| *node != own);
    // whoever stands above keeps the list for the courier of those that dial it
    let logins_changed = above.is_none() && list_user(replica, request, children)?;
    let chain = proof(replica, fact, above.map(|(_, enrolled)| enrolled))?;
    let root_key = *replica.read().root_key();
    let answer = EnrolAnswer {
        node: request.node,
        parent: above.map_or(own, |(node, _)| node),
        refusal: String::new(),
        root_key,
        chain,
    };
    let answer = Message::EnrolAnswer(Box::new(answer)).encode(replica.who().federation);
    Ok(Approved { answer, enrolment, fact, logins_changed })
}

/// Puts the user that the node asks for on the list; whether that changed it. The one it had goes on until it has
/// accepted, but not where the epoch that it continues is cut off: whoever has that key has the user too.
fn list_user(
    replica: &Replica,
    request: &EnrolRequest,
    children: &Path,
) -> Result<bool, EnrolError> {
    if request.courier.is_empty() {
        return Ok(false);
    }
    let mut list = Children::load(children)?;
    let before = list.clone();
    let known = list.child.iter().find(|child| child.node == request.node);
    let former = known.and_then(|known| match known.nats_user == request.courier {
        true => known.former_user.clone(),
        false => Some(known.nats_user.clone()),
    });
    let view = replica.read();
    let is_cut = |epoch: u32| view.authority().cuts.contains_key(&(request.node, epoch));
    let stolen = request.continues.as_ref().is_some_and(|(epoch, _)| is_cut(*epoch));
    let new = ChildUser::new(request.node, request.courier.clone(), request.unit.clone());
    list.put(ChildUser { former_user: former.filter(|_| !stolen), ..new })?;
    if list != before {
        list.save(children)?;
    }
    Ok(list != before)
}

/// The enrolment of the epoch that this one continues, lengthened until now if it has ended and was not cut
/// off: a renewal that comes late loses nobody's work.
fn lapsed(view: &View, renewed: &Enrolment, now: Millis) -> Option<Enrolment> {
    let (epoch, _) = renewed.continues.as_ref()?;
    let before = (renewed.node, *epoch);
    let ended = expiry::of_writer(view, before)? <= now;
    let last = &view.authority().enrolment_of(before)?.enrolment;
    let same = view.tree().find(&renewed.unit) == view.tree().find(&last.unit);
    (ended && same).then(|| Enrolment { expires: now, ..last.clone() })
}

/// An employer's registration went up only; its own node must know it too, so it is stated once more in
/// the lane that flows there. The frame of the tree flows down anyway.
fn registered_again(view: &View, unit: UnitId) -> Option<UnitFact> {
    let tree = view.tree();
    let known = tree.unit(tree.find(&unit)?);
    if !known.is_employer() {
        return None;
    }
    let origin = known.origin.as_ref()?;
    let parent = known.registrations.first()?.parent.map(|at| tree.unit(at).id);
    let profile: UnitProfile = known.on(Day::LAST)?.profile;
    Some(UnitFact::Registered {
        unit,
        kind: origin.kind,
        level: origin.level,
        parent,
        located_in: origin.located_in.map(|at| tree.unit(at).id),
        list_year: None,
        profile,
    })
}

/// What proves the child, and the node above it where that is not the one that approves but stands between the
/// two: where a unit moves from one node to another, the node above both may enrol it.
fn proof(
    replica: &Replica,
    child: FactId,
    between: Option<FactId>,
) -> Result<Vec<Block>, EnrolError> {
    let own = chain_file(replica, child)?;
    let Some(between) = between else { return Ok(own) };
    let mut chain = chain_file(replica, between)?;
    for block in own {
        if !chain.contains(&block) {
            chain.push(block);
        }
    }
    Ok(chain)
}

/// For each ancestor from the root, and at last for the new node, the block of its enrolment.
pub(crate) fn chain_file(replica: &Replica, last: FactId) -> Result<Vec<Block>, EnrolError> {
    let view = replica.read();
    let mut facts = vec![last];
    loop {
        let writer = facts[facts.len() - 1].chain;
        let issuer = view.authority().enrolment_of((writer.node, writer.epoch));
        let issuer = issuer.ok_or(EnrolError::NoRight)?;
        facts.push(issuer.id);
        if issuer.id.chain.node == issuer.enrolment.node {
            break;
        }
    }
    facts.reverse();
    let mut blocks: Vec<Block> = Vec::new();
    for fact in facts {
        let height = view.fact(&fact).ok_or(EnrolError::Missing(fact))?.height;
        let block = view.block_at(&fact.chain, height, replica.journal());
        let block = block.ok_or(EnrolError::Missing(fact))?;
        if blocks.last().is_none_or(|known| known.hash() != block.hash()) {
            blocks.push(block);
        }
    }
    Ok(blocks)
}

/// What both sides read out to each other before the parent approves.
impl Approved {
    /// The fingerprint of the enrolled key.
    pub fn fingerprint(&self) -> String {
        hex_encode(&self.enrolment.key)
    }
}
