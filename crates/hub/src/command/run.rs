//! From what was typed to a command that runs: in this process, or in the daemon that holds the
//! directory.

use super::bundle::{ExportOptions, InspectOptions, Recipient, Since};
use super::error::CommandError;
use super::past::When;
use super::session::{Session, Shared, boundaries_of, day_of};
use super::{
    audit, audit_check, audit_trail, backup, branch_acts, bundle, cases, clock, enrol, explain,
    figure_acts, findings, flows, follow, fork, log, member_acts, missing, nats_config, period,
    query, revoke, status, undo, unit, unit_acts, unit_succeed,
};
use crate::cli::{
    self, AuditCommand, BundleCommand, ByArg, Cli, ClockCommand, Command, EnrolCommand,
    FollowCommand, ForkCommand, LogCommand, OpsCommand, Parsed, PeriodCommand, QueryCommand,
    SinceArg, UnitCommand,
};
use crate::clock::{Clock, SystemClock};
use crate::command_io::CommandIo;
use crate::config::Node;
use crate::enrol::{Asking, Founding};
use crate::host::{self, Commands, Host};
use crate::import::text;
use crate::render::Lang;
use crate::socket::Call;
use hub_core::fact::unit::Level;
use hub_core::time::Day;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// What the process knows besides its arguments.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// The data directory, where none is typed (`HUB_DATA`).
    pub data: Option<PathBuf>,
    /// The language of the system, e.g. `zh_CN.UTF-8`.
    pub lang: Option<String>,
}

/// Runs one command and says its exit code: 0 fine, 1 findings, refused rows or no match, 2 error. A
/// caller that stopped reading is no error.
pub fn run(args: &[String], env: &Env, io: &dyn CommandIo) -> u8 {
    let cli = match cli::parse(args) {
        Parsed::Command(cli) => cli,
        Parsed::Help(text) => return told(io.out(&text), 0),
        Parsed::Wrong(text) => return told(io.err(&text), 2),
    };
    let lang = Lang::from(cli.lang);
    ended(run_typed(&cli, args, env, io), lang, io)
}

fn told(written: std::io::Result<()>, code: u8) -> u8 {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => 2,
        _ => code,
    }
}

/// The exit code of what a command came to; an error is said first.
fn ended(result: Result<u8, CommandError>, lang: Lang, io: &dyn CommandIo) -> u8 {
    match result {
        Ok(code) => code,
        Err(error) => {
            let code = error.exit();
            if code > 0 {
                // Nothing is left to say it to where even this fails.
                let _ = io.err(&format!("hub: {}\n", error.message(lang)));
            }
            code
        }
    }
}

fn run_typed(
    cli: &Cli,
    args: &[String],
    env: &Env,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let data = data_of(cli, env)?;
    let place = Place { cli, data: &data, lang: cli.lang.into(), io };
    if let Some(code) = place.without_node()? {
        return Ok(code);
    }
    let commands = Arc::new(HubCommands::default());
    if let Command::Run { config } = &cli.command {
        let node = Node::load(config.as_deref().unwrap_or(&data))?;
        crate::daemon::start_log();
        let ran = crate::daemon::run(&node, commands);
        return ran.map(|()| 0).map_err(|error| CommandError::Machine(error.to_string()));
    }
    let node = Node::load(&data)?;
    let call = Call { args: args.to_vec(), lang: env.lang.clone(), screen: io.screen().clone() };
    let ran = host::run(&node, &call, &*commands, io);
    ran.map_err(|error| CommandError::Machine(error.to_string()))
}

/// The data directory; commands that are told all they need do without.
fn data_of(cli: &Cli, env: &Env) -> Result<PathBuf, CommandError> {
    let told = cli.data.clone().or_else(|| env.data.clone());
    let needless = match &cli.command {
        Command::Run { config } => config.is_some(),
        Command::Audit(AuditCommand::Check(_) | AuditCommand::Fork(_)) => true,
        Command::Audit(
            AuditCommand::Verify(asked)
            | AuditCommand::Replay(asked)
            | AuditCommand::Trail(cli::Trail { audited: asked, .. }),
        ) => asked.root.is_some() && !asked.from.is_empty(),
        _ => false,
    };
    told.or_else(|| needless.then(PathBuf::new)).ok_or_else(|| {
        CommandError::refused(
            "请用 --data 指定数据目录,或设置环境变量 HUB_DATA",
            "say where the data directory is, by --data or HUB_DATA",
        )
    })
}

/// Servers as the configuration lists them; none where none is typed.
fn listed(urls: &[String]) -> Option<String> {
    (!urls.is_empty()).then(|| urls.join(","))
}

/// The command library, for the daemon and for a process of its own.
#[derive(Default)]
pub struct HubCommands {
    /// Kept from one command to the next, with what was computed for it.
    shared: OnceLock<Shared>,
}

impl Commands for HubCommands {
    fn run(&self, call: &Call, host: &Host, io: &dyn CommandIo) -> u8 {
        match cli::parse(&call.args) {
            Parsed::Command(cli) => {
                let shared = self.shared.get_or_init(|| Shared::new(host.clone()));
                let lang = cli.lang.into();
                let (format, operator) = (cli.format, cli.operator);
                let session = Session { shared, io, lang, format, operator };
                let ran = session.warn_of_damage().and_then(|()| dispatch(&session, &cli.command));
                ended(ran, lang, io)
            }
            Parsed::Help(text) => told(io.out(&text), 0),
            Parsed::Wrong(text) => told(io.err(&text), 2),
        }
    }
}

/// A command about a directory, not about a node that runs in it.
struct Place<'a> {
    cli: &'a Cli,
    data: &'a Path,
    lang: Lang,
    io: &'a dyn CommandIo,
}

impl Place<'_> {
    /// Runs commands that need no open node; `None` for all others.
    fn without_node(&self) -> Result<Option<u8>, CommandError> {
        let (data, lang, io) = (self.data, self.lang, self.io);
        let code = match &self.cli.command {
            Command::Init(init) => {
                let clock = SystemClock;
                let (year, _, _) = Day::of_millis(clock.now()).to_ymd();
                let founding = Founding {
                    name: text::name(&init.province),
                    code: text::code(&init.code),
                    list_year: init.list_year.unwrap_or(u16::try_from(year).unwrap_or(u16::MAX)),
                    level: Level::Province,
                };
                enrol::init(data, &founding, Arc::new(clock), lang, io)?
            }
            Command::Enrol(EnrolCommand::Request { unit, root, token, out }) => {
                let root_key = enrol::root_key(root)?;
                let asking = Asking { root_key, unit: unit.clone(), token: token.clone() };
                enrol::request(data, &asking, out, SystemClock.now(), lang, io)?
            }
            Command::Enrol(EnrolCommand::Renew { out }) => {
                enrol::renew(data, out, Arc::new(SystemClock), lang, io)?
            }
            Command::Clock(ClockCommand::Recover { out }) => {
                clock::recover(data, out, Arc::new(SystemClock), lang, io)?
            }
            Command::Enrol(EnrolCommand::Accept { file, url, tls_ca }) => {
                enrol::accept(data, file, listed(url).as_deref(), tls_ca.clone(), lang, io)?
            }
            Command::Follow(FollowCommand::Request { node, root, url, tls_ca, out }) => {
                let asked = follow::Asked { node, root, url: listed(url), tls_ca: tls_ca.clone() };
                follow::request(data, asked, out, SystemClock.now(), lang, io)?
            }
            Command::Backup(to) => backup::backup(data, &to.file, lang, io)?,
            Command::Restore(from) => backup::restore(&from.file, data, lang, io)?,
            Command::Log(LogCommand::Repair) => backup::repair(data, lang, io)?,
            Command::Audit(AuditCommand::Verify(asked)) => {
                audit::verify(&self.audited(asked)?, io)?
            }
            Command::Audit(AuditCommand::Replay(asked)) => {
                audit::replay(&self.audited(asked)?, io)?
            }
            Command::Audit(AuditCommand::Check(asked)) => {
                let root = Some(asked.root.clone());
                let audited = cli::Audited { from: asked.from.clone(), root };
                audit_check::check(&self.audited(&audited)?, &asked.report, io)?
            }
            Command::Audit(AuditCommand::Fork(asked)) => {
                let root = enrol::root_key(&asked.root)?;
                fork::audit(&asked.proof, root, self.cli.format, lang, io)?
            }
            Command::Audit(AuditCommand::Trail(asked)) => {
                audit_trail::trail(&self.audited(&asked.audited)?, asked, io)?
            }
            _ => return Ok(None),
        };
        Ok(Some(code))
    }

    /// The root of trust is typed, or pinned in this node's own configuration; never read from what is
    /// audited.
    fn audited(&self, asked: &cli::Audited) -> Result<audit::Audited, CommandError> {
        let root = match &asked.root {
            Some(typed) => enrol::root_key(typed)?,
            None => Node::load(self.data)?.config.root_key,
        };
        let from = match asked.from.is_empty() {
            true => vec![Node::load(self.data)?.data_dir().to_string_lossy().into_owned()],
            false => asked.from.clone(),
        };
        Ok(audit::Audited { from, root, format: self.cli.format, lang: self.lang })
    }
}

/// Runs a command on an open node.
fn dispatch(session: &Session<'_>, command: &Command) -> Result<u8, CommandError> {
    match command {
        Command::Unit(command) => of_unit(session, command),
        Command::Branch(command) => branch_acts::run(session, command),
        Command::Member(command) => member_acts::run(session, command),
        Command::Figure(command) => figure_acts::run(session, command),
        Command::Findings(asked) => {
            let as_of = asked.as_of.as_deref();
            let as_of = as_of.map(|typed| day_of(session, Some(typed), true)).transpose()?;
            let asked = findings::Asked {
                unit: asked.unit.clone(),
                as_of: as_of.map(|dated| dated.day),
                kind: asked.kind.clone(),
                notes: asked.notes,
            };
            findings::run(session, &asked)
        }
        Command::Missing(asked) => {
            let (unit, period) = (asked.unit.clone(), asked.period.clone());
            missing::run(session, &missing::Asked { unit, period, form: asked.form })
        }
        Command::Undo(asked) => undo::run(session, asked),
        Command::Cases(command) => cases::run(session, command),
        Command::Query(QueryCommand::Coverage(asked)) => coverage(session, asked),
        Command::Period(PeriodCommand::Close(asked)) => period::close(session, asked),
        Command::Explain(asked) => explain::explain(session, asked),
        Command::Checkpoint => period::checkpoint(session),
        Command::Query(QueryCommand::Flows(asked)) => flows::flows(session, asked),
        Command::Status => status::status(session, &session.shared.host.status()?),
        Command::Enrol(EnrolCommand::Approve {
            file,
            unit,
            days,
            person_key,
            may_delegate,
            out,
        }) => {
            let approving = enrol::Approving {
                request: file.clone(),
                out: out.clone(),
                unit: unit.clone(),
                days: *days,
                person_key: *person_key,
                may_delegate: *may_delegate,
            };
            enrol::approve(session, &approving)
        }
        Command::Enrol(EnrolCommand::Token { unit, hours }) => enrol::token(session, unit, *hours),
        Command::Enrol(EnrolCommand::Revoke { unit, good_until, reason }) => {
            revoke::revoke(session, unit, good_until.as_deref(), reason)
        }
        Command::Follow(FollowCommand::Approve { file, name }) => {
            follow::approve(session, file, name)
        }
        Command::Fork(ForkCommand::List) => fork::list(session),
        Command::Fork(ForkCommand::Export { out, side }) => {
            fork::export(session, out, side.as_deref())
        }
        Command::Fork(ForkCommand::Settle { side }) => fork::settle(session, side),
        Command::Bundle(command) => of_bundle(session, command),
        Command::Log(LogCommand::Show { last, kind, parked }) => {
            log::show(session, &log::Show { last: *last, kind: kind.clone(), parked: *parked })
        }
        Command::Log(LogCommand::Export { out, .. }) => log::export(session, out),
        Command::Ops(OpsCommand::NatsConfig(asked)) => nats_config::write(session, asked),
        Command::Log(LogCommand::Repair)
        | Command::Init(_)
        | Command::Enrol(_)
        | Command::Clock(_)
        | Command::Follow(_)
        | Command::Run { .. }
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Audit(_) => Err(CommandError::refused(
            "这条命令要在节点停止时对数据目录执行",
            "this command works on the directory of a node that is not running",
        )),
    }
}

fn of_unit(session: &Session<'_>, command: &UnitCommand) -> Result<u8, CommandError> {
    match command {
        UnitCommand::Import { import, list_year } => {
            unit::import(session, &import.into(), *list_year)
        }
        UnitCommand::Register { name, code, parent, kind, level, located_in, employees, day } => {
            let fields = [
                ("name", name),
                ("code", code),
                ("parent", parent),
                ("kind", kind),
                ("level", level),
                ("located_in", located_in),
                ("employees", employees),
                ("day", day),
            ];
            unit_acts::register(session, &fields.map(|(key, cell)| (key, cell.clone())))
        }
        UnitCommand::Move { unit, parent, located_in, day } => {
            let day = day_of(session, day.as_deref(), true)?;
            unit_acts::move_to(session, unit, parent.as_deref(), located_in.as_deref(), day)
        }
        UnitCommand::Succeed(asked) => unit_succeed::succeed(session, asked),
        UnitCommand::Rekey { unit, code } => unit_succeed::rekey(session, unit, code),
        UnitCommand::Close { unit, reason, day } => {
            let day = day_of(session, day.as_deref(), true)?;
            unit_acts::close(session, unit, reason, day)
        }
    }
}

fn of_bundle(session: &Session<'_>, command: &BundleCommand) -> Result<u8, CommandError> {
    match command {
        BundleCommand::Export { to, out, since, max_mb } => {
            let to = match to.as_str() {
                "parent" | "上级" => Recipient::Parent,
                "children" | "下级" => Recipient::AllChildren,
                "followers" | "副本" => Recipient::Followers,
                unit => Recipient::Child(unit.to_owned()),
            };
            let since = match since {
                SinceArg::Receipt => Since::Receipt,
                SinceArg::LastExport => Since::LastExport,
                SinceArg::Start => Since::Start,
            };
            let bytes_max = max_mb.map(|max| max.saturating_mul(1 << 20));
            let options = ExportOptions { to, out: out.clone(), since, bytes_max };
            bundle::export(session, &options)
        }
        BundleCommand::Import { files } => {
            bundle::import(session, &bundle::ImportOptions { files: files.clone() })
        }
        BundleCommand::Receipt { digits, for_child } => match for_child {
            Some(unit) => bundle::give(session, unit),
            None => bundle::hear(session, digits),
        },
        BundleCommand::Inspect { file, root } => {
            let root = match root {
                Some(typed) => enrol::root_key(typed)?,
                None => session.shared.node.config.root_key,
            };
            let (format, lang) = (session.format, session.lang);
            let options = InspectOptions { path: file.clone(), root: Some(root), format, lang };
            bundle::inspect(session.io, &options)
        }
    }
}

fn coverage(session: &Session<'_>, asked: &cli::Coverage) -> Result<u8, CommandError> {
    let day = |typed: &Option<String>| -> Result<Option<Day>, CommandError> {
        typed.as_deref().map(|typed| Ok(day_of(session, Some(typed), true)?.day)).transpose()
    };
    let asked = query::Coverage {
        unit: asked.unit.clone(),
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        by: ByArg::rows(asked.by),
        as_of: day(&asked.as_of)?,
        boundaries: boundaries_of(session, &asked.boundaries)?,
        compare: day(&asked.compare)?,
        basis: asked.basis.into(),
        when: When::of(asked.known_at.as_deref(), asked.published.as_deref())?,
    };
    query::coverage(session, &asked)
}
