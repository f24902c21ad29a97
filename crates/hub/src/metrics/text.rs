//! A status snapshot in the text format Prometheus reads.

use super::CLASSES_MICROS;
use crate::status::{LinkStatus, StatusSnapshot, WhyHeld};
use hub_core::time::Millis;
use hub_core::view::verdict::Reason;
use std::fmt::{self, Display, Write};

/// Everything a snapshot says, as lines of text.
pub fn exposition(snapshot: &StatusSnapshot) -> String {
    let mut page = Page { text: String::new(), now: snapshot.at };
    page.node(snapshot);
    page.links(snapshot);
    page.arrivals(snapshot);
    page.books(snapshot);
    page.disk(snapshot);
    page.text
}

/// What kind of number a metric is.
#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Counter,
}

struct Page {
    text: String,
    now: Millis,
}

/// One value with its labels.
type Sample<'a> = (&'a [(&'a str, &'a dyn Display)], u64);

impl Page {
    fn metric(&mut self, name: &str, help: &str, kind: Kind, samples: &[Sample<'_>]) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        for (labels, value) in samples {
            let labels = Labels(labels);
            self.line(format_args!("{name}{labels} {value}"));
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.metric(name, help, Kind::Gauge, &[(&[], value)]);
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // writing to a string does not fail
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }

    fn node(&mut self, snapshot: &StatusSnapshot) {
        let unit = snapshot.unit.map_or_else(String::new, |unit| unit.to_string());
        let version = env!("CARGO_PKG_VERSION");
        let labels: [(&str, &dyn Display); 4] = [
            ("node", &snapshot.node),
            ("unit", &unit),
            ("epoch", &snapshot.epoch),
            ("version", &version),
        ];
        self.metric("hub_info", "This node; always 1.", Kind::Gauge, &[(&labels, 1)]);
        let signs = u64::from(snapshot.does_not_sign.is_none());
        self.gauge("hub_signs", "1 while the node may sign facts, else 0.", signs);
        let help =
            "Until when the enrolment holds, in seconds since 1970; 0 before it is enrolled.";
        self.gauge("hub_enrolment_expires", help, snapshot.expires.unwrap_or(0) / 1_000);
        let labels: Vec<[(&str, &dyn Display); 1]> =
            snapshot.child_expires.iter().map(|child| [("peer", &child.node as _)]).collect();
        let ends = snapshot.child_expires.iter().map(|child| child.expires / 1_000);
        let samples: Vec<Sample<'_>> = labels.iter().map(|labels| &labels[..]).zip(ends).collect();
        let help = "Until when a direct child's enrolment holds, in seconds since 1970.";
        self.metric("hub_child_enrolment_expires", help, Kind::Gauge, &samples);
        let facts: u64 = snapshot.chains.iter().map(|chain| chain.facts).sum();
        let help = "Facts this node wrote in this and earlier epochs.";
        self.metric("hub_own_facts_total", help, Kind::Counter, &[(&[], facts)]);
    }

    fn links(&mut self, snapshot: &StatusSnapshot) {
        let parent = snapshot.parent.iter().map(|link| ("parent", link));
        let children = snapshot.children.iter().map(|link| ("child", link));
        let links: Vec<(&str, &LinkStatus)> = parent.chain(children).collect();
        let now = self.now;
        let age = |at: Millis| now.saturating_sub(at) / 1_000;
        let since = |link: &LinkStatus| link.behind.and_then(|behind| behind.since);
        self.per_link("hub_peer_connected", "1 while the courier works.", &links, |link| {
            Some(u64::from(link.connected))
        });
        self.per_link(
            "hub_peer_heard_seconds",
            "Seconds since the neighbour was last heard; absent before.",
            &links,
            |link| (link.heard_at > 0).then(|| age(link.heard_at)),
        );
        self.per_link(
            "hub_peer_newest_seconds",
            "Age of the newest block the neighbour itself wrote that is here, by its clock.",
            &links,
            |link| (link.newest > 0).then(|| age(link.newest)),
        );
        self.per_link(
            "hub_peer_behind_blocks",
            "Blocks for the neighbour it has not acknowledged; absent when too many to count.",
            &links,
            |link| link.behind.map(|behind| behind.blocks),
        );
        self.per_link(
            "hub_peer_behind_facts",
            "Facts for the neighbour it has not acknowledged; absent when too many to count.",
            &links,
            |link| link.behind.map(|behind| behind.facts),
        );
        self.per_link(
            "hub_peer_behind_seconds",
            "Age of the oldest block it has not acknowledged.",
            &links,
            |link| link.behind.map(|_| since(link).map_or(0, age)),
        );
        self.per_link(
            "hub_peer_refused",
            "Messages of the neighbour refused since the start.",
            &links,
            |link| Some(link.refused),
        );
        self.per_link(
            "hub_peer_quota_permille",
            "Thousandths of what the neighbour may bring in a day that are used.",
            &links,
            |link| Some(link.quota.used_permille),
        );
        self.per_link(
            "hub_peer_put_off",
            "Deliveries of the neighbour put off since the start because it had brought enough.",
            &links,
            |link| Some(link.quota.put_off),
        );
        for (why, name, help) in [
            (WhyHeld::Gap, "hub_peer_held_gap", "Blocks that wait for blocks before them."),
            (WhyHeld::UnknownKey, "hub_peer_held_key", "Blocks whose writer's key is unknown."),
            (WhyHeld::Door, "hub_peer_held_door", "Blocks whose clock is ahead of ours."),
        ] {
            self.per_link(name, help, &links, |link| {
                Some(link.held.iter().filter(|held| held.why == why).count() as u64)
            });
        }
    }

    fn per_link(
        &mut self,
        name: &str,
        help: &str,
        links: &[(&str, &LinkStatus)],
        value: impl Fn(&LinkStatus) -> Option<u64>,
    ) {
        let labels: Vec<[(&str, &dyn Display); 2]> = links
            .iter()
            .map(|(role, link)| [("role", role as _), ("peer", &link.node as _)])
            .collect();
        let values = links.iter().map(|(_, link)| value(link));
        let samples: Vec<Sample<'_>> = labels
            .iter()
            .zip(values)
            .filter_map(|(labels, value)| Some((&labels[..], value?)))
            .collect();
        self.metric(name, help, Kind::Gauge, &samples);
    }

    fn arrivals(&mut self, snapshot: &StatusSnapshot) {
        let complete = snapshot.arrived.iter().map(|arrival| u64::from(arrival.complete));
        let labels: Vec<[(&str, &dyn Display); 1]> =
            snapshot.arrived.iter().map(|arrival| [("ancestor", &arrival.ancestor as _)]).collect();
        let samples: Vec<Sample<'_>> =
            labels.iter().map(|labels| &labels[..]).zip(complete).collect();
        let help = "1 when the ancestor durably holds all this node wrote, else 0.";
        self.metric("hub_arrived", help, Kind::Gauge, &samples);
    }

    fn books(&mut self, snapshot: &StatusSnapshot) {
        let name = |reason: &Reason| match serde_json::to_value(reason) {
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        };
        let reasons: Vec<String> = snapshot.parked.keys().map(name).collect();
        let labels: Vec<[(&str, &dyn Display); 1]> =
            reasons.iter().map(|reason| [("reason", reason as _)]).collect();
        let counts = snapshot.parked.values().copied();
        let samples: Vec<Sample<'_>> = labels.iter().map(|l| &l[..]).zip(counts).collect();
        let help = "Facts kept but not counted, by reason.";
        self.metric("hub_parked_facts", help, Kind::Gauge, &samples);
        let open = snapshot.forks.iter().filter(|fork| fork.counts.is_none()).count() as u64;
        let forks = snapshot.forks.len() as u64;
        self.gauge("hub_forks", "Places at which a key signed twice.", forks);
        self.gauge("hub_forks_unsettled", "Those of which no side counts yet.", open);
        let damaged = snapshot.damaged as u64;
        self.gauge("hub_damaged_places", "Places of the journal that cannot be read.", damaged);
        self.gauge("hub_persons", "Persons the view knows.", snapshot.persons as u64);
    }

    fn disk(&mut self, snapshot: &StatusSnapshot) {
        let (disk, syncs) = (snapshot.disk, snapshot.syncs);
        self.gauge("hub_disk_free_bytes", "What this node may still write.", disk.free);
        self.gauge("hub_journal_bytes", "What the journal takes.", disk.journal);
        let name = "hub_sync_seconds";
        self.line(format_args!("# HELP {name} How long making blocks durable took."));
        self.line(format_args!("# TYPE {name} histogram"));
        for (class, count) in CLASSES_MICROS.iter().zip(syncs.classes) {
            let class = Seconds(*class);
            self.line(format_args!("{name}_bucket{{le=\"{class}\"}} {count}"));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {}", syncs.count));
        self.line(format_args!("{name}_sum {}", Seconds(syncs.micros)));
        self.line(format_args!("{name}_count {}", syncs.count));
        let failed = [(&[][..], syncs.failed)];
        let help = "Times making blocks durable failed.";
        self.metric("hub_sync_failed_total", help, Kind::Counter, &failed);
    }
}

/// Microseconds, written as seconds.
struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Labels in braces; values hold ids and words of this program, nothing that needs escaping.
struct Labels<'a>(&'a [(&'a str, &'a dyn Display)]);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        for (place, (name, value)) in self.0.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            write!(f, "{open}{name}=\"{value}\"")?;
        }
        f.write_str("}")
    }
}
