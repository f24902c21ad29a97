//! Views of other times: as known at a checkpoint, as published by a closing.

use super::error::CommandError;
use super::session::Session;
use crate::render::Lang;
use crate::report::coverage::instant;
use hub_core::closing::{self, PublishedError};
use hub_core::id::UnitId;
use hub_core::known::{Known, KnownError};
use hub_core::query::KnownAt;
use hub_core::time::{DAY_MILLIS, Day, Hlc};
use hub_core::view::View;
use hub_core::view::checkpoint::Checkpoint;

/// The most checkpoints an error lists.
const LISTED_MAX: usize = 8;

/// Which view a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum When {
    /// That of today.
    #[default]
    Now,
    /// What was known at this clock.
    KnownAt(Hlc),
    /// As published for this period.
    Published(String),
}

impl When {
    /// What was typed: at most one of the two.
    ///
    /// # Errors
    /// No instant.
    pub fn of(known_at: Option<&str>, published: Option<&str>) -> Result<Self, CommandError> {
        match (known_at, published) {
            (Some(typed), _) => Ok(Self::KnownAt(clock_of(typed)?)),
            (None, Some(period)) => Ok(Self::Published(period.to_owned())),
            (None, None) => Ok(Self::Now),
        }
    }
}

/// An instant as typed, in Shanghai: a day means its end.
fn clock_of(typed: &str) -> Result<Hlc, CommandError> {
    let bad = || {
        CommandError::refused(
            format!("“{typed}”不是时间;请写作 2026-10-08 或 2026-10-08T09:30"),
            format!("\"{typed}\" is no time; write 2026-10-08 or 2026-10-08T09:30"),
        )
    };
    let typed = typed.trim();
    let (day, time) = match typed.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (typed, None),
    };
    let day: Day = day.parse().map_err(|_| bad())?;
    let Some(time) = time else { return Ok(Hlc(Hlc::at(day.next().start_millis()).0 - 1)) };
    let mut parts = [0_u64; 3];
    let mut found = 0;
    for part in time.split(':') {
        let place = parts.get_mut(found).ok_or_else(bad)?;
        *place = part.parse().map_err(|_| bad())?;
        found += 1;
    }
    let [hours, minutes, seconds] = parts;
    if found < 2 || hours > 23 || minutes > 59 || seconds > 59 {
        return Err(bad());
    }
    // all of that second, or minute, had happened
    let unit = if found == 3 { 1_000 } else { 60_000 };
    let millis = (hours * 3_600 + minutes * 60 + seconds) * 1_000 + unit;
    debug_assert!(millis <= DAY_MILLIS);
    Ok(Hlc(Hlc::at(day.start_millis() + millis).0 - 1))
}

/// The newest checkpoint not after `at` of the node that serves the unit then.
///
/// # Errors
/// There is none; the error lists those there are.
pub fn checkpoint_of(view: &View, unit: UnitId, at: Hlc) -> Result<Checkpoint, CommandError> {
    let tree = view.tree();
    let place = tree.find(&unit);
    let server = place.and_then(|place| view.authority().server_of(tree, place, at));
    let node = server.map(|server| server.enrolment.node);
    if let Some(found) = node.and_then(|node| view.checkpoint_at(node, at)) {
        return Ok(found);
    }
    let known: Vec<String> = node
        .map(|node| view.checkpoints_of(node).map(|c| instant(c.hlc.millis())).collect())
        .unwrap_or_default();
    let shown = known[known.len().saturating_sub(LISTED_MAX)..].join("、");
    let at = instant(at.millis());
    Err(if known.is_empty() {
        CommandError::refused(
            format!(
                "截至 {at},没有服务该单位的节点的存证;节点每天自动存证一次,也可用 hub checkpoint"
            ),
            format!(
                "at {at}: no checkpoint of the node that serves this unit; nodes write one a day, \
                 or by hub checkpoint"
            ),
        )
    } else {
        CommandError::refused(
            format!("截至 {at} 还没有存证;已有的(最近 {LISTED_MAX} 次):{shown}"),
            format!("no checkpoint by {at}; there are (the latest {LISTED_MAX}): {shown}"),
        )
    })
}

/// Runs `ask` over the view asked for, with what its answers rest on and the day they are of unless told.
///
/// # Errors
/// The view cannot be had as it was, or what `ask` says.
pub fn within<T>(
    session: &Session<'_>,
    view: &View,
    unit: UnitId,
    when: &When,
    ask: impl FnOnce(&mut Known, KnownAt, Day) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let journal = session.replica().journal();
    let mut shelf = session.shared.shelf();
    match when {
        When::Now => Err(CommandError::Machine("a view of another time was not asked for".into())),
        When::KnownAt(at) => {
            let checkpoint = checkpoint_of(view, unit, *at)?;
            let known =
                shelf.at(view, &checkpoint, journal).map_err(|error| known_error(&error))?;
            ask(known, KnownAt::Known(checkpoint), checkpoint.hlc.day())
        }
        When::Published(period) => {
            let place = view.tree().find(&unit).ok_or_else(no_unit)?;
            let (closing, known) = closing::published(view, place, period, &mut shelf, journal)
                .map_err(|error| published_error(&error))?;
            let checkpoint = view.checkpoint(&closing.checkpoint).ok_or_else(no_unit)?;
            let day = closing::last_day(period).unwrap_or_else(|| checkpoint.hlc.day());
            ask(known, KnownAt::Published(Box::new((closing, checkpoint))), day)
        }
    }
}

/// A unit that a view does not know.
pub fn no_unit() -> CommandError {
    CommandError::refused("当时还没有登记这个单位", "this unit was not registered then")
}

fn known_error(error: &KnownError) -> CommandError {
    let zh = match error {
        KnownError::Missing { .. } => "存证所列的账本这里不全,不能重算".to_owned(),
        KnownError::Head { .. } => "账本与存证所列不是同一份".to_owned(),
        KnownError::Digest { .. } => "按存证所列账本重算,校验码不符".to_owned(),
        _ => "存证不能重算".to_owned(),
    };
    CommandError::refused(format!("{zh}({error})"), error.to_string())
}

/// Why published figures cannot be shown, in words.
pub fn published_error(error: &PublishedError) -> CommandError {
    let zh = match error {
        PublishedError::Known(error) => return known_error(error),
        PublishedError::NotClosed { closed, found } => {
            let closed = if closed.is_empty() { "无".to_owned() } else { closed.join("、") };
            format!("{found} 没有封账;已封账的:{closed}")
        }
        PublishedError::Table { .. } => "重算的公布表与封账时的不符".to_owned(),
        PublishedError::Rules { what, .. } => {
            format!("封账所用的{}与本程序不同", if *what == "policy" { "规则" } else { "口径" })
        }
        _ => "封账不能重算".to_owned(),
    };
    CommandError::refused(format!("{zh}({error})"), error.to_string())
}

/// The words for a basis, for titles.
pub fn words(known_at: &KnownAt, lang: Lang) -> &'static str {
    match known_at {
        KnownAt::Current => lang.pick("现时数", "current"),
        KnownAt::Known(_) => lang.pick("当时所知", "as known then"),
        KnownAt::Published(_) => lang.pick("公布数", "as published"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_time_is_the_end_of_what_it_names() {
        let shown = |typed: &str| clock_of(typed).map(|at| instant(at.millis())).ok();
        assert_eq!(shown("2026-10-08").as_deref(), Some("2026-10-08 23:59:59"));
        assert_eq!(shown("2026-10-08T09:30").as_deref(), Some("2026-10-08 09:30:59"));
        assert_eq!(shown("2026-10-08 09:30:05").as_deref(), Some("2026-10-08 09:30:05"));
        assert_eq!(shown("2026-10-08T24:00"), None);
        assert_eq!(shown("2026-10-08T09"), None);
        assert_eq!(shown("去年"), None);
    }
}
