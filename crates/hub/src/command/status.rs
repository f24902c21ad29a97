//! `hub status`: how this node stands, and how far what it wrote has arrived.

use super::error::CommandError;
use super::session::Session;
use crate::bundle::Told;
use crate::expiry::{ChildExpiry, Left};
use crate::render::{Cell, Format, Table, words};
use crate::replica::SigningRefused;
use crate::status::{Arrival, ForkStatus, LinkStatus, StatusSnapshot};
use hub_core::id::NodeId;
use hub_core::time::{Day, Hlc, Millis};
use hub_core::view::View;

/// Shows a snapshot; 1, in whatever form, if somebody must do something now.
///
/// # Errors
/// The screen is gone.
pub fn status(session: &Session<'_>, snapshot: &StatusSnapshot) -> Result<u8, CommandError> {
    // asked before the view is: whether it signs is told by locks that come before the view
    let refused = session.replica().may_sign().err();
    let (table, unwell) = {
        let view = session.replica().read();
        let page = Page { session, snapshot, refused, view: &view };
        (page.table(), page.is_unwell())
    };
    if session.format == Format::Json {
        let json = serde_json::to_string_pretty(snapshot)
            .map_err(|error| CommandError::Machine(error.to_string()))?;
        session.io.out(&format!("{json}\n")).map_err(CommandError::Screen)?;
    } else {
        session.show(&table)?;
    }
    Ok(u8::from(unwell))
}

struct Page<'a> {
    session: &'a Session<'a>,
    snapshot: &'a StatusSnapshot,
    /// Why the node does not sign now, as far as its own books say.
    refused: Option<SigningRefused>,
    view: &'a View,
}

impl Page<'_> {
    fn table(&self) -> Table {
        let lang = self.session.lang;
        let title = lang.pick("节点状况", "node").to_owned();
        let columns = [("item", lang.pick("项目", "item")), ("value", lang.pick("状况", "state"))];
        let mut table = Table::new(title, &columns);
        let mut line = |zh: &str, en: &str, value: String| {
            table.push(vec![Cell::text(lang.pick(zh, en)), Cell::text(value)]);
        };
        let snapshot = self.snapshot;
        line("单位", "unit", self.unit());
        line("节点", "node", snapshot.node.to_string());
        if let Some(expires) = snapshot.expires {
            line("有效期至", "valid until", self.until(expires));
        }
        let running = lang.pick(
            if snapshot.daemon { "运行中" } else { "未运行(仅本地)" },
            if snapshot.daemon { "running" } else { "not running (local only)" },
        );
        line("服务", "daemon", running.to_owned());
        let facts: u64 = snapshot.chains.iter().map(|chain| chain.facts).sum();
        line("本节点记录", "own facts", facts.to_string());
        if let Some(parent) = &snapshot.parent {
            line("上级", "parent", self.link(parent));
            line("已送达", "arrived", self.arrived());
            if let Some(told) = &snapshot.told {
                line("电话回执", "said by telephone", self.told(parent.node, told));
            }
        }
        for child in &snapshot.children {
            line("下级", "child", self.link(child));
        }
        for ChildExpiry { node, expires } in self.ending() {
            let value = format!("{} {}", self.name(*node), self.until(*expires));
            line("下级有效期至", "child valid until", value);
        }
        for (reason, count) in &snapshot.parked {
            let reason = words::reason(lang, *reason);
            line("暂存未计", "parked", format!("{reason}: {count}"));
        }
        if snapshot.damaged > 0 {
            line("账本损坏处", "damaged places", snapshot.damaged.to_string());
        }
        for fork in &snapshot.forks {
            line("同一位置两份签名", "signed twice", self.fork(fork));
        }
        line("磁盘", "disk", self.disk());
        if let Some(why) = &snapshot.does_not_sign {
            let zh = self.refused.as_ref().map_or_else(|| why.clone(), words::signing_refused);
            line("暂停签发", "does not sign", lang.pick(zh, why.clone()));
        }
        table
    }

    fn unit(&self) -> String {
        let lang = self.session.lang;
        let found = self.snapshot.unit.and_then(|unit| self.view.tree().find(&unit));
        found.map_or_else(
            || lang.pick("尚未获准接入", "not enrolled yet").to_owned(),
            |at| self.view.tree().unit(at).name().to_owned(),
        )
    }

    /// Until when an enrolment holds, with a warning where the policy wants one (DESIGN §9).
    fn until(&self, expires: Millis) -> String {
        let (lang, day) = (self.session.lang, Day::of_millis(expires));
        match Left::of(self.view, expires, self.snapshot.at) {
            Left::Long => day.to_string(),
            Left::Under(days) => lang.pick(
                format!("{day}(不足 {days} 天,请续期)"),
                format!("{day} (less than {days} days left: renew it)"),
            ),
            Left::Over => lang.pick(
                format!("{day}(已过期:新记录暂存未计,请续期)"),
                format!("{day} (expired: new facts are parked until it is renewed)"),
            ),
        }
    }

    /// The children whose enrolments end soon.
    fn ending(&self) -> impl Iterator<Item = &ChildExpiry> {
        let ends = |child: &&ChildExpiry| self.left(child.expires) != Left::Long;
        self.snapshot.child_expires.iter().filter(ends)
    }

    fn left(&self, expires: Millis) -> Left {
        Left::of(self.view, expires, self.snapshot.at)
    }

    /// Whether somebody must do something now.
    fn is_unwell(&self) -> bool {
        let snapshot = self.snapshot;
        let below = snapshot.child_expires.iter().map(|child| child.expires);
        let mut ends = snapshot.expires.into_iter().chain(below);
        snapshot.does_not_sign.is_some()
            || !snapshot.forks.is_empty()
            || snapshot.damaged > 0
            || ends.any(|expires| self.left(expires).is_urgent(self.view))
    }

    /// The name of the unit a node serves, as people know it.
    fn name(&self, node: NodeId) -> String {
        let enrolled = self.view.authority().newest_of(node);
        enrolled.map_or_else(
            || match self.session.replica().followers().contains(&node) {
                true => format!("{} {node}", self.session.lang.pick("副本", "copy")),
                false => node.to_string(),
            },
            |enrolled| self.view.tree().unit(enrolled.unit).name().to_owned(),
        )
    }

    fn link(&self, link: &LinkStatus) -> String {
        let lang = self.session.lang;
        let state = lang.pick(
            if link.connected { "已连接" } else { "未连接" },
            if link.connected { "connected" } else { "not connected" },
        );
        let mut text = format!("{} {state}", self.name(link.node));
        if let Some(behind) = link.behind.filter(|behind| behind.blocks > 0) {
            let facts = behind.facts;
            text += &lang.pick(format!(",待送 {facts} 条"), format!(", {facts} facts behind"));
        }
        if !link.held.is_empty() {
            let held = link.held.len();
            text += &lang.pick(format!(",暂扣 {held}"), format!(", {held} held"));
        }
        if link.quota.over_since.is_some() {
            text +=
                lang.pick(",超出每日限量,余下的稍后再收", ", over its daily quota: the rest later");
        }
        if link.refused > 0 {
            let refused = link.refused;
            text += &lang.pick(format!(",拒收 {refused}"), format!(", {refused} refused"));
        }
        if link.heard_at > 0 {
            let age = crate::report::coverage::age(self.since(link.heard_at), lang);
            text += &lang.pick(format!(",{age}联系"), format!(", heard {age}"));
        }
        text
    }

    /// What is free, what the journal takes, and how long the disk needs to make something durable.
    fn disk(&self) -> String {
        let (disk, syncs) = (self.snapshot.disk, self.snapshot.syncs);
        let mib = |bytes: u64| bytes >> 20;
        let (free, journal) = (mib(disk.free), mib(disk.journal));
        let mut text = self.session.lang.pick(
            format!("可用 {free} MiB,账本 {journal} MiB"),
            format!("{free} MiB free, journal {journal} MiB"),
        );
        if let Some(mean) = syncs.micros.checked_div(syncs.count) {
            let [mean, longest] = [mean, syncs.longest_micros]
                .map(|micros| format!("{}.{:03} ms", micros / 1_000, micros % 1_000));
            text += &self.session.lang.pick(
                format!(",落盘平均 {mean}、最长 {longest}"),
                format!(", durable after {mean} on average, {longest} at most"),
            );
        }
        text
    }

    /// Whose chain it is, from which block on, and whether anything of it counts.
    fn fork(&self, fork: &ForkStatus) -> String {
        let (name, height) = (self.name(fork.chain.node), fork.height);
        let lang = self.session.lang;
        match fork.counts {
            None => lang.pick(
                format!("{name} 第 {height} 块起暂停计入,待认定(hub fork list)"),
                format!("{name} from block {height} on suspended, to be settled (hub fork list)"),
            ),
            Some(_) => lang.pick(
                format!("{name} 第 {height} 块,已认定一份"),
                format!("{name} block {height}, settled"),
            ),
        }
    }

    fn since(&self, at: Millis) -> Millis {
        self.snapshot.at.saturating_sub(at)
    }

    /// 已送达: 乡镇 ✓ 县 ✓ 市 –: every ancestor with what it has confirmed.
    fn arrived(&self) -> String {
        let confirmed = |node: NodeId| {
            let of_node = |arrival: &&Arrival| arrival.ancestor == node;
            self.snapshot.arrived.iter().find(of_node).is_some_and(|arrival| arrival.complete)
        };
        let marks: Vec<String> = self
            .ancestors()
            .into_iter()
            .map(|node| {
                let mark = if confirmed(node) { "✓" } else { "–" };
                format!("{} {mark}", self.name(node))
            })
            .collect();
        marks.join("  ")
    }

    /// What the parent said without signing it.
    fn told(&self, parent: NodeId, told: &Told) -> String {
        let (lang, name) = (self.session.lang, self.name(parent));
        let age = crate::report::coverage::age(self.since(told.at), lang);
        let rest = told.behind.filter(|_| !told.complete).map(|behind| behind.facts);
        match rest {
            _ if told.complete => lang.pick(
                format!("{name} {age}口头确认全部收到(未经签名)"),
                format!("{name} said {age} that it holds all (not signed)"),
            ),
            Some(facts) => lang.pick(
                format!("{name} {age}口头确认(未经签名),之后还有 {facts} 条"),
                format!("{name} said so {age} (not signed), {facts} facts come after"),
            ),
            None => lang.pick(
                format!("{name} {age}口头确认了一部分(未经签名)"),
                format!("{name} said {age} that it holds a part (not signed)"),
            ),
        }
    }

    /// The nodes above, nearest first, by the tree as this node knows it.
    fn ancestors(&self) -> Vec<NodeId> {
        let tree = self.view.tree();
        let Some(own) = self.snapshot.unit.and_then(|unit| tree.find(&unit)) else {
            return Vec::new();
        };
        let now = Hlc::at(self.snapshot.at);
        let mut nodes = Vec::new();
        for unit in tree.path_on(own, now.day()).into_iter().skip(1) {
            let server = self.view.authority().server_of(tree, unit, now);
            if let Some(node) = server.map(|enrolled| enrolled.enrolment.node)
                && node != self.snapshot.node
                && !nodes.contains(&node)
            {
                nodes.push(node);
            }
        }
        nodes
    }
}
