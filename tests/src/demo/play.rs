//! Plays a story on a world: enters, waits, asks, shows, and compares with what the source says.

use super::acts;
use super::answer::Answer;
use super::error::DemoError;
use super::story::{Call, Expect, Step};
use super::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;

/// Plays all steps; what people should see goes to `out`.
pub fn play(world: &mut World, steps: &[Step], out: &mut dyn Write) -> Result<(), DemoError> {
    let mut picked = BTreeMap::new();
    for step in steps {
        match step {
            Step::Title(text) => say(out, &format!("\n■ {text}"))?,
            Step::Source(text) => say(out, &format!("  出处:{text}"))?,
            Step::Note(text) => say(out, &format!("  说明:{text}"))?,
            Step::Load(node) => acts::load(world, node.as_deref(), out)?,
            Step::Sync { below } => acts::settle(world, *below, out)?,
            Step::At(call) => enter(world, &call.with(&picked), out)?,
            Step::Ask(call, expects) => ask(world, &call.with(&picked), 0, expects, out)?,
            Step::Find(call, expects) => ask(world, &call.with(&picked), 1, expects, out)?,
            Step::Pick(name, call) => {
                picked.insert(name.clone(), pick(world, call, out)?);
            }
            Step::Same(other, call) => same(world, other, &call.with(&picked), out)?,
            Step::Audit(node) => acts::audit(world, node, out)?,
        }
    }
    Ok(())
}

/// Writes a line for people.
pub fn say(out: &mut dyn Write, line: &str) -> Result<(), DemoError> {
    writeln!(out, "{line}").map_err(DemoError::io("writing to", std::path::Path::new("stdout")))
}

fn enter(world: &World, call: &Call, out: &mut dyn Write) -> Result<(), DemoError> {
    say(out, &format!("\n[{}] $ hub {}", call.node, call.line()))?;
    let text = world.hub(&call.node, &call.args)?;
    say(out, text.trim_end())
}

fn ask(
    world: &World,
    call: &Call,
    code: i32,
    expects: &[Expect],
    out: &mut dyn Write,
) -> Result<(), DemoError> {
    say(out, &format!("\n[{}] $ hub {}", call.node, call.line()))?;
    let text = acts::eventually(world, || answered(world, call, code, expects))?;
    say(out, text.trim_end())
}

/// What a node prints, once it is as expected.
fn answered(
    world: &World,
    call: &Call,
    code: i32,
    expects: &[Expect],
) -> Result<String, DemoError> {
    let text = world.ended(&call.node, &call.args, code)?;
    let rows = match expects.iter().any(|expect| !matches!(expect, Expect::Words(_))) {
        true => answer(world, &call.node, call)?,
        false => Answer { rows: Vec::new() },
    };
    match expects.iter().find(|expect| !stands(expect, &rows, &text)) {
        None => Ok(text),
        Some(expect) => {
            let expected = format!("{expect:?}");
            Err(DemoError::Answer { line: call.line(), expected, found: text })
        }
    }
}

/// The id in the one row of a list.
fn pick(world: &World, call: &Call, out: &mut dyn Write) -> Result<String, DemoError> {
    say(out, &format!("\n[{}] $ hub {}", call.node, call.line()))?;
    say(out, world.hub(&call.node, &call.args)?.trim_end())?;
    let text = world.hub(&call.node, &as_json(call))?;
    let rows = serde_json::from_str::<Value>(&text).unwrap_or_default()["rows"].take();
    let ids: Vec<&str> =
        rows.as_array().into_iter().flatten().filter_map(|row| row["id"].as_str()).collect();
    match ids.as_slice() {
        [id] => Ok((*id).to_owned()),
        _ => Err(DemoError::Answer {
            line: call.line(),
            expected: "one row with an id".to_owned(),
            found: text,
        }),
    }
}

fn as_json(call: &Call) -> Vec<String> {
    let json = ["--format", "json"].map(str::to_owned);
    call.args.iter().cloned().chain(json).collect()
}

fn stands(expect: &Expect, answer: &Answer, text: &str) -> bool {
    match expect {
        Expect::Row { name, numerator, denominator } => answer.row(name).is_some_and(|row| {
            row.numerator == Some(*numerator) && row.denominator == *denominator
        }),
        Expect::Awaiting { name, count } => {
            answer.row(name).is_some_and(|row| row.awaiting == Some(*count))
        }
        Expect::Words(words) => text.contains(words),
    }
}

fn same(world: &World, other: &str, call: &Call, out: &mut dyn Write) -> Result<(), DemoError> {
    let rows = acts::eventually(world, || {
        let (first, second) = (answer(world, other, call)?, answer(world, &call.node, call)?);
        if first.rows == second.rows {
            return Ok(first.rows.len());
        }
        Err(DemoError::Answer {
            line: call.line(),
            expected: format!("at {} as at {other}: {:?}", call.node, first.rows),
            found: format!("{:?}", second.rows),
        })
    })?;
    say(out, &format!("  ✓ {other}与{}各自计算,{rows} 行全部一致:hub {}", call.node, call.line()))
}

fn answer(world: &World, node: &str, call: &Call) -> Result<Answer, DemoError> {
    Answer::read(&call.line(), &world.hub(node, &as_json(call))?)
}
