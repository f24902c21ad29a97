//! The answer to `hub query coverage` (DESIGN §8): a row a child, 本级 and 合计, and the citation.

use crate::render::table::{Cell, Table};
use crate::render::words::Lang;
use hub_core::measure::{Indicators, Measure};
use hub_core::query::{Answer, Bound, Citation, KnownAt, Label, Rate, Row};
use hub_core::time::{DAY_MILLIS, Day, Millis};
use hub_core::view::View;

const MINUTE_MILLIS: u64 = 60_000;
const HOUR_MILLIS: u64 = 3_600_000;

/// The table of an answer; `before` is the answer of the day compared with, row for row by name.
pub fn coverage(
    view: &View,
    answer: &Answer,
    before: Option<&Answer>,
    lang: Lang,
    now: Millis,
) -> Table {
    let mut table = Table::new(title(answer, lang), &columns(answer, before, lang));
    for row in &answer.rows {
        let earlier = before.and_then(|b| b.rows.iter().find(|r| r.label == row.label));
        table.push(cells(view, answer, row, before.is_some(), earlier, lang, now));
    }
    table.notes = remarks(answer, lang);
    table.citation = citation(answer, before, lang);
    table
}

/// The indicator's or measure's words for people.
pub fn indicator_name(indicator: &str, lang: Lang) -> String {
    let standard = Indicators::standard();
    let id = indicator.split_whitespace().next().unwrap_or(indicator);
    if let Some(found) = standard.find(id) {
        return lang.pick(&found.zh, &found.en).clone();
    }
    let words = standard.measures.get(id);
    words.map_or_else(|| id.to_owned(), |words| lang.pick(&words.zh, &words.en).clone())
}

fn title(answer: &Answer, lang: Lang) -> String {
    let citation = &answer.citation;
    let unit = citation.path.last().map_or("", String::as_str);
    let name = indicator_name(&citation.indicator, lang);
    let day = citation.as_of;
    lang.pick(format!("{unit} {name} 时点 {day}"), format!("{unit}: {name} as of {day}"))
}

fn columns(
    answer: &Answer,
    before: Option<&Answer>,
    lang: Lang,
) -> Vec<(&'static str, &'static str)> {
    let plain = answer.rows.iter().all(|row| row.denominator.is_none());
    let mut columns = vec![("unit", lang.pick("单位", "unit"))];
    if plain {
        columns.push(("count", lang.pick("数量", "count")));
        if is_doubtful(answer) {
            columns
                .extend([("low", lang.pick("下限", "low")), ("high", lang.pick("上限", "high"))]);
        }
    } else {
        columns.extend([
            ("numerator", lang.pick("分子", "numerator")),
            ("denominator", lang.pick("分母", "denominator")),
            ("rate", lang.pick("比率", "rate")),
            ("low", lang.pick("下限", "low")),
            ("high", lang.pick("上限", "high")),
        ]);
    }
    if answer.citation.catalog.is_some() {
        columns.push(("registry", lang.pick("台账数", "registry")));
    }
    if before.is_some() {
        columns.extend([
            ("before", lang.pick("比较日", "before")),
            ("change", lang.pick("增减", "change")),
        ]);
    }
    if has_too_small(answer) {
        columns.push(("too_small", lang.pick("基数不足", "too small")));
    }
    columns.extend([
        ("unknown", lang.pick("人数不详", "unknown")),
        ("disputed", lang.pick("争议", "disputed")),
        ("unqualified", lang.pick("不合格", "unqualified")),
        ("unplaced", lang.pick("待接转", "unplaced")),
        ("awaiting", lang.pick("待各级一致", "awaiting")),
        ("due", lang.pick("应报", "due")),
        ("reported", lang.pick("已报", "reported")),
        ("oldest", lang.pick("最旧同步", "oldest")),
    ]);
    columns
}

/// Whether some number could be another: then plain counts say by how much.
fn is_doubtful(answer: &Answer) -> bool {
    answer.rows.iter().any(|row| row.bounds.is_some())
}

/// Whether a rate of members stands beside units that have more of them than employees.
fn has_too_small(answer: &Answer) -> bool {
    let of_members = answer.citation.indicator.starts_with("member.");
    let is_there = |row: &Row| row.counts.get(Measure::UnitsBaseTooSmall) > 0;
    of_members && answer.rows.iter().any(is_there)
}

fn cells(
    view: &View,
    answer: &Answer,
    row: &Row,
    compared: bool,
    earlier: Option<&Row>,
    lang: Lang,
    now: Millis,
) -> Vec<Cell> {
    let mut cells = vec![Cell::text(row_name(view, &row.label, lang))];
    match row.denominator {
        None => {
            cells.push(Cell::Count(row.numerator));
            if is_doubtful(answer) {
                cells.extend(bounds(row));
            }
        }
        Some(denominator) => {
            cells.extend([
                Cell::Count(row.numerator),
                Cell::Count(denominator),
                rate(row, denominator, lang),
            ]);
            cells.extend(bounds(row));
        }
    }
    cells.extend(row.registry.map(Cell::Count));
    if compared {
        let before = earlier.map(|row| row.numerator);
        cells.push(before.map_or(Cell::Missing, Cell::Count));
        cells.push(before.map_or(Cell::Missing, |before| Cell::Count(row.numerator - before)));
    }
    if has_too_small(answer) {
        cells.push(Cell::Count(row.counts.get(Measure::UnitsBaseTooSmall)));
    }
    let sum = |measures: &[Measure]| {
        Cell::Count(measures.iter().map(|measure| row.counts.get(*measure)).sum())
    };
    cells.extend([
        sum(&[Measure::UnitsUnknownHeadcount]),
        sum(&[Measure::MembersDisputed, Measure::UnitsDisputed, Measure::UnionsDisputed]),
        sum(&[Measure::MembersUnqualified, Measure::UnitsUnqualified]),
        sum(&[Measure::MembersUnplaced]),
        Cell::count(row.awaiting),
        sum(&[Measure::ReportersDue]),
        sum(&[Measure::ReportersFiled]),
        row.oldest_head
            .map_or(Cell::Missing, |head| Cell::text(age(now.saturating_sub(head.millis()), lang))),
    ]);
    cells
}

/// Low and high; nothing where nothing is doubtful, or where there is no base.
fn bounds(row: &Row) -> [Cell; 2] {
    let cell = |bound: &Bound| match bound.denominator {
        None => Cell::Count(bound.numerator),
        Some(0) => Cell::Missing,
        Some(denominator) => Cell::Rate {
            numerator: bound.numerator.unsigned_abs(),
            denominator: denominator.unsigned_abs(),
        },
    };
    row.bounds
        .as_ref()
        .map_or([Cell::Missing, Cell::Missing], |(low, high)| [cell(low), cell(high)])
}

fn rate(row: &Row, denominator: i64, lang: Lang) -> Cell {
    let reason = match row.rate {
        Rate::Derived | Rate::Plain => {
            return Cell::Rate {
                numerator: row.numerator.unsigned_abs(),
                denominator: denominator.unsigned_abs(),
            };
        }
        Rate::NoBase => lang.pick("无基数", "no base"),
        Rate::BaseTooSmall => lang.pick("基数不足", "base too small"),
        Rate::NoData => lang.pick("登记前无数据", "no data yet"),
    };
    Cell::NoRate(reason.to_owned())
}

/// The name of a row.
pub fn row_name(view: &View, label: &Label, lang: Lang) -> String {
    match label {
        Label::Unit(at) => view.tree().unit(*at).name().to_owned(),
        Label::Direct => lang.pick("本级", "directly affiliated").to_owned(),
        Label::Total => lang.pick("合计", "total").to_owned(),
        Label::Group(code) if code.is_empty() => lang.pick("未填", "not stated").to_owned(),
        Label::Group(code) => code.clone(),
    }
}

/// An age in the largest whole unit.
pub fn age(millis: Millis, lang: Lang) -> String {
    let (count, zh, en) = match millis {
        0..MINUTE_MILLIS => return lang.pick("刚刚", "just now").to_owned(),
        MINUTE_MILLIS..HOUR_MILLIS => (millis / MINUTE_MILLIS, "分钟", "min"),
        HOUR_MILLIS..DAY_MILLIS => (millis / HOUR_MILLIS, "小时", "h"),
        _ => (millis / DAY_MILLIS, "天", "d"),
    };
    lang.pick(format!("{count}{zh}前"), format!("{count} {en} ago"))
}

fn remarks(answer: &Answer, lang: Lang) -> Vec<String> {
    let mut remarks = Vec::new();
    let Some(total) = answer.rows.last() else { return remarks };
    if answer.citation.indicator.starts_with("founding.application") {
        remarks.push(lang.pick(
            "申请率按申请计,申请不等于建会;组建率另见 founding.unit。".to_owned(),
            "This is a rate of applications; an application is no founding (see founding.unit)."
                .to_owned(),
        ));
    }
    let too_small = total.counts.get(Measure::UnitsBaseTooSmall);
    if too_small > 0 && answer.citation.indicator.starts_with("member.") {
        remarks.push(lang.pick(
            format!("{too_small} 家单位会员多于职工(基数不足),请核对职工人数。"),
            format!("{too_small} units have more members than employees; check their headcounts."),
        ));
    }
    let awaiting: u64 = answer.rows.iter().rev().skip(1).map(|row| row.awaiting).sum();
    if awaiting > 0 || total.awaiting > 0 {
        remarks.push(lang.pick(
            "同一人或同一单位在多处登记的,上级只计一次;下级在达成一致前可能各自计入(见“待各级一致”)。"
                .to_owned(),
            "A person or firm entered in several places counts once here; levels below may still count \
             it each until they agree (column awaiting)."
                .to_owned(),
        ));
    }
    remarks
}

fn citation(
    answer: &Answer,
    before: Option<&Answer>,
    lang: Lang,
) -> Vec<(&'static str, String, String)> {
    let citation = &answer.citation;
    let definition = citation.definition.short();
    let mut lines = vec![
        ("path", lang.pick("凭据", "citation"), citation.path.join("/")),
        ("unit", lang.pick("单位编号", "unit id"), citation.unit.to_string()),
        (
            "definition",
            lang.pick("口径", "definition"),
            format!("{} {} {definition}", citation.indicator, citation.base),
        ),
        ("policy", lang.pick("规则", "policy"), citation.policy.short()),
        ("as_of", lang.pick("时点", "as of"), citation.as_of.to_string()),
        ("boundaries", lang.pick("区划口径", "boundaries"), citation.boundaries.to_string()),
        ("by", lang.pick("分行", "by"), citation.by.id().to_owned()),
        ("known_at", lang.pick("截至", "known at"), known_at(citation, lang)),
        ("digest", lang.pick("校验码", "digest"), citation.digest.to_string()),
    ];
    if let Some(catalog) = &citation.catalog {
        let basis = lang.pick("上报数", "declared");
        let value = format!("{basis} {}", catalog.short());
        lines.insert(2, ("basis", lang.pick("数据来源", "basis"), value));
    }
    if let Some(before) = before {
        let day = before.citation.as_of.to_string();
        lines.insert(4, ("compared", lang.pick("比较日", "compared with"), day));
    }
    if let Some(checkpoint) = citation.known_at.checkpoint() {
        lines.push(("checkpoint", lang.pick("存证", "checkpoint"), checkpoint.id.to_string()));
    }
    lines.into_iter().map(|(key, name, value)| (key, name.to_owned(), value)).collect()
}

fn known_at(citation: &Citation, lang: Lang) -> String {
    match &citation.known_at {
        KnownAt::Current => lang.pick("现时数", "current").to_owned(),
        KnownAt::Known(checkpoint) => instant(checkpoint.hlc.millis()),
        KnownAt::Published(closed) => {
            let (closing, checkpoint) = &**closed;
            let (period, revision) = (&closing.period, closing.revision);
            let at = instant(checkpoint.hlc.millis());
            lang.pick(
                format!("公布数 {period}(第 {revision} 次封账,截至 {at})"),
                format!("as published {period} (closing {revision}, known at {at})"),
            )
        }
    }
}

/// An instant as people in Shanghai read it.
pub fn instant(at: Millis) -> String {
    let day = Day::of_millis(at);
    let seconds = at.saturating_sub(day.start_millis()) / 1_000;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{day} {hours:02}:{minutes:02}:{:02}", seconds % 60)
}
