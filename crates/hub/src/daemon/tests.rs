//! A daemon whose disk fails stops and says so; what it announced before is there.

use super::*;
use crate::clock::SystemClock;
use crate::command_io::CommandIo;
use crate::config::Node;
use crate::enrol::{Founding, found};
use crate::host::{Commands, Host};
use crate::replica::{Draft, Replica, WriteError};
use crate::socket::Call;
use hub_core::fact::FactBody;
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::unit::Level;
use hub_core::hash::sha256;
use hub_core::id::FactId;
use hub_core::time::Day;
use hub_log::{Disk, Options, Storage};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

struct NoCommands;

impl Commands for NoCommands {
    fn run(&self, _: &Call, _: &Host, _: &dyn CommandIo) -> u8 {
        2
    }
}

/// The real disk until it fails.
#[derive(Debug, Default)]
struct Failing(AtomicBool);

impl Storage for Failing {
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        Disk.write_at(file, at, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        Disk.sync(file)
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        Disk.set_length(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Disk.sync_directory(directory)
    }
}

fn publish(replica: &Replica, version: u32) -> Result<Vec<FactId>, WriteError> {
    let text = "{}".to_owned();
    let hash = sha256(&[text.as_bytes()]);
    let body = FactBody::Governance(GovernanceFact::PolicyPublished { version, hash, text });
    let unit = replica.who().unit.unwrap();
    replica.write(vec![Draft::new(unit, Day::of_millis(replica.now()), body)])
}

#[test]
fn a_failed_fsync_stops_the_node_and_what_was_announced_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let founding = Founding {
        name: "演示省".into(),
        code: "99".into(),
        list_year: 2023,
        level: Level::Province,
    };
    found(directory.path(), &founding, clock.clone()).unwrap();
    let node = Node::load(directory.path()).unwrap();
    let disk = Arc::new(Failing::default());
    let options = Options { storage: disk.clone(), ..Options::default() };
    let (replica, _) = Replica::open_with(&node, clock.clone(), options).unwrap();
    let host = Host { node: node.clone(), replica: Arc::new(replica), daemon: None };
    let running = start_host(host, Arc::new(NoCommands)).unwrap();
    let replica = running.host().replica.clone();

    let announced = publish(&replica, 1).unwrap();
    disk.0.store(true, Ordering::SeqCst);
    let error = publish(&replica, 2).unwrap_err();
    assert!(error.is_fatal(), "{error}");
    disk.0.store(false, Ordering::SeqCst);
    // A disk that works again changes nothing: nobody knows what it holds.
    assert!(publish(&replica, 3).unwrap_err().is_fatal());
    assert!(replica.read().fact(&announced[0]).is_some());

    let since = Instant::now();
    while !running.has_ended() && since.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(replica);
    let error = running.stop().unwrap_err();
    assert!(
        matches!(&error, DaemonError::Storage(cause) if cause.contains("fdatasync")),
        "{error}"
    );

    let (replica, _) = Replica::open(&node, clock).unwrap();
    assert!(replica.read().fact(&announced[0]).is_some());
    publish(&replica, 4).unwrap();
}
