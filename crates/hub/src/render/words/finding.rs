//! Findings as the sentence a cadre understands: what, where, and how to mend it.

use super::Lang;
use crate::render::table::grouped;
use hub_core::catalog::{Catalog, Rule};
use hub_core::findings::{Declared, Filled, Implied, Kind, ReportRef};
use hub_core::id::{BranchId, UnitId};

/// Names of units and unions, for sentences.
pub trait NamedThings {
    /// A unit.
    fn unit(&self, id: &UnitId) -> String;
    /// A union.
    fn branch(&self, id: &BranchId) -> String;
}

/// What a finding is, in a few words.
pub fn finding_name(lang: Lang, kind: &Kind) -> &'static str {
    let (zh, en) = match kind.name() {
        "rate-follows" => ("比率相符", "rate follows"),
        "rate-differs" => ("比率与数字不符", "rate does not follow"),
        "rate-without-numbers" => ("有比率无分子分母", "rate without its numbers"),
        "rate-unreadable" => ("比率看不懂", "no rate in the text"),
        "rate-misnamed" => ("比率名实不符", "rate called by another's name"),
        "rate-of-several" => ("一数两指标", "one number for several rates"),
        "units-mixed" => ("计量单位混用", "units of measure mixed"),
        "part-over-whole" => ("部分大于总数", "part over whole"),
        "women-over-total" => ("女性多于总数", "women over total"),
        "declared-members-over-employees" => ("会员多于职工", "members over employees"),
        "unions-over-units" => ("工会多于涵盖单位", "unions over units covered"),
        "parts-differ" => ("分项与总数不符", "parts do not sum"),
        "jump" => ("数字突变", "jump"),
        "identical-reports" => ("填报雷同", "identical reports"),
        "element-unknown" => ("表中没有的指标", "element not on the form"),
        "residual-overlap" => ("代报重复", "residual figure overlaps"),
        "members-over-headcount" => ("基数不足", "members over headcount"),
        "empty-unit" => ("空壳", "covered unit without members"),
        "election-overdue" => ("换届逾期", "election overdue"),
        "mass-takeover" => ("大批接转", "mass takeover"),
        "left-by-succession" => ("撤并后未落实归属", "left by a succession"),
        "after-closing" => ("封账后补录", "entered after the closing"),
        "future-dated" => ("日期超前", "dated ahead"),
        _ => ("疑点", "finding"),
    };
    lang.pick(zh, en)
}

fn counted(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A finding in a sentence.
pub fn finding(lang: Lang, kind: &Kind, names: &dyn NamedThings) -> String {
    match kind {
        Kind::RateFollows { .. }
        | Kind::RateDiffers { .. }
        | Kind::RateWithoutNumbers { .. }
        | Kind::RateUnreadable { .. }
        | Kind::RateMisnamed { .. }
        | Kind::RateOfSeveral { .. }
        | Kind::UnitsMixed { .. } => of_rate(lang, kind),
        Kind::PartOverWhole { report, rule, part, whole, .. } => {
            let (form, rule) = (report_name(lang, report), rule_text(lang, rule));
            let (part, whole) = (filled(lang, part), filled(lang, whole));
            lang.pick(
                format!("{form}:{part}大于{whole};{rule},请核对两个数。"),
                format!("{form}: {part} is more than {whole}; {rule}. Check both numbers."),
            )
        }
        Kind::PartsDiffer { report, rule, whole, filled: parts, implied, low, high } => {
            let form = report_name(lang, report);
            let sum = (*low, *high);
            parts_differ(lang, &form, rule, whole, parts, implied, sum)
        }
        Kind::Jump { report, now, before, period_before } => {
            let (form, name) = (report_name(lang, report), element(lang, now.element));
            let (before, now) = (grouped(*before), grouped(now.value));
            lang.pick(
                format!("{form}:{name}由上期({period_before})的{before}变为{now},变动过大,请核实或说明原因。"),
                format!(
                    "{form}: {name} went from {before} ({period_before}) to {now}; verify it, or say why."
                ),
            )
        }
        Kind::Identical { report, other } => {
            let (form, other) = (report_name(lang, report), names.unit(other));
            lang.pick(
                format!("{form}:各项数字与“{other}”填报的完全相同,请核对是否报重。"),
                format!("{form}: every number equals those of “{other}”; is it filed twice?"),
            )
        }
        Kind::ElementUnknown { report, filled: one } => {
            let (form, one) = (report_name(lang, report), filled(lang, one));
            lang.pick(
                format!("{form}:表中没有这一指标:{one},未采用;请核对指标代码。"),
                format!("{form}: the form has no such element: {one}; check its code."),
            )
        }
        Kind::ResidualOverlap { left_out, counted_of } => {
            let (form, by) = (report_name(lang, left_out), names.unit(counted_of));
            lang.pick(
                format!("{form}:“{by}”的代报数已包括本单位,又另有一份填报;合计只计代报数一次,请退回其中一份。"),
                format!(
                    "{form}: the residual figure of “{by}” covers this unit and another report does too; \
                     totals count the residual one only. Return one of them."
                ),
            )
        }
        other => of_registry(lang, other, names),
    }
}

fn of_registry(lang: Lang, kind: &Kind, names: &dyn NamedThings) -> String {
    match kind {
        Kind::MembersOverHeadcount { members, employees } => {
            let (members, employees) = (grouped(*members), grouped(*employees));
            lang.pick(
                format!("会员{members}人,多于职工{employees}人(基数不足,不计比率),请核对职工人数。"),
                format!("{members} members, {employees} employees: no rate; check the headcount."),
            )
        }
        Kind::EmptyUnit => lang.pick(
            "已计入工会覆盖,但没有一名会员(空壳),请补录会员,或终止涵盖。".into(),
            "Counts as covered and has no member; enter its members, or end the coverage.".into(),
        ),
        Kind::ElectionOverdue { branch, until, days } => {
            let branch = names.branch(branch);
            lang.pick(
                format!("“{branch}”本届任期已于{until}届满,逾期{days}天未换届(工会法第十六条),请督促换届。"),
                format!("the term of “{branch}” ran out on {until}, {days} days ago; have it elect."),
            )
        }
        Kind::MassTakeover { branch, month: (year, month), persons, most, from } => {
            let branch = names.branch(branch);
            let from: Vec<String> = from.iter().map(|from| names.branch(from)).collect();
            let from = from.join(lang.pick("、", ", "));
            lang.pick(
                format!("“{branch}”在{year}年{month}月从本系统外({from})接转{persons}人,超过{most}人,请核实是否属实;必要时停用该节点并恢复原会籍。"),
                format!(
                    "“{branch}” took over {persons} members of {from} in {year}-{month:02}, more than {most}; \
                     verify it; a cut of its node brings them back."
                ),
            )
        }
        Kind::LeftBySuccession { .. } | Kind::AfterClosing { .. } => of_changes(lang, kind, names),
        Kind::Premature { day, written, .. } => lang.pick(
            format!("{written}写下的一条记录说{day}已经发生:事情还没有到日子,暂存未计;核对日期,发生后再录。"),
            format!(
                "a record written on {written} says that something happened on {day}; it is kept and \
                 not counted. Check the day, and enter it when it has happened."
            ),
        ),
        Kind::PrematureMembers { count } => lang.pick(
            format!("另有{count}条会员记录的日期晚于录入日,暂存未计,请核对日期。"),
            format!("{count} records of members are dated after the day they were written on."),
        ),
        _ => String::new(),
    }
}

/// What came of successions and after closings.
fn of_changes(lang: Lang, kind: &Kind, names: &dyn NamedThings) -> String {
    match kind {
        Kind::LeftBySuccession { old, day, units, members } => {
            let old: Vec<String> = old.iter().map(|old| names.unit(old)).collect();
            let old = old.join(lang.pick("、", ", "));
            let (units, members) = (counted(*units), grouped(*members));
            lang.pick(
                format!(
                    "“{old}”自{day}起撤并,还有{units}个单位、{members}名会员没有落实归到哪里,\
                     暂列本级;请逐一办理归口变更或会籍接转。"
                ),
                format!(
                    "“{old}” ended on {day}; {units} units and {members} members stand here until \
                     somebody says where they belong: move the units, transfer the members."
                ),
            )
        }
        Kind::AfterClosing { period, what, count, earliest, .. } => {
            let (what, count) = (super::fact::kind(lang, what), counted(*count));
            lang.pick(
                format!(
                    "{period}已经封账,之后又录入“{what}”{count}条,日期在封账期内(最早{earliest});\
                     公布数不变,现时数已不同,差在哪里用 hub explain --published {period} 查看。"
                ),
                format!(
                    "{period} was closed; {count} facts ({what}) dated within it came later (the \
                     earliest on {earliest}). What was published stays; hub explain --published \
                     {period} tells the difference."
                ),
            )
        }
        _ => String::new(),
    }
}

fn of_rate(lang: Lang, kind: &Kind) -> String {
    match kind {
        Kind::RateFollows { declared, numerator, denominator, .. } => {
            let what = said(lang, declared);
            let shown = division(lang, numerator, denominator);
            lang.pick(
                format!("{what},与{shown}相符。"),
                format!("{what}; it follows from {shown}."),
            )
        }
        Kind::RateDiffers { declared, numerator, denominator, needed } => {
            let what = said(lang, declared);
            let shown = division(lang, numerator, denominator);
            let text = &declared.text;
            let needed = needed.map(|(low, high)| {
                let range = range(lang, low, high);
                lang.pick(
                    format!("要达到{text},分子须为{range}。"),
                    format!(" {text} would need a numerator of {range}."),
                )
            });
            let needed = needed.unwrap_or_default();
            lang.pick(
                format!("{what},但{shown},不是{text}。{needed}请核对两个数,比率由系统计算。"),
                format!("{what}, but {shown}, not {text}.{needed} Check both numbers."),
            )
        }
        Kind::RateWithoutNumbers { declared } => {
            let what = said(lang, declared);
            lang.pick(
                format!("{what},分子、分母没有填全,无法核对,不采用;请补填两个数。"),
                format!("{what} without both numbers it is made of; file them."),
            )
        }
        Kind::RateUnreadable { declared } => {
            let what = said(lang, declared);
            lang.pick(
                format!("{what},看不出是多少;请写成 92% 或 95.1%。"),
                format!("{what}: no rate can be read in it; write it as 92%."),
            )
        }
        Kind::RateMisnamed { .. } => misnamed(lang, kind),
        Kind::RateOfSeveral { declared, rates } => {
            let what = said(lang, declared);
            let names: Vec<String> = rates.iter().map(|id| rate(lang, id)).collect();
            let count = names.len();
            let names = names.join(lang.pick("、", ", "));
            lang.pick(
                format!("{what},一个数说了{count}个指标({names});请分开填报,各填分子和分母。"),
                format!("{what}: one number for {count} rates ({names}); file each with its own numbers."),
            )
        }
        Kind::UnitsMixed { declared, mixed } => {
            let what = said(lang, declared);
            let ((over, unit), (under, its)) = (&mixed.expected, &mixed.found);
            let (over, under) = (element(lang, *over), element(lang, *under));
            lang.pick(
                format!("{what},但{over}按“{unit}”计,{under}按“{its}”计,计量单位不同,不能相除;请改用同一单位的数。"),
                format!("{what}, but {over} counts {unit} and {under} counts {its}: they make no rate."),
            )
        }
        _ => String::new(),
    }
}

/// A rate that is another than it is called.
fn misnamed(lang: Lang, kind: &Kind) -> String {
    let Kind::RateMisnamed { declared, numerator, denominator, called, is, rightly } = kind else {
        return String::new();
    };
    let what = said(lang, declared);
    let shown = division(lang, numerator, denominator);
    let (called, is) = (rate(lang, called), is.as_ref().map(|is| rate(lang, is)));
    let rightly: Vec<String> = rightly.iter().map(|(n, d)| quotient(*n, *d)).collect();
    let rightly = match rightly.is_empty() {
        true => String::new(),
        false => lang.pick(
            format!("按本表数字,{called}为{}。", rightly.join("、")),
            format!(" By this report the {called} is {}.", rightly.join(", ")),
        ),
    };
    let is = is.unwrap_or_else(|| lang.pick("另一个数", "something else").into());
    let hint = match declared_as_application(kind) {
        true => lang.pick("申请不等于建会。", " An application is no founding."),
        false => "",
    };
    lang.pick(
        format!("{what},是用{shown}算的,这是{is},不是{called}。{hint}{rightly}"),
        format!("{what}, made of {shown}: that is the {is}, not the {called}.{hint}{rightly}"),
    )
}

/// Whether what was called a founding rate is one of applications (K8).
fn declared_as_application(kind: &Kind) -> bool {
    matches!(kind, Kind::RateMisnamed { called, is: Some(is), .. }
        if called == "founding.unit" && is == "founding.application")
}

fn parts_differ(
    lang: Lang,
    form: &str,
    rule: &str,
    whole: &Filled,
    parts: &[Filled],
    implied: &[Implied],
    (low, high): (i64, i64),
) -> String {
    let rule = rule_text(lang, rule);
    let known = parts.iter().map(|part| filled(lang, part));
    let derived = implied.iter().map(|part| {
        let (name, over) = (element(lang, part.element), grouped(part.numerator));
        let (range, text) = (range(lang, part.low, part.high), &part.text);
        lang.pick(
            format!("{name}{range}(按{over}占{text}推算)"),
            format!("{name} {range} (since {over} are {text})"),
        )
    });
    let parts: Vec<String> = known.chain(derived).collect();
    let parts = parts.join(lang.pick("加", " and "));
    let sum = range(lang, low, high);
    let (least, most) = ((whole.value - high).abs(), (whole.value - low).abs());
    let apart = range(lang, least.min(most), least.max(most));
    let whole = filled(lang, whole);
    lang.pick(
        format!("{form}:{whole},而{parts}共{sum},相差{apart};{rule},请说明口径或更正。"),
        format!("{form}: {whole}, but {parts} are {sum}, {apart} apart; {rule}."),
    )
}

fn said(lang: Lang, declared: &Declared) -> String {
    let (form, text) = (report_name(lang, &declared.report), &declared.text);
    let name = match declared.name.is_empty() {
        true => lang.pick("一个比率", "a rate"),
        false => declared.name.as_str(),
    };
    lang.pick(format!("{form}:“{name}”填{text}"), format!("{form}: “{name}” is given as {text}"))
}

/// `完成改制企业数102÷应改制企业数126=80.95%`.
fn division(lang: Lang, numerator: &Filled, denominator: &Filled) -> String {
    let share = share(numerator.value, denominator.value)
        .unwrap_or_else(|| lang.pick("无基数", "no base").into());
    format!("{}÷{}={share}", filled(lang, numerator), filled(lang, denominator))
}

fn quotient(numerator: i64, denominator: i64) -> String {
    let share = share(numerator, denominator).unwrap_or_else(|| "–".into());
    format!("{}/{}={share}", grouped(numerator), grouped(denominator))
}

/// A quotient in percent with two decimals.
fn share(numerator: i64, denominator: i64) -> Option<String> {
    if denominator <= 0 || numerator < 0 {
        return None;
    }
    let (over, under) = (i128::from(numerator), i128::from(denominator));
    let hundredths = (over * 20_000 + under) / (under * 2);
    Some(format!("{}.{:02}%", hundredths / 100, hundredths % 100))
}

fn filled(lang: Lang, filled: &Filled) -> String {
    let name = element(lang, filled.element);
    lang.pick(
        format!("{name}{}", grouped(filled.value)),
        format!("{name} {}", grouped(filled.value)),
    )
}

fn range(lang: Lang, low: i64, high: i64) -> String {
    let (from, to) = (grouped(low), grouped(high));
    if low == high { from } else { lang.pick(format!("{from}至{to}"), format!("{from} to {to}")) }
}

/// An element's name.
pub fn element(lang: Lang, id: u32) -> String {
    match Catalog::standard().element(id) {
        Some(element) => lang.pick(&element.zh, &element.en).clone(),
        None => lang.pick(format!("指标{id}"), format!("element {id}")),
    }
}

/// A form's name.
pub fn form(lang: Lang, id: u32) -> String {
    match Catalog::standard().form(id) {
        Some(form) => lang.pick(&form.zh, &form.en).clone(),
        None => lang.pick(format!("表{id}"), format!("form {id}")),
    }
}

fn report_name(lang: Lang, report: &ReportRef) -> String {
    let form = form(lang, report.form);
    lang.pick(format!("《{form}》{}", report.period), format!("{form} {}", report.period))
}

fn rate(lang: Lang, id: &str) -> String {
    let known = Catalog::standard().rates.iter().find(|rate| rate.id == id);
    known.map_or_else(|| id.to_owned(), |rate| lang.pick(&rate.zh, &rate.en).clone())
}

fn rule_text(lang: Lang, id: &str) -> String {
    let known: Option<&Rule> = Catalog::standard().rules.iter().find(|rule| rule.id == id);
    known.map_or_else(String::new, |rule| lang.pick(&rule.zh, &rule.en).clone())
}
