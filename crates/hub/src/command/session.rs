//! What a command works with: the node's books, and the caller's files and screen.

use super::error::CommandError;
use super::names::Names;
use crate::command_io::CommandIo;
use crate::config::Node;
use crate::host::Host;
use crate::import::Problem;
use crate::import::date::{self, Dated};
use crate::keys::{PERSON_KEY, VAULT_KEY};
use crate::render::{Format, Lang, Table};
use crate::replica::{Replica, Transaction, WriteError};
use hub_core::block::Block;
use hub_core::codec::Body;
use hub_core::fact::Attribute;
use hub_core::id::{MemberKey, NodeId, UnitId};
use hub_core::known::Shelf;
use hub_core::person::PersonKey;
use hub_core::query::Desk;
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_core::view::View;
use hub_log::vault::{Person, Vault};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The node as commands share it: one a process, in the daemon for its whole life.
pub struct Shared {
    /// Configuration and places.
    pub node: Node,
    /// The books.
    pub replica: Arc<Replica>,
    /// The same with the daemon around it, if one runs.
    pub host: Host,
    desk: Mutex<Desk>,
    shelf: Mutex<Shelf>,
    vault: Mutex<Option<Arc<Vault>>>,
}

impl Shared {
    /// The node with these books.
    pub fn new(host: Host) -> Self {
        Self {
            node: host.node.clone(),
            replica: Arc::clone(&host.replica),
            host,
            desk: Mutex::default(),
            shelf: Mutex::default(),
            vault: Mutex::default(),
        }
    }

    /// What was computed for earlier questions.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        held(&self.desk)
    }

    /// Views of checkpoints asked for lately.
    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        held(&self.shelf)
    }

    /// The vault, opened at the first call.
    ///
    /// # Errors
    /// There is no key for it, or it does not open.
    pub fn vault(&self) -> Result<Arc<Vault>, CommandError> {
        let mut vault = held(&self.vault);
        if let Some(open) = &*vault {
            return Ok(Arc::clone(open));
        }
        let keys = self.replica.keys();
        let key = match keys.load(VAULT_KEY)? {
            Some(key) => key,
            None => keys.create(VAULT_KEY)?,
        };
        let (open, recovery) = Vault::open(&self.node.data_dir().join("vault"), &key)?;
        if !recovery.damaged.is_empty() {
            tracing::error!(regions = recovery.damaged.len(), "damage in the vault");
        }
        let open = Arc::new(open);
        *vault = Some(Arc::clone(&open));
        Ok(open)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One run of a command.
pub struct Session<'a> {
    /// The node.
    pub shared: &'a Shared,
    /// The caller's files and screen.
    pub io: &'a dyn CommandIo,
    /// The language of messages.
    pub lang: Lang,
    /// The form of tables.
    pub format: Format,
    /// The post that enters facts.
    pub operator: u32,
}

impl Session<'_> {
    /// The books.
    pub fn replica(&self) -> &Replica {
        &self.shared.replica
    }

    /// What this node's own vault knows of a person; a vault that was never made is not made by asking.
    ///
    /// # Errors
    /// The vault cannot be opened or read.
    pub fn person(&self, member: &MemberKey) -> Result<Option<Person>, CommandError> {
        if self.replica().keys().load(VAULT_KEY)?.is_none() {
            return Ok(None);
        }
        Ok(self.shared.vault()?.get(member)?)
    }

    /// Says what of the books cannot be read, before any answer that lacks it.
    ///
    /// # Errors
    /// The screen is gone.
    pub fn warn_of_damage(&self) -> Result<(), CommandError> {
        let replica = self.replica();
        let mut warnings = Vec::new();
        if replica.damaged() > 0 {
            let count = replica.damaged();
            warnings.push(self.lang.pick(
                format!("注意:账本有 {count} 处损坏,缺失的记录不在结果中;用 hub audit verify 查看,停止服务后运行 hub log repair,再同步补回\n"),
                format!(
                    "warning: {count} places of the books are damaged, and what they held is missing \
                     from every answer; see hub audit verify, stop the daemon, run hub log repair, \
                     then sync\n"
                ),
            ));
        }
        if self.shared.host.daemon.is_none() {
            for kept in replica.cut() {
                let kept = kept.display();
                warnings.push(self.lang.pick(
                    format!("注意:账本末尾有一段没有写完,已切下另存:{kept}\n"),
                    format!(
                        "warning: the books ended in a write that was not finished; it was cut off \
                         and kept: {kept}\n"
                    ),
                ));
            }
        }
        for warning in warnings {
            self.io.err(&warning).map_err(CommandError::Screen)?;
        }
        Ok(())
    }

    /// Today in Shanghai.
    pub fn today(&self) -> Day {
        Day::of_millis(self.replica().now())
    }

    /// The unit this node serves.
    ///
    /// # Errors
    /// The node is not enrolled yet.
    pub fn own_unit(&self) -> Result<UnitId, CommandError> {
        self.replica().who().office.ok_or_else(|| {
            CommandError::refused(
                "本节点还没有获得上级批准,不能录入;请先完成 hub enrol accept",
                "this node is not enrolled yet; finish hub enrol accept first",
            )
        })
    }

    /// All names known today.
    pub fn names(&self) -> Names {
        let own = self.replica().who().office;
        Names::of(&self.replica().read(), own, self.today())
    }

    /// The unit a person typed, as a place in `names`.
    ///
    /// # Errors
    /// None or several fit.
    pub fn unit(&self, names: &Names, typed: &str) -> Result<usize, CommandError> {
        names.unit(typed).map_err(|problem| CommandError::argument(typed, problem))
    }

    /// The union a person typed, as a place in `names`.
    ///
    /// # Errors
    /// None or several fit.
    pub fn branch(&self, names: &Names, typed: &str) -> Result<usize, CommandError> {
        names.branch(typed).map_err(|problem| CommandError::argument(typed, problem))
    }

    /// The federation's person key.
    ///
    /// # Errors
    /// This node does not keep it.
    pub fn person_key(&self) -> Result<PersonKey, CommandError> {
        let key = self.replica().keys().load(PERSON_KEY)?.ok_or_else(|| {
            CommandError::refused(
                "本节点没有会员识别密钥,不能录入会员;请由保管密钥的上级节点录入,或重新办理接入",
                "this node keeps no person key and cannot enter members; enter them at the node above",
            )
        })?;
        Ok(PersonKey(*key))
    }

    /// Why this node may not state facts about a unit.
    pub fn served_elsewhere(&self, unit: &UnitId) -> Option<Problem> {
        let replica = self.replica();
        let (node, now) = (replica.who().node, Hlc::at(replica.now()));
        served_elsewhere(&replica.read(), node, now, unit)
    }

    /// Shows a table in the form asked for.
    ///
    /// # Errors
    /// The screen is gone.
    pub fn show(&self, table: &Table) -> Result<(), CommandError> {
        self.io.out(&table.render(self.format, self.lang)).map_err(CommandError::Screen)
    }

    /// Says a line; in JSON as an object, so that scripts can read every answer.
    ///
    /// # Errors
    /// The screen is gone.
    pub fn say(&self, zh: &str, en: &str) -> Result<(), CommandError> {
        let text = self.lang.pick(zh, en);
        let line = match self.format {
            Format::Json => format!("{}\n", serde_json::json!({ "message": text })),
            Format::Table | Format::Csv => format!("{text}\n"),
        };
        self.io.out(&line).map_err(CommandError::Screen)
    }
}

/// Why a node may not state facts about a unit: the name of the unit whose node keeps its books.
pub fn served_elsewhere(view: &View, node: NodeId, now: Hlc, unit: &UnitId) -> Option<Problem> {
    let tree = view.tree();
    let server = view.authority().server_of(tree, tree.find(unit)?, now)?;
    (server.enrolment.node != node)
        .then(|| Problem::ServedElsewhere { by: tree.unit(server.unit).name().to_owned() })
}

/// Writes what `fill` adds, all or none; a dry run fills and writes nothing.
///
/// # Errors
/// What `fill` says, or the facts cannot be written.
pub fn transact<T>(
    session: &Session<'_>,
    dry_run: bool,
    fill: impl FnOnce(&mut Transaction<'_>) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    /// How a transaction ends without being written.
    enum Ended<T> {
        Dry(T),
        Failed(CommandError),
    }
    impl<T> From<WriteError> for Ended<T> {
        fn from(error: WriteError) -> Self {
            Self::Failed(error.into())
        }
    }
    let ended = session.replica().transact(|tx| match fill(tx) {
        Ok(value) if dry_run => Err(Ended::Dry(value)),
        Ok(value) => Ok(value),
        Err(error) => Err(Ended::Failed(error)),
    });
    match ended {
        Ok(value) | Err(Ended::Dry(value)) => Ok(value),
        Err(Ended::Failed(error)) => Err(error),
    }
}

/// The number of a new import: the day as YYMMDD and a running number of three digits. Only facts of
/// today are looked at, so that a large node need not be searched.
pub fn next_import(session: &Session<'_>) -> i32 {
    let (year, month, day) = session.today().to_ymd();
    let first = ((year % 100) * 10_000 + month as i32 * 100 + day as i32) * 1_000;
    let mut newest = first;
    let mut see = |attributes: &[Attribute]| {
        for attribute in attributes {
            let is_today = (first..first + 1_000).contains(&attribute.value);
            if attribute.code == hub_core::fact::ATTRIBUTE_IMPORT && is_today {
                newest = newest.max(attribute.value);
            }
        }
    };
    let replica = session.replica();
    let own = replica.who().node;
    for (fact, _) in replica.read().facts() {
        if fact.id.chain.node == own {
            see(&fact.fact.attributes);
        }
    }
    let since = session.today().start_millis();
    each_own_block_since(replica, since, |block| {
        let Ok(Body::Members(batch)) = block.body() else { return };
        for column in &batch.attributes {
            for (_, value) in &column.values {
                see(&[Attribute { code: column.code, value: *value }]);
            }
        }
    });
    newest + 1
}

/// The day a person typed; today where none was. Only announcements may lie ahead.
///
/// # Errors
/// No day, or one after today.
pub fn day_of(
    session: &Session<'_>,
    typed: Option<&str>,
    may_lie_ahead: bool,
) -> Result<Dated, CommandError> {
    let today = session.today();
    let Some(typed) = typed else { return Ok(Dated { day: today, precision: Precision::Day }) };
    let dated = date::parse(typed).map_err(|problem| CommandError::argument(typed, problem))?;
    if dated.day > today && !may_lie_ahead {
        return Err(CommandError::argument(typed, Problem::FutureDay { latest: today }));
    }
    Ok(dated)
}

/// The day whose boundaries are asked for; none for those of the day asked for (`then`).
///
/// # Errors
/// No day can be read in it.
pub fn boundaries_of(session: &Session<'_>, typed: &str) -> Result<Option<Day>, CommandError> {
    match typed {
        "then" => Ok(None),
        typed => Ok(Some(day_of(session, Some(typed), true)?.day)),
    }
}

/// Calls `see` with each block this node wrote at or after an instant, newest first in each chain.
pub fn each_own_block_since(replica: &Replica, since: Millis, mut see: impl FnMut(&Block)) {
    let own = replica.who().node;
    for (chain, head) in replica.journal().heads() {
        if chain.node != own {
            continue;
        }
        for height in (1..=head.height).rev() {
            let Ok(Some(block)) = replica.journal().block(&chain, height) else { continue };
            if block.header().last_hlc.millis() < since {
                break;
            }
            see(&block);
        }
    }
}

/// The attribute that marks the facts of an import.
pub fn import_attribute(import: i32) -> Attribute {
    Attribute { code: hub_core::fact::ATTRIBUTE_IMPORT, value: import }
}
