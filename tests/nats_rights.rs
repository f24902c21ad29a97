//! On a real nats-server with the configuration `hub` writes: what a child may say and hear, and that
//! the links go on after the server was killed or wiped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::StreamExt;
use hub::keys::{NatsUser, random_secret};
use hub::nats::{
    Channel, ChildrenSettings, Dial, Incoming, Link, LinkEvent, LinkEvents, LinkHandle, Outgoing,
    ParentSettings, Subjects, inbox_prefix, spawn_children_link, spawn_parent_link,
};
use hub::ops_nats::{ChildUser, Children, LISTEN_DEFAULT, ServerPlan};
use hub_core::id::{FederationId, NodeId};
use hub_tests::nats::NatsServer;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const FEDERATION: FederationId = FederationId([0xfe; 16]);
const COUNTY: NodeId = NodeId([0xc0; 16]);
const TOWNSHIPS: [NodeId; 2] = [NodeId([0x71; 16]), NodeId([0x72; 16])];

/// A county, its server and two townships.
struct World {
    server: NatsServer,
    county: Arc<NatsUser>,
    townships: [Arc<NatsUser>; 2],
    plan: ServerPlan,
    _directory: tempfile::TempDir,
}

fn user() -> Arc<NatsUser> {
    Arc::new(NatsUser::of_secret(&random_secret().unwrap()).unwrap())
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (county, townships) = (user(), [user(), user()]);
        let mut children = Children::default();
        for (node, user) in TOWNSHIPS.into_iter().zip(&townships) {
            let nats_user = user.public().to_owned();
            children.put(ChildUser::new(node, nats_user, "演示镇".into())).unwrap();
        }
        let plan = ServerPlan {
            federation: FEDERATION,
            parent: COUNTY,
            parent_user: county.public().to_owned(),
            children,
            listen: LISTEN_DEFAULT.into(),
            store_dir: directory.path().into(),
            tls: None,
            websocket: None,
            cluster: None,
        };
        let server = NatsServer::start(&plan, &directory.path().join("nats")).unwrap();
        Self { server, county, townships, plan, _directory: directory }
    }

    fn dial(&self, user: &Arc<NatsUser>, node: NodeId) -> Dial {
        Dial { url: self.server.url(), tls_ca: None, user: user.clone(), node }
    }

    async fn county_link(&self, events: LinkEvents) -> LinkHandle {
        let settings = ChildrenSettings {
            dial: self.dial(&self.county, COUNTY),
            federation: FEDERATION,
            stream_bytes: 64 << 20,
            messages_per_child: 100,
            replicas: 1,
        };
        spawn_children_link(settings, events).await.unwrap()
    }

    async fn township_link(&self, index: usize, events: LinkEvents) -> LinkHandle {
        let dial = self.dial(&self.townships[index], TOWNSHIPS[index]);
        let settings = ParentSettings { dial, federation: FEDERATION, parent: COUNTY };
        spawn_parent_link(settings, events).await.unwrap()
    }

    /// A bare client that logs in as a township, with what the server refuses it.
    async fn thief(&self, index: usize) -> (async_nats::Client, mpsc::UnboundedReceiver<String>) {
        let (sender, refused) = mpsc::unbounded_channel();
        let client = async_nats::ConnectOptions::new()
            .nkey(self.townships[index].seed().to_owned())
            .custom_inbox_prefix(inbox_prefix(TOWNSHIPS[index]))
            .event_callback(move |event| {
                if let async_nats::Event::ServerError(error) = event {
                    let _ = sender.send(error.to_string());
                }
                std::future::ready(())
            })
            .connect(self.server.url())
            .await
            .unwrap();
        (client, refused)
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(40), what).await.unwrap()
}

type Events = mpsc::Receiver<(Link, LinkEvent)>;

fn events() -> (LinkEvents, Events) {
    mpsc::channel(64)
}

async fn until<T>(events: &mut Events, mut wanted: impl FnMut(LinkEvent) -> Option<T>) -> T {
    soon(async {
        loop {
            let (_, event) = events.recv().await.unwrap();
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
}

async fn connected(events: &mut Events) {
    until(events, |event| matches!(event, LinkEvent::Connected).then_some(())).await;
}

async fn received(events: &mut Events) -> Incoming {
    until(events, |event| match event {
        LinkEvent::Received(incoming) => Some(incoming),
        _ => None,
    })
    .await
}

fn up(text: &str) -> Outgoing {
    let message_id = Some(format!("id-{text}"));
    Outgoing { to: COUNTY, channel: Channel::Up, bytes: text.into(), message_id }
}

#[tokio::test]
async fn the_legal_paths_are_open() {
    let world = World::new();
    let (sender, mut at_county) = events();
    let county = world.county_link(sender).await;
    let (sender, mut at_township) = events();
    let township = world.township_link(0, sender).await;
    connected(&mut at_county).await;
    connected(&mut at_township).await;

    // The same block twice under one id arrives once.
    for text in ["one", "one", "two"] {
        assert!(township.send(up(text)));
    }
    for expected in ["one", "two"] {
        let incoming = received(&mut at_county).await;
        assert_eq!((incoming.from, incoming.channel), (TOWNSHIPS[0], Channel::Up));
        assert_eq!(incoming.bytes, expected.as_bytes());
        incoming.ack.unwrap().settled();
    }

    let ask = |to, channel| Outgoing { to, channel, bytes: b"?".to_vec(), message_id: None };
    assert!(township.send(ask(COUNTY, Channel::Ask)));
    let incoming = received(&mut at_county).await;
    assert_eq!((incoming.from, incoming.channel), (TOWNSHIPS[0], Channel::Ask));
    assert!(incoming.ack.is_none());

    assert!(county.send(ask(TOWNSHIPS[0], Channel::Down)));
    let incoming = received(&mut at_township).await;
    assert_eq!((incoming.from, incoming.channel), (COUNTY, Channel::Down));
    township.stop().await;
    county.stop().await;
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let world = World::new();
    let (sender, mut at_county) = events();
    let county = world.county_link(sender).await;
    let (sender, mut at_township) = events();
    let township = world.township_link(0, sender).await;
    connected(&mut at_county).await;
    connected(&mut at_township).await;

    assert!(township.send(up("block")));
    drop(received(&mut at_county).await);
    let again = received(&mut at_county).await;
    assert_eq!(again.bytes, b"block");
    again.ack.unwrap().settled();
    county.stop().await;
}

#[tokio::test]
async fn a_child_whose_blocks_wait_stops_no_other() {
    let world = World::new();
    let (sender, mut at_county) = events();
    let _county = world.county_link(sender).await;
    let (sender, mut at_waiting) = events();
    let waiting = world.township_link(0, sender).await;
    let (sender, mut at_other) = events();
    let other = world.township_link(1, sender).await;
    for events in [&mut at_county, &mut at_waiting, &mut at_other] {
        connected(events).await;
    }

    // More than may be under way: looked at, and waiting for something.
    let mut held = Vec::new();
    for number in 0..40_u8 {
        let message_id = Some(format!("held {number}"));
        let bytes = vec![number; 500_000];
        assert!(waiting.send(Outgoing { to: COUNTY, channel: Channel::Up, bytes, message_id }));
        let mut ack = received(&mut at_county).await.ack.unwrap();
        ack.taken_in();
        held.push(ack);
    }
    assert!(other.send(up("other")));
    loop {
        let incoming = received(&mut at_county).await;
        let mut ack = incoming.ack.unwrap();
        if incoming.from == TOWNSHIPS[1] {
            ack.settled();
            break;
        }
        ack.taken_in();
        held.push(ack);
    }
}

#[tokio::test]
async fn a_stolen_key_reaches_nothing_of_others() {
    let world = World::new();
    let (sender, mut at_county) = events();
    let _county = world.county_link(sender).await;
    connected(&mut at_county).await;
    let subjects = Subjects::new(FEDERATION, COUNTY);
    let stream = subjects.stream();
    let (thief, mut refused) = world.thief(0).await;

    let forbidden = [
        subjects.of_child(Channel::Up, TOWNSHIPS[1]),
        subjects.of_child(Channel::Ask, TOWNSHIPS[1]),
        subjects.of_child(Channel::Down, TOWNSHIPS[0]),
        subjects.of_child(Channel::Down, TOWNSHIPS[1]),
        "$JS.API.STREAM.NAMES".to_owned(),
        format!("$JS.API.STREAM.PURGE.{stream}"),
        format!("$JS.API.STREAM.DELETE.{stream}"),
        format!("$JS.API.STREAM.MSG.GET.{stream}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.hub"),
        format!("$JS.ACK.{stream}.hub.1.1.1.1.0"),
        format!("{}.x", inbox_prefix(TOWNSHIPS[1])),
    ];
    for subject in forbidden {
        thief.publish(subject.clone(), "x".into()).await.unwrap();
        let words = soon(refused.recv()).await.unwrap();
        let expected = format!("Permissions Violation for Publish to \"{subject}\"");
        assert!(words.contains(&expected), "expected {expected}, found {words}");
    }
    let forbidden = [
        subjects.of_child(Channel::Down, TOWNSHIPS[1]),
        subjects.of_all(Channel::Down),
        subjects.of_all(Channel::Up),
        subjects.of_child(Channel::Up, TOWNSHIPS[0]),
        format!("{}.>", inbox_prefix(TOWNSHIPS[1])),
        format!("{}.>", inbox_prefix(COUNTY)),
        "$JS.EVENT.>".to_owned(),
        ">".to_owned(),
    ];
    for subject in forbidden {
        let _subscription = thief.subscribe(subject.clone()).await.unwrap();
        let words = soon(refused.recv()).await.unwrap();
        let expected = format!("Permissions Violation for Subscription to \"{subject}\"");
        assert!(words.contains(&expected), "expected {expected}, found {words}");
    }

    // What was refused had no effect: the sibling's own message is the first that arrives.
    let (sender, mut at_sibling) = events();
    let sibling = world.township_link(1, sender).await;
    connected(&mut at_sibling).await;
    assert!(sibling.send(up("own")));
    let incoming = received(&mut at_county).await;
    assert_eq!((incoming.from, incoming.bytes.as_slice()), (TOWNSHIPS[1], &b"own"[..]));
}

#[tokio::test]
async fn what_goes_down_is_heard_by_its_child_alone() {
    let world = World::new();
    let (sender, mut at_county) = events();
    let county = world.county_link(sender).await;
    connected(&mut at_county).await;
    let subjects = Subjects::new(FEDERATION, COUNTY);
    let (thief, _refused) = world.thief(0).await;
    let mut own = thief.subscribe(subjects.of_child(Channel::Down, TOWNSHIPS[0])).await.unwrap();
    let mut other = thief.subscribe(subjects.of_child(Channel::Down, TOWNSHIPS[1])).await.unwrap();
    // A server reads a connection in order: once this is heard, it knows the subscriptions.
    thief.publish(subjects.of_child(Channel::Ask, TOWNSHIPS[0]), "?".into()).await.unwrap();
    received(&mut at_county).await;

    for to in [TOWNSHIPS[1], TOWNSHIPS[0]] {
        let bytes = to.0.to_vec();
        assert!(county.send(Outgoing { to, channel: Channel::Down, bytes, message_id: None }));
    }
    // The sibling's was sent first: once the own one is here, the other would be.
    let message = soon(own.next()).await.unwrap();
    assert_eq!(message.payload[..], TOWNSHIPS[0].0);
    assert!(futures_util::FutureExt::now_or_never(other.next()).is_none());
}

#[tokio::test]
async fn a_node_off_the_list_is_shut_out_and_let_in_again() {
    let world = World::new();
    let mut plan = world.plan.clone();
    plan.children.remove(TOWNSHIPS[0]);
    let (sender, mut at_township) = events();
    let _township = world.township_link(0, sender).await;
    connected(&mut at_township).await;
    world.server.reload(&plan).unwrap();
    until(&mut at_township, |event| matches!(event, LinkEvent::Disconnected).then_some(())).await;
    world.server.reload(&world.plan).unwrap();
    connected(&mut at_township).await;
}

#[tokio::test]
async fn links_go_on_when_the_server_comes_late_dies_and_forgets() {
    let mut world = World::new();
    world.server.kill();
    let (sender, mut at_county) = events();
    let _county = world.county_link(sender).await;
    let (sender, mut at_township) = events();
    let township = world.township_link(0, sender).await;

    for round in ["late", "killed"] {
        world.server.restart().unwrap();
        connected(&mut at_county).await;
        connected(&mut at_township).await;
        for number in 0..3 {
            assert!(township.send(up(&format!("{round} {number}"))));
        }
        // An acknowledgement may die with the server: then what was stored comes once more.
        let mut missing: BTreeSet<Vec<u8>> =
            (0..3).map(|number| format!("{round} {number}").into_bytes()).collect();
        while !missing.is_empty() {
            let incoming = received(&mut at_county).await;
            missing.remove(&incoming.bytes);
            incoming.ack.unwrap().settled();
        }
        world.server.kill();
        for events in [&mut at_county, &mut at_township] {
            until(events, |event| matches!(event, LinkEvent::Disconnected).then_some(())).await;
        }
    }

    // Both sides see that the server forgot: the parent by the stream's birth, the child by its count.
    world.server.kill_and_wipe().unwrap();
    world.server.restart().unwrap();
    let wiped = |event| matches!(event, LinkEvent::Wiped { .. }).then_some(());
    until(&mut at_county, wiped).await;
    connected(&mut at_township).await;
    assert!(township.send(up("after")));
    let incoming = received(&mut at_county).await;
    assert_eq!(incoming.bytes, b"after", "the server was wiped");
    until(&mut at_township, wiped).await;
}
