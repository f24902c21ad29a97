//! The program `hub`: the process around the library.

use hub::command_io::{DirectIo, Screen};
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let env = hub::Env {
        data: std::env::var_os("HUB_DATA").map(Into::into),
        lang: std::env::var("LANG").ok(),
    };
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = std::io::stderr().is_terminal();
    let io = DirectIo::new(Screen { width: width.unwrap_or(100), terminal });
    ExitCode::from(hub::run(&args, &env, &io))
}
