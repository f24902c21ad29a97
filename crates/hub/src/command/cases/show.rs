//! `hub cases show`: the sides beside each other, what decided, what each can do next.

use super::docket::Docket;
use crate::command::error::CommandError;
use crate::command::session::Session;
use crate::render::{Cell, Format, Table, words};
use hub_core::case::{Case, CaseKind, CaseSide, CaseState, Standing};

/// Headings of sides beside each other; a case of more sides shows the first of them.
const SIDES: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

/// Shows one case.
pub(super) fn show(session: &Session<'_>, typed: &str) -> Result<u8, CommandError> {
    let docket = Docket::open(session);
    let case = docket.case(typed)?;
    let sheet: Vec<Vec<(&'static str, &'static str, Cell)>> =
        (0..case.sides.len()).map(|place| side(&docket, case, place)).collect();
    let mut table = match session.format {
        Format::Table => beside(session, &sheet),
        Format::Json | Format::Csv => below(&sheet),
    };
    table.title = title(&docket, case)?;
    table.notes = notes(&docket, case)?;
    table.citation = citation(session, case);
    session.show(&table)?;
    Ok(0)
}

fn title(docket: &Docket<'_, '_>, case: &Case) -> Result<String, CommandError> {
    let lang = docket.session.lang;
    let (kind, state) = (words::case::kind(lang, case.kind), words::case::state(lang, case.state));
    let subject = docket.subject(case)?;
    let known = case.member.map(|member| docket.session.person(&member)).transpose()?.flatten();
    let number = known.map(|known| format!(" {}", *known.number)).unwrap_or_default();
    Ok(format!("{kind}({state}) {subject}{number}"))
}

/// What is told of a side: key, heading, cell.
fn side(
    docket: &Docket<'_, '_>,
    case: &Case,
    place: usize,
) -> Vec<(&'static str, &'static str, Cell)> {
    let lang = docket.session.lang;
    let side = &case.sides[place];
    let missing = |text: Option<String>| text.map_or(Cell::Missing, Cell::Text);
    let evidence = side.evidence.map(|e| words::case::evidence(lang, e).to_owned());
    vec![
        ("side", lang.pick("一方", "side"), Cell::text((place + 1).to_string())),
        ("standing", lang.pick("结果", "standing"), Cell::text(standing(docket, case, place))),
        ("whose", lang.pick("属于", "whose"), missing(whose(docket, case, place))),
        ("name", lang.pick("工会或归口", "union or parent"), Cell::text(docket.side_name(side))),
        ("unit", lang.pick("所在单位", "at"), missing(side.unit.map(|at| docket.unit_path(at)))),
        ("day", lang.pick("生效日", "from"), Cell::text(side.day.to_string())),
        ("written", lang.pick("录入日", "entered"), Cell::text(side.hlc.day().to_string())),
        ("evidence", lang.pick("依据", "evidence"), missing(evidence)),
        ("document", lang.pick("文号", "document"), missing(side.document.clone())),
        ("fact", lang.pick("记录号", "fact"), Cell::text(side.fact.to_string())),
    ]
}

fn standing(docket: &Docket<'_, '_>, case: &Case, place: usize) -> String {
    let lang = docket.session.lang;
    let text = words::case::standing(lang, case.sides[place].standing).to_owned();
    match case.base == Some(place) {
        true => lang.pick(format!("{text}(在先)"), format!("{text} (stood first)")),
        false => text,
    }
}

/// Whether a side is of this node's books or of another's; none where it is both or nobody's.
fn whose(docket: &Docket<'_, '_>, case: &Case, place: usize) -> Option<String> {
    let lang = docket.session.lang;
    let ours = docket.sides_of(case, docket.own?);
    if ours.is_empty() || ours.len() == case.sides.len() {
        return None;
    }
    Some(match ours.contains(&place) {
        true => lang.pick("本方", "ours").to_owned(),
        false => lang.pick("对方", "theirs").to_owned(),
    })
}

/// A column a side, for the eye.
fn beside(session: &Session<'_>, sheet: &[Vec<(&'static str, &'static str, Cell)>]) -> Table {
    let mut columns = vec![("item", session.lang.pick("项目", "item"))];
    columns.extend(SIDES.iter().take(sheet.len()).map(|side| (*side, *side)));
    let mut table = Table::new("", &columns);
    let items = sheet.first().map_or(0, Vec::len);
    for item in 1..items {
        let shown = sheet.iter().take(SIDES.len());
        let cells: Vec<Cell> = shown.map(|side| side[item].2.clone()).collect();
        if cells.iter().any(|cell| *cell != Cell::Missing) {
            let heading = Cell::text(sheet[0][item].1);
            table.push(std::iter::once(heading).chain(cells).collect());
        }
    }
    table
}

/// A row a side, for scripts.
fn below(sheet: &[Vec<(&'static str, &'static str, Cell)>]) -> Table {
    let columns: Vec<(&'static str, &str)> =
        sheet.first().map_or(Vec::new(), |side| side.iter().map(|(k, h, _)| (*k, *h)).collect());
    let mut table = Table::new("", &columns);
    for side in sheet {
        table.push(side.iter().map(|(_, _, cell)| cell.clone()).collect());
    }
    table
}

fn notes(docket: &Docket<'_, '_>, case: &Case) -> Result<Vec<String>, CommandError> {
    let lang = docket.session.lang;
    let mut notes = vec![words::case::ground_sentence(lang, case.ground).to_owned()];
    if case.effect.persons + case.effect.units + case.effect.unions > 0 {
        let (persons, units, unions) = (case.effect.persons, case.effect.units, case.effect.unions);
        notes.push(lang.pick(
            format!("若改定另一方,换到另一方计入的:会员 {persons} 人,单位 {units} 家,工会 {unions} 个。"),
            format!(
                "If decided the other way, these count at the other side: {persons} members, {units} \
                 units, {unions} unions."
            ),
        ));
    }
    notes.extend(next_steps(docket, case)?);
    Ok(notes)
}

/// What whoever asks can do about it, and who else can.
fn next_steps(docket: &Docket<'_, '_>, case: &Case) -> Result<Vec<String>, CommandError> {
    let lang = docket.session.lang;
    let id = &case.id.to_string()[..super::docket::ID_DIGITS];
    let mut steps = Vec::new();
    if docket.may_object(case) {
        steps.push(lang.pick(
            format!(
                "本方同意:登记转出(hub member transfer --out),即为双方一致。\
                 本方不同意:hub cases object {id} --evidence 劳动合同;依据不能弱于对方。"
            ),
            format!(
                "If you agree, record the transfer out (hub member transfer --out). If not: hub cases \
                 object {id} --evidence labour_contract; the evidence must not be weaker than theirs."
            ),
        ));
    }
    if docket.may_rule(case) {
        steps.push(lang.pick(
            format!(
                "本级可以裁定:hub cases rule {id} --winner 1 --reason 理由 --document 文号\
                 (都不算用 --winner none)。"
            ),
            format!(
                "This level may rule: hub cases rule {id} --winner 1 --reason WHY --document NUMBER \
                 (none wins: --winner none)."
            ),
        ));
    } else if case.can_be_ruled()
        && let Some(above) = case.common_ancestor(&docket.rollup)
    {
        let by = docket.unit_path(above);
        steps.push(lang.pick(
            format!("裁定由双方共同的上级“{by}”(或其上级)作出。"),
            format!("A ruling is made by the common superior “{by}” or one above it."),
        ));
    }
    if super::decide::own_decisions(docket, case).next().is_some() {
        steps.push(lang.pick(
            format!("本级的裁定或异议可以撤回:hub cases withdraw {id} --reason 理由。"),
            format!(
                "This level's own decision can be taken back: hub cases withdraw {id} --reason WHY."
            ),
        ));
    }
    steps.extend(other_steps(docket, case));
    Ok(steps)
}

/// What mends a case that nobody rules.
fn other_steps(docket: &Docket<'_, '_>, case: &Case) -> Option<String> {
    let lang = docket.session.lang;
    let text = match case.kind {
        CaseKind::OrphanEnd => lang.pick(
            "该工会没有此人在籍的记录:核对证件号码;号码有误的更正后重录,确属误录的用 hub undo 撤回这条记录。",
            "The union has no open membership of this person: check the number; take the record back with \
             hub undo if it was entered by mistake.",
        ),
        CaseKind::ForeignDeath => lang.pick(
            "登记死亡的不是此人所在的工会:两会核对后,由所在工会登记,或由误录的一方撤回。",
            "The death was stated by a union that did not hold the person: check with that union; it states \
             the death, or the mistake is taken back.",
        ),
        CaseKind::ResidualOverlap => lang.pick(
            "这家单位自己填报了,又包括在“其余”里:请把它从“其余”的单位名单中去掉后重报,或退回其中一份。",
            "The unit files for itself and is in the residual too: file the residual without it, or return \
             one of the two.",
        ),
        CaseKind::DuplicateBranch => lang.pick(
            "两处登记的可能是同一个工会:核对代码;是同一个的,由一方并入另一方,或由共同上级裁定。",
            "These may be one union entered twice: check the codes; merge one into the other, or have it ruled.",
        ),
        CaseKind::RulingParked | CaseKind::ObjectionParked => lang.pick(
            "这份裁定或异议现在不起作用(见 hub log show --parked 的原因);条件具备时自动生效,也可撤回。",
            "This decision does not act now (hub log show --parked tells why); it acts by itself when it can, \
             and can be taken back.",
        ),
        _ => return None,
    };
    Some(text.to_owned())
}

fn citation(session: &Session<'_>, case: &Case) -> Vec<(&'static str, String, String)> {
    let lang = session.lang;
    let (rule, source) = case.kind.rule();
    let counts: Vec<String> = case
        .sides
        .iter()
        .enumerate()
        .filter(|(_, side): &(usize, &CaseSide)| side.standing == Standing::Counts)
        .map(|(place, _)| (place + 1).to_string())
        .collect();
    let mut lines = vec![
        ("case", lang.pick("争议编号", "case"), case.id.to_string()),
        ("kind", lang.pick("种类", "kind"), case.kind.id().to_owned()),
        ("state", lang.pick("进展", "state"), case.state.id().to_owned()),
        ("rule", lang.pick("规则", "rule"), format!("{rule}({source})")),
        ("ground", lang.pick("依据", "decided by"), case.ground.id().to_owned()),
        ("counts", lang.pick("计入一方", "counting side"), counts.join(",")),
        ("since", lang.pick("起于", "since"), case.since.to_string()),
        ("known", lang.pick("发现于", "known since"), case.known.day().to_string()),
    ];
    if let Some(decision) = case.decision {
        let name = match case.state {
            CaseState::Ruled => lang.pick("裁定记录", "ruling"),
            _ => lang.pick("决定记录", "decision"),
        };
        lines.push(("decision", name, decision.to_string()));
    }
    lines.into_iter().map(|(key, name, value)| (key, name.to_owned(), value)).collect()
}
