//! The driver behind `ops/drill`: one long drill with the numbers asked for, its report as JSON.

use hub_tests::drill::error::DrillError;
use hub_tests::drill::{Plan, Report, Tools, run};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

struct Arguments {
    tools: Tools,
    place: PathBuf,
    plan: Plan,
}

fn arguments() -> Result<Arguments, String> {
    let mut plan = Plan::long();
    let (mut hub, mut checker, mut nats_server, mut place) = (None, None, None, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word}: expected a value"))?;
        let path = match word.as_str() {
            "--hub" => &mut hub,
            "--checker" => &mut checker,
            "--nats-server" => &mut nats_server,
            "--place" => &mut place,
            _ => {
                let number = value.parse().map_err(|_| format!("{word}: expected a number"))?;
                match word.as_str() {
                    "--seed" => plan.seed = number,
                    "--kills" => plan.hub_kills = number,
                    "--server-kills" => plan.server_kills = number,
                    "--pauses" => plan.pauses = number,
                    "--facts" => plan.facts = number,
                    "--batch" => plan.batch = u32::try_from(number).unwrap_or(1).max(1),
                    "--pace" => plan.pace_millis = number,
                    "--patience" => plan.patience_seconds = number,
                    _ => return Err(format!("{word}: expected an option of ops/drill")),
                }
                continue;
            }
        };
        *path = Some(PathBuf::from(value));
    }
    let need = |name: &str, path: Option<PathBuf>| path.ok_or(format!("{name} is missing"));
    Ok(Arguments {
        tools: Tools {
            hub: need("--hub", hub)?,
            checker: need("--checker", checker)?,
            nats_server: need("--nats-server", nats_server)?,
        },
        place: need("--place", place)?,
        plan,
    })
}

fn drill(arguments: &Arguments) -> Result<Report, DrillError> {
    run(&arguments.tools, &arguments.plan, &arguments.place)
}

fn main() -> ExitCode {
    let told = arguments().and_then(|arguments| {
        let report = drill(&arguments).map_err(|error| error.to_string())?;
        let whole = serde_json::json!({ "plan": arguments.plan, "report": report });
        let text = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())?;
        writeln!(io::stdout(), "{text}").map_err(|error| error.to_string())
    });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // a closed standard error leaves the exit code to tell
            let _ = writeln!(io::stderr(), "drill: {error}");
            ExitCode::FAILURE
        }
    }
}
