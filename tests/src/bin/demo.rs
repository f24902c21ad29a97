//! The driver behind `ops/demo`: plays the scenarios on real daemons and shows what they answer.

use hub_tests::demo::error::DemoError;
use hub_tests::demo::play::{play, say};
use hub_tests::demo::scenario::Scenario;
use hub_tests::demo::world::{Tools, World};
use hub_tests::demo::{acts, expand, story};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The scenarios in the order they are shown.
const SCENARIOS: [&str; 4] = ["heihe", "park", "zunyi", "huanghua"];

struct Arguments {
    tools: Tools,
    scenarios: PathBuf,
    place: PathBuf,
    once: bool,
}

fn arguments() -> Result<Arguments, DemoError> {
    let (mut hub, mut nats_server, mut scenarios, mut place) = (None, None, None, None);
    let (mut once, mut bundles) = (false, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let slot = match word.as_str() {
            "--hub" => &mut hub,
            "--nats-server" => &mut nats_server,
            "--scenarios" => &mut scenarios,
            "--place" => &mut place,
            "--once" => {
                once = true;
                continue;
            }
            "--bundles" => {
                bundles = true;
                continue;
            }
            _ => return Err(DemoError::scenario("command line", "an option of ops/demo", word)),
        };
        *slot = words.next().map(PathBuf::from);
    }
    let need = |name: &str, value: Option<PathBuf>| {
        value.ok_or_else(|| DemoError::scenario("command line", name, "nothing"))
    };
    let nats_server = if bundles { None } else { Some(need("--nats-server PATH", nats_server)?) };
    Ok(Arguments {
        tools: Tools { hub: need("--hub PATH", hub)?, nats_server },
        scenarios: need("--scenarios PATH", scenarios)?,
        place: need("--place PATH", place)?,
        once,
    })
}

fn run(out: &mut dyn Write) -> Result<(), DemoError> {
    let arguments = arguments()?;
    let began = Instant::now();
    say(
        out,
        "演示数据:区划为真实名单,工会、单位、人员全部为生成,代码以 99 开头,不对应任何真实的人和单位。",
    )?;
    let mut worlds = Vec::new();
    for name in SCENARIOS {
        let scenario = Scenario::read(&arguments.scenarios.join(name))?;
        let steps = story::parse(&format!("{name}/story.txt"), &scenario.story)?;
        let books = expand::expand(&scenario)?;
        let mut world = World::new(arguments.tools.clone(), scenario, &arguments.place)?;
        acts::raise(&mut world, &books, out)?;
        play(&mut world, &steps, out)?;
        worlds.push(world);
    }
    say(out, &format!("\n全部与出处相符,用时 {} 秒。", began.elapsed().as_secs()))?;
    if !arguments.once {
        say(out, "各节点仍在运行,可在另一终端查询;按 Ctrl-C 结束并清除。")?;
        for node in worlds.iter().flat_map(|world| world.nodes.values()) {
            say(out, &format!("  {}:hub --data {}", node.name, node.data.display()))?;
        }
        loop {
            std::thread::sleep(Duration::from_secs(3_600));
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // a closed standard error leaves the exit code to tell
            let _ = writeln!(std::io::stderr(), "演示中止:{error}");
            ExitCode::FAILURE
        }
    }
}
