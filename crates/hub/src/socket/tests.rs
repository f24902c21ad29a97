//! A command at the other end of a socket works as one in this process: same files, same words.

use super::*;
use crate::command_io::{CommandIo, DirEntry, FileSink};
use crate::config::{Config, Node, RootKey};
use crate::host::{self, Commands, Host};
use hub_core::id::NodeId;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

/// What was written, by path.
type Written = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// The caller: its files and what was printed, in memory.
#[derive(Default)]
struct Caller {
    screen: Option<Screen>,
    file: Vec<u8>,
    written: Written,
    out: Mutex<String>,
    err: Mutex<String>,
}

struct Sink(String, Vec<u8>, Written);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileSink for Sink {
    fn commit(self: Box<Self>) -> io::Result<()> {
        self.2.lock().unwrap().push((self.0, self.1));
        Ok(())
    }
}

impl CommandIo for Caller {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        if path != "成员.csv" {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such file"));
        }
        Ok(Box::new(Cursor::new(self.file.clone())))
    }

    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>> {
        Ok(Box::new(Sink(path.into(), Vec::new(), self.written.clone())))
    }

    fn list_directory(&self, _: &str) -> io::Result<Vec<DirEntry>> {
        Ok(vec![DirEntry { name: "成员.csv".into(), bytes: 7, directory: false }])
    }

    fn out(&self, text: &str) -> io::Result<()> {
        self.out.lock().unwrap().push_str(text);
        Ok(())
    }

    fn err(&self, text: &str) -> io::Result<()> {
        self.err.lock().unwrap().push_str(text);
        Ok(())
    }

    fn progress(&self, done: u64, total: Option<u64>, what: &str) {
        self.err.lock().unwrap().push_str(&format!("[{what} {done}/{total:?}]"));
    }

    fn screen(&self) -> &Screen {
        self.screen.as_ref().unwrap()
    }
}

/// Uses everything a command may use.
struct Everything;

impl Commands for Everything {
    fn run(&self, call: &Call, host: &Host, io: &dyn CommandIo) -> u8 {
        let missing = io.read_file("无").err().unwrap();
        io.err(&format!("{:?} ", missing.kind())).unwrap();
        let mut bytes = Vec::new();
        let mut file = io.read_file("成员.csv").unwrap();
        io.progress(1, Some(2), "读");
        file.read_to_end(&mut bytes).unwrap();
        io.write_file("report.csv", &bytes).unwrap();
        let mut abandoned = io.create_file("half.csv").unwrap();
        abandoned.write_all(b"half").unwrap();
        drop(abandoned);
        let names = io.list_directory(".").unwrap();
        // Longer than a frame, and no cut falls between characters by itself.
        io.out(&"会员工会".repeat(60_000)).unwrap();
        io.out(&format!("{:?} {} {}", call.args, names[0].name, host.node.config.node)).unwrap();
        7
    }
}

fn node(directory: &std::path::Path) -> Node {
    let config = Config::of_node(RootKey([3; 32]), NodeId([5; 16]));
    Node { config, base: directory.to_owned() }
}

#[test]
fn a_command_in_the_daemon_and_one_here_see_and_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let screen = Screen { width: 100, terminal: true };
    let call =
        Call { args: vec!["member".into()], lang: Some("zh_CN".into()), screen: screen.clone() };
    let file: Vec<u8> = (0..700_000_u32).map(|number| (number % 251) as u8).collect();
    let caller =
        || Caller { screen: Some(screen.clone()), file: file.clone(), ..Caller::default() };

    let here = caller();
    assert_eq!(host::run(&node, &call, &Everything, &here).unwrap(), 7);

    let host = Host::open(node.clone()).unwrap();
    let mut server = SocketServer::start(&node.socket(), host, Arc::new(Everything)).unwrap();
    let mode = std::fs::metadata(node.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let there = caller();
    assert_eq!(host::run(&node, &call, &Everything, &there).unwrap(), 7);
    server.stop();
    assert!(!node.socket().exists());

    for caller in [&here, &there] {
        assert_eq!(*caller.written.lock().unwrap(), [("report.csv".to_owned(), file.clone())]);
        assert_eq!(*caller.err.lock().unwrap(), "NotFound [读 1/Some(2)]");
    }
    assert_eq!(*here.out.lock().unwrap(), *there.out.lock().unwrap());
    assert!(there.out.lock().unwrap().ends_with("05050505-0505-0505-0505-050505050505"));
}

#[test]
fn a_leftover_socket_hinders_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    drop(std::os::unix::net::UnixListener::bind(node.socket()).unwrap());
    let screen = Screen { width: 80, terminal: false };
    let call = Call { args: Vec::new(), lang: None, screen: screen.clone() };
    let caller = Caller { screen: Some(screen), ..Caller::default() };
    assert!(matches!(super::call(&node.socket(), &call, &caller), Err(CallError::Nobody)));
    let host = Host::open(node.clone()).unwrap();
    let _server = SocketServer::start(&node.socket(), host, Arc::new(Everything)).unwrap();
    assert_eq!(host::run(&node, &call, &Everything, &caller).unwrap(), 7);
}
