//! Parsing, with help in the language asked for.

use super::{Cli, LangArg};
use crate::render::words::{Lang, help};
use clap::{Command, CommandFactory, FromArgMatches};

/// What typed arguments came to.
#[derive(Debug)]
pub enum Parsed {
    /// A command.
    Command(Box<Cli>),
    /// Help or the version was asked for.
    Help(String),
    /// The arguments make no command; what to say.
    Wrong(String),
}

/// Reads what was typed behind the name of the program.
pub fn parse(args: &[String]) -> Parsed {
    let command = command(language(args));
    let typed = std::iter::once("hub").chain(args.iter().map(String::as_str));
    let read =
        command.try_get_matches_from(typed).and_then(|matches| Cli::from_arg_matches(&matches));
    match read {
        Ok(cli) => Parsed::Command(Box::new(cli)),
        Err(error) if error.use_stderr() => Parsed::Wrong(error.to_string()),
        Err(error) => Parsed::Help(error.to_string()),
    }
}

/// The language is needed before anything is parsed: help is in it.
fn language(args: &[String]) -> Lang {
    let english = |pair: &[String]| pair[0] == "--lang" && pair[1] == "en";
    let joined = args.iter().any(|arg| arg == "--lang=en");
    if joined || args.windows(2).any(english) { Lang::En } else { Lang::Zh }
}

fn command(lang: Lang) -> Command {
    let command = Cli::command().before_help(help::overview(lang)).max_term_width(100);
    match lang {
        Lang::En => command,
        Lang::Zh => in_chinese(command, ""),
    }
}

fn in_chinese(command: Command, path: &str) -> Command {
    let mut command = match help::command(path) {
        Some(text) => command.about(text).long_about(None),
        None => command,
    };
    let ids: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    for id in ids {
        if let Some(text) = help::argument(path, &id) {
            // the text names the values, in the reader's language
            let tell = |arg: clap::Arg| {
                let has_values = arg.get_action().takes_values();
                let arg = arg.help(text).long_help(None);
                if has_values { arg.hide_possible_values(true) } else { arg }
            };
            command = command.mut_arg(id, tell);
        }
    }
    let names: Vec<String> =
        command.get_subcommands().map(|child| child.get_name().to_owned()).collect();
    for name in names {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |child| in_chinese(child, &below));
    }
    command
}

impl From<LangArg> for Lang {
    fn from(typed: LangArg) -> Self {
        match typed {
            LangArg::Zh => Self::Zh,
            LangArg::En => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_move_to_nowhere_and_a_term_of_four_years_are_refused() {
        let wrong = |line: &str| matches!(parse(&words(line)), Parsed::Wrong(_));
        assert!(wrong("unit move 某厂"));
        assert!(!wrong("unit move 某厂 --parent 爱辉区"));
        assert!(!wrong("unit move 某厂 --located-in 爱辉区"));
        assert!(wrong("branch elect 某厂工会 --term 4"));
        assert!(!wrong("branch elect 某厂工会 --term 3"));
    }

    #[test]
    fn every_command_and_argument_has_its_chinese_help() {
        fn walk(command: &Command, path: &str, missing: &mut Vec<String>) {
            if help::command(path).is_none() {
                missing.push(path.to_owned());
            }
            for arg in command.get_arguments() {
                if help::argument(path, arg.get_id().as_str()).is_none() {
                    missing.push(format!("{path}:{}", arg.get_id()));
                }
            }
            for child in command.get_subcommands() {
                let name = child.get_name();
                let below =
                    if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
                walk(child, &below, missing);
            }
        }
        let mut missing = Vec::new();
        walk(&Cli::command(), "", &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_definition_is_sound_and_the_examples_parse() {
        Cli::command().debug_assert();
        for lang in [Lang::Zh, Lang::En] {
            let examples =
                help::overview(lang).lines().filter_map(|line| line.strip_prefix("  hub "));
            let mut parsed = 0;
            for example in examples {
                // What stands far to the right explains.
                let line = example.split("  ").next().unwrap_or_default();
                if line.contains('|') {
                    continue;
                }
                match parse(&words(line)) {
                    Parsed::Command(_) => parsed += 1,
                    other => panic!("{line}: {other:?}"),
                }
            }
            assert!(parsed > 12);
        }
    }

    #[test]
    fn help_speaks_the_language_asked_for() {
        let Parsed::Help(chinese) = parse(&words("member --help")) else { panic!("help") };
        assert!(chinese.contains("导入会员花名册") && !chinese.contains("Import a roster"));
        let Parsed::Help(english) = parse(&words("--lang en member --help")) else {
            panic!("help")
        };
        assert!(english.contains("Import a roster"));
        assert!(matches!(parse(&words("member fly")), Parsed::Wrong(_)));
    }
}
