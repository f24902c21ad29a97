//! What is to be said: facts before they have a clock, and a transaction that gives them their place.

use super::lane::LaneChoice;
use hub_core::SigningKey;
use hub_core::block::{Block, SealError};
use hub_core::chain::ChainHead;
use hub_core::codec::CodecError;
use hub_core::fact::governance::LaneHead;
use hub_core::fact::{Attribute, Fact, FactBody};
use hub_core::hash::Hash;
use hub_core::header::FACTS_MAX;
use hub_core::id::{ChainId, FactId, FederationId, Lane, NodeId, UnitId};
use hub_core::lane::Lanes;
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_core::view::View;
use std::collections::BTreeMap;

/// A fact without its clock and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The civil day from which it holds.
    pub day: Day,
    /// How exactly that day is known.
    pub precision: Precision,
    /// The post that enters it.
    pub operator: u32,
    /// The unit the writer acts for.
    pub unit: UnitId,
    /// The document it rests on.
    pub document: Option<String>,
    /// Coded attributes; sorted when written.
    pub attributes: Vec<Attribute>,
    /// What happened.
    pub body: FactBody,
    /// Where it flows.
    pub lane: LaneChoice,
}

impl Draft {
    /// A fact of this day, entered by post 0 for `unit`, that flows where its subject says.
    pub fn new(unit: UnitId, day: Day, body: FactBody) -> Self {
        Self {
            day,
            precision: Precision::Day,
            operator: 0,
            unit,
            document: None,
            attributes: Vec::new(),
            body,
            lane: LaneChoice::Auto,
        }
    }

    fn into_fact(self, hlc: Hlc) -> Fact {
        let mut attributes = self.attributes;
        attributes.sort();
        Fact {
            hlc,
            day: self.day,
            precision: self.precision,
            operator: self.operator,
            unit: self.unit,
            document: self.document,
            attributes,
            body: self.body,
        }
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The federation.
    pub federation: FederationId,
    /// The node.
    pub node: NodeId,
    /// The epoch: the newest key there is.
    pub epoch: u32,
    /// The unit it serves, once it is enrolled.
    pub unit: Option<UnitId>,
    /// The unit it writes for: before it is enrolled in this epoch, that of the one before, unless it must wait.
    pub office: Option<UnitId>,
}

impl Identity {
    /// One of its chains.
    pub fn chain(&self, lane: Lane) -> ChainId {
        ChainId { node: self.node, epoch: self.epoch, lane }
    }
}

/// Facts that are written together, all or none. Each has its id at once, so that a later one can name
/// an earlier one.
pub struct Transaction<'a> {
    view: &'a View,
    who: Identity,
    now: Millis,
    last_hlc: Hlc,
    heads: &'a BTreeMap<Lane, ChainHead>,
    /// The heads that this epoch continues where no enrolment says yet.
    before: Vec<LaneHead>,
    lanes: Lanes,
    facts: BTreeMap<Lane, Vec<Fact>>,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: usize = self.facts.values().map(Vec::len).sum();
        write!(f, "Transaction({count} facts)")
    }
}

/// Sealed blocks and where they leave the writer.
pub(super) struct Sealed {
    pub(super) blocks: Vec<Block>,
    pub(super) heads: BTreeMap<Lane, ChainHead>,
    pub(super) last_hlc: Hlc,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        view: &'a View,
        who: Identity,
        now: Millis,
        last_hlc: Hlc,
        heads: &'a BTreeMap<Lane, ChainHead>,
        before: Vec<LaneHead>,
    ) -> Self {
        let lanes = Lanes::new(who.node, who.office, last_hlc.tick(now));
        Self { view, who, now, last_hlc, heads, before, lanes, facts: BTreeMap::new() }
    }

    /// The view these facts will be added to; it stands still until they are.
    pub fn view(&self) -> &'a View {
        self.view
    }

    /// Who writes.
    pub fn who(&self) -> Identity {
        self.who
    }

    /// The clock of the next fact: for days that default to today.
    pub fn now(&self) -> Hlc {
        self.last_hlc.tick(self.now)
    }

    /// The lane a fact of this body goes to by itself.
    pub fn lane_of(&mut self, body: &FactBody) -> Lane {
        self.lanes.of(self.view, body)
    }

    /// The id that the next fact of this lane gets.
    pub fn next_id(&self, lane: Lane) -> FactId {
        let before = self.heads.get(&lane).map_or(1, |head| head.next_seq);
        let pending = self.facts.get(&lane).map_or(0, |facts| facts.len() as u64);
        FactId { chain: self.who.chain(lane), seq: before + pending }
    }

    /// Adds a fact and says its id.
    pub fn push(&mut self, draft: Draft) -> FactId {
        let lane = match draft.lane {
            LaneChoice::Lane(lane) => lane,
            LaneChoice::Auto => self.lanes.of(self.view, &draft.body),
        };
        let id = self.next_id(lane);
        self.last_hlc = self.last_hlc.tick(self.now);
        self.lanes.note(&draft.body);
        let fact = draft.into_fact(self.last_hlc);
        self.facts.entry(lane).or_default().push(fact);
        id
    }

    /// Adds a fact whose content depends on its own id, as the first fact of a union does. `make` is
    /// called with a trial id to find the lane by, then with the fact's own: it must give the same fact
    /// but for what is derived from the id.
    pub fn push_with(&mut self, make: impl Fn(FactId) -> Draft) -> FactId {
        let trial = make(self.next_id(Lane::Up));
        let lane = match trial.lane {
            LaneChoice::Lane(lane) => lane,
            LaneChoice::Auto => self.lanes.of(self.view, &trial.body),
        };
        let mut draft = make(self.next_id(lane));
        draft.lane = LaneChoice::Lane(lane);
        self.push(draft)
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The head that a lane of this epoch continues: the one its enrolment names, or what the request for that
    /// does.
    fn continued(&self, lane: Lane) -> Hash {
        let enrolled = self.view.authority().enrolment_of((self.who.node, self.who.epoch));
        let continues = enrolled.and_then(|enrolled| enrolled.enrolment.continues.as_ref());
        let heads = continues.map_or(&self.before[..], |(_, heads)| heads.as_slice());
        heads.iter().find(|head| head.lane == lane).map_or(Hash::ZERO, |head| head.hash)
    }

    /// Cuts the facts into blocks and signs them.
    pub(super) fn seal(self, key: &SigningKey) -> Result<Sealed, SealError> {
        let (mut blocks, mut heads) = (Vec::new(), BTreeMap::new());
        for (lane, facts) in &self.facts {
            let chain = self.who.chain(*lane);
            let head = self.heads.get(lane).copied();
            let mut chain = Chain {
                federation: self.who.federation,
                chain,
                head: head.unwrap_or_else(|| ChainHead::empty(self.continued(*lane))),
                key,
                blocks: &mut blocks,
            };
            for run in facts.chunk_by(|a, b| is_member(a) == is_member(b)) {
                for part in run.chunks(FACTS_MAX as usize) {
                    chain.seal(part)?;
                }
            }
            heads.insert(*lane, chain.head);
        }
        Ok(Sealed { blocks, heads, last_hlc: self.last_hlc })
    }
}

fn is_member(fact: &Fact) -> bool {
    matches!(fact.body, FactBody::Member(_))
}

struct Chain<'a> {
    federation: FederationId,
    chain: ChainId,
    head: ChainHead,
    key: &'a SigningKey,
    blocks: &'a mut Vec<Block>,
}

impl Chain<'_> {
    /// Seals these facts into one block, or, when that would be too long, into more.
    fn seal(&mut self, facts: &[Fact]) -> Result<(), SealError> {
        let place = self.head.next_place(self.federation, self.chain);
        match Block::seal(place, facts, self.key) {
            Ok(block) => {
                let extended = self.head.extended(block.header(), block.hash());
                // The place was taken from the head, so it follows.
                self.head = extended.map_err(|_| SealError::Order { index: 0 })?;
                self.blocks.push(block);
                Ok(())
            }
            Err(SealError::Codec(error)) if facts.len() > 1 && is_too_much(&error) => {
                let (first, second) = facts.split_at(facts.len() / 2);
                self.seal(first)?;
                self.seal(second)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether fewer facts in a block would mend it.
fn is_too_much(error: &CodecError) -> bool {
    matches!(
        error,
        CodecError::TooLong { .. } | CodecError::Count { .. } | CodecError::Claim { .. }
    )
}
