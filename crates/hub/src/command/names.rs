//! Units and unions by name, path or code; people never type or read an id.
//!
//! A path names some of the units above, highest first: `黑河市/爱辉区/某厂`. A name that fits several is
//! told with the paths of all, unless just one of them lies in the node's own subtree.

use crate::import::Problem;
use crate::import::text;
use hub_core::fact::unit::{Level, UnitKind};
use hub_core::fact::{Code, CodeKind};
use hub_core::id::{BranchId, UnitId};
use hub_core::time::Day;
use hub_core::view::View;
use std::collections::HashMap;

/// The most candidates an ambiguity lists.
const CANDIDATES_MAX: usize = 8;

/// A unit as it is named.
#[derive(Debug, Clone)]
pub struct NamedUnit {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its level.
    pub level: Level,
    /// The unit above it.
    pub parent: Option<usize>,
    /// Its usual code.
    pub code: Option<String>,
    open: bool,
    own: bool,
}

/// A union as it is named.
#[derive(Debug, Clone)]
pub struct NamedBranch {
    /// Its id.
    pub id: BranchId,
    /// Its name.
    pub name: String,
    /// The place of its host among the units.
    pub host: Option<usize>,
}

/// All names a view knows, and those a command adds while it runs.
#[derive(Debug, Default)]
pub struct Names {
    units: Vec<NamedUnit>,
    branches: Vec<NamedBranch>,
    unit_by_id: HashMap<UnitId, usize>,
    branch_by_id: HashMap<BranchId, usize>,
    unit_by_name: HashMap<String, Vec<usize>>,
    unit_by_code: HashMap<String, usize>,
    branch_by_name: HashMap<String, Vec<usize>>,
    branch_by_code: HashMap<String, usize>,
}

impl Names {
    /// The names of a view on a day; `own` is the unit the node serves.
    pub fn of(view: &View, own: Option<UnitId>, day: Day) -> Self {
        let tree = view.tree();
        let mut names = Self::default();
        let mut places = HashMap::new();
        for (id, at) in tree.ids() {
            let unit = tree.unit(at);
            let Some(origin) = &unit.origin else { continue };
            if *id != unit.id {
                continue;
            }
            let place = names.add_unit(unit.id, unit.name(), origin.kind, origin.level, None);
            names.units[place].open = unit.closed(0).is_none_or(|closed| day < closed);
            for code in unit.codes() {
                names.add_unit_code(place, code);
            }
            places.insert(at, place);
        }
        for (at, place) in &places {
            let parent = tree.parent_on(*at, 0, day).and_then(|parent| places.get(&parent));
            names.units[*place].parent = parent.copied();
        }
        let own = own.and_then(|own| names.unit_by_id.get(&own).copied());
        for place in 0..names.units.len() {
            names.units[place].own = own.is_some_and(|own| names.way_up(place).any(|at| at == own));
        }
        for (id, at) in view.branches().ids() {
            let branch = view.branches().branch(at);
            let Some(profile) = &branch.profile else { continue };
            let host = branch.host_on(day).and_then(|host| places.get(&host)).copied();
            let place = names.add_branch(*id, &profile.name, host);
            for code in &profile.codes {
                names.add_branch_code(place, code);
            }
        }
        names
    }

    /// Adds a unit; its place.
    pub fn add_unit(
        &mut self,
        id: UnitId,
        name: &str,
        kind: UnitKind,
        level: Level,
        parent: Option<usize>,
    ) -> usize {
        let place = self.units.len();
        let own = parent.is_some_and(|parent| self.units[parent].own);
        let name = text::name(name);
        self.unit_by_name.entry(name.clone()).or_default().push(place);
        self.unit_by_id.insert(id, place);
        self.units.push(NamedUnit { id, name, kind, level, parent, code: None, open: true, own });
        place
    }

    /// Adds a code of a unit. Of several units with one code the first added keeps it.
    pub fn add_unit_code(&mut self, place: usize, code: &Code) {
        self.unit_by_code.entry(unit_code_key(&code.value)).or_insert(place);
        self.units[place].code = Some(code.value.clone());
    }

    /// Adds a union; its place.
    pub fn add_branch(&mut self, id: BranchId, name: &str, host: Option<usize>) -> usize {
        let place = self.branches.len();
        let name = text::name(name);
        self.branch_by_name.entry(name.clone()).or_default().push(place);
        self.branch_by_id.insert(id, place);
        self.branches.push(NamedBranch { id, name, host });
        place
    }

    /// Adds a code of a union.
    pub fn add_branch_code(&mut self, place: usize, code: &Code) {
        if matches!(code.kind, CodeKind::UnionUscc | CodeKind::UnionStatistical) {
            self.branch_by_code.entry(text::code(&code.value)).or_insert(place);
        }
    }

    /// The unit at a place.
    pub fn unit_at(&self, place: usize) -> &NamedUnit {
        &self.units[place]
    }

    /// The union at a place.
    pub fn branch_at(&self, place: usize) -> &NamedBranch {
        &self.branches[place]
    }

    /// The place of a unit.
    pub fn place_of(&self, id: &UnitId) -> Option<usize> {
        self.unit_by_id.get(id).copied()
    }

    /// The place of a union.
    pub fn place_of_branch(&self, id: &BranchId) -> Option<usize> {
        self.branch_by_id.get(id).copied()
    }

    /// The unit with this code.
    pub fn unit_of_code(&self, code: &str) -> Option<usize> {
        self.unit_by_code.get(&unit_code_key(code)).copied()
    }

    /// The units of this name directly under a unit.
    pub fn child_named(&self, parent: usize, name: &str) -> Option<usize> {
        let all = self.unit_by_name.get(name)?;
        all.iter().copied().find(|place| self.units[*place].parent == Some(parent))
    }

    /// The union of this name at a host.
    pub fn branch_at_host(&self, host: usize, name: &str) -> Option<usize> {
        let all = self.branch_by_name.get(name)?;
        all.iter().copied().find(|place| self.branches[*place].host == Some(host))
    }

    /// The union with one of these codes.
    pub fn branch_of_code(&self, code: &str) -> Option<usize> {
        self.branch_by_code.get(&text::code(code)).copied()
    }

    /// The unit a person means.
    ///
    /// # Errors
    /// None or several fit.
    pub fn unit(&self, typed: &str) -> Result<usize, Problem> {
        if let Some(place) = self.unit_of_code(&text::code(typed)) {
            return Ok(place);
        }
        let (above, name) = split_path(typed);
        let all = self.unit_by_name.get(&name).map_or(&[][..], Vec::as_slice);
        let fitting: Vec<usize> =
            all.iter().copied().filter(|place| self.lies_under(*place, &above)).collect();
        let chosen = self.choose(&fitting, |place| {
            let unit = &self.units[place];
            (unit.own, unit.open)
        });
        chosen.ok_or_else(|| match fitting.is_empty() {
            true => Problem::UnknownUnit,
            false => Problem::Ambiguous {
                candidates: self.candidates(&fitting, |place| self.unit_path(place)),
            },
        })
    }

    /// The union a person means: by its code, by its name or path, or by the code of the one employer
    /// it is the own union of.
    ///
    /// # Errors
    /// None or several fit.
    pub fn branch(&self, typed: &str) -> Result<usize, Problem> {
        if let Some(place) = self.branch_of_code(typed) {
            return Ok(place);
        }
        let (above, name) = split_path(typed);
        let mut fitting: Vec<usize> = self
            .branch_by_name
            .get(&name)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .copied()
            .filter(|place| {
                let host = self.branches[*place].host;
                above.is_empty() || host.is_some_and(|host| self.way_fits(host, &above))
            })
            .collect();
        if fitting.is_empty()
            && let Some(unit) = self.unit_of_code(&text::code(typed))
        {
            fitting =
                (0..self.branches.len()).filter(|b| self.branches[*b].host == Some(unit)).collect();
        }
        let own = |place: usize| self.branches[place].host.is_some_and(|h| self.units[h].own);
        self.choose(&fitting, |place| (own(place), true)).ok_or_else(|| match fitting.is_empty() {
            true => Problem::UnknownBranch,
            false => Problem::Ambiguous {
                candidates: self.candidates(&fitting, |place| self.branch_path(place)),
            },
        })
    }

    /// Where a unit stands, highest first, without the root: `黑河市/爱辉区/某厂`.
    pub fn unit_path(&self, place: usize) -> String {
        let mut names: Vec<&str> =
            self.way_up(place).map(|at| self.units[at].name.as_str()).collect();
        if names.len() > 1 {
            names.pop();
        }
        names.reverse();
        names.join("/")
    }

    /// Where a union stands.
    pub fn branch_path(&self, place: usize) -> String {
        let branch = &self.branches[place];
        match branch.host {
            Some(host) => format!("{}/{}", self.unit_path(host), branch.name),
            None => branch.name.clone(),
        }
    }

    /// Whether a unit is another, or lies below it.
    pub fn is_at_or_below(&self, place: usize, above: usize) -> bool {
        self.way_up(place).any(|at| at == above)
    }

    fn way_up(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        // The tree has no cycles; the bound keeps a wrong one from hanging a command.
        std::iter::successors(Some(place), |at| self.units[*at].parent).take(64)
    }

    fn lies_under(&self, place: usize, above: &[String]) -> bool {
        above.is_empty()
            || self.units[place].parent.is_some_and(|parent| self.way_fits(parent, above))
    }

    /// Whether the names above stand, in order, on the way from a unit to the root.
    fn way_fits(&self, place: usize, above: &[String]) -> bool {
        let mut wanted = above.iter().rev().peekable();
        for at in self.way_up(place) {
            let unit = &self.units[at];
            let is_wanted =
                |name: &&String| **name == unit.name || unit.code.as_ref() == Some(*name);
            if wanted.peek().is_some_and(is_wanted) {
                wanted.next();
            }
        }
        wanted.peek().is_none()
    }

    fn choose(&self, fitting: &[usize], rank: impl Fn(usize) -> (bool, bool)) -> Option<usize> {
        let best = fitting.iter().map(|place| rank(*place)).max()?;
        let mut at_best = fitting.iter().filter(|place| rank(**place) == best);
        match (at_best.next(), at_best.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    fn candidates(&self, fitting: &[usize], path: impl Fn(usize) -> String) -> Vec<String> {
        let mut paths: Vec<String> = fitting.iter().map(|place| path(*place)).collect();
        paths.sort();
        if paths.len() > CANDIDATES_MAX {
            paths.truncate(CANDIDATES_MAX);
            paths.push("…".to_owned());
        }
        paths
    }
}

/// Division codes are one code with and without the zeros that fill them up to 12.
fn unit_code_key(code: &str) -> String {
    let digits = code.len() <= 12 && code.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return code.to_owned();
    }
    let bare = code.trim_end_matches('0');
    let length = [2, 4, 6, 9, 12].into_iter().find(|length| *length >= bare.len());
    let length = length.unwrap_or(12).min(code.len());
    code[..length].to_owned()
}

fn split_path(typed: &str) -> (Vec<String>, String) {
    let mut parts: Vec<String> =
        typed.split(['/', '\\']).map(text::name).filter(|part| !part.is_empty()).collect();
    let name = parts.pop().unwrap_or_default();
    (parts, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::id::{ChainId, FactId, Lane, NodeId};

    fn unit_id(number: u8) -> UnitId {
        UnitId([number; 16])
    }

    fn branch_id(number: u64) -> BranchId {
        let chain = ChainId { node: NodeId([1; 16]), epoch: 1, lane: Lane::Up };
        BranchId::of_first_fact(&FactId { chain, seq: number })
    }

    /// 省 > 黑河市 > 爱辉区, 嫩江市; a firm of one name in both.
    fn names() -> Names {
        let mut names = Names::default();
        let territory = UnitKind::Territory;
        let root = names.add_unit(unit_id(1), "黑龙江省", territory, Level::Province, None);
        let city = names.add_unit(unit_id(2), "黑河市", territory, Level::City, Some(root));
        let aihui = names.add_unit(unit_id(3), "爱辉区", territory, Level::County, Some(city));
        let nenjiang = names.add_unit(unit_id(4), "嫩江市", territory, Level::County, Some(city));
        let employer = UnitKind::Employer;
        for (number, county) in [(5, aihui), (6, nenjiang)] {
            let level = Level::Enterprise;
            let firm =
                names.add_unit(unit_id(number), "兴安商贸(集团)", employer, level, Some(county));
            names.add_branch(branch_id(u64::from(number)), "兴安商贸工会", Some(firm));
        }
        names.add_unit_code(city, &Code { kind: CodeKind::Division, value: "2311".into() });
        names.add_unit_code(aihui, &Code { kind: CodeKind::Division, value: "231102".into() });
        names
    }

    #[test]
    fn by_name_path_and_code() {
        let names = names();
        assert_eq!(names.unit("黑河市"), Ok(1));
        assert_eq!(names.unit("231100000000"), Ok(1));
        assert_eq!(names.unit("231102"), Ok(2));
        assert_eq!(names.unit("爱辉区/兴安商贸（集团）"), Ok(4));
        assert_eq!(names.unit("黑河市/嫩江市/兴安商贸(集团)"), Ok(5));
        assert_eq!(names.unit("231102/兴安商贸(集团)"), Ok(4));
        assert_eq!(names.unit("某厂"), Err(Problem::UnknownUnit));
        assert_eq!(names.branch("嫩江市/兴安商贸工会"), Ok(1));
    }

    #[test]
    fn an_ambiguous_name_lists_where_they_are() {
        let mut names = names();
        let candidates =
            vec!["黑河市/嫩江市/兴安商贸（集团）".into(), "黑河市/爱辉区/兴安商贸（集团）".into()];
        assert_eq!(names.unit("兴安商贸（集团）"), Err(Problem::Ambiguous { candidates }));
        assert!(matches!(names.branch("兴安商贸工会"), Err(Problem::Ambiguous { .. })));
        // A node means its own first.
        names.units[5].own = true;
        assert_eq!(names.unit("兴安商贸（集团）"), Ok(5));
        assert_eq!(names.branch("兴安商贸工会"), Ok(1));
    }

    #[test]
    fn padded_codes_are_one() {
        assert_eq!(unit_code_key("230000000000"), "23");
        assert_eq!(unit_code_key("2311"), "2311");
        assert_eq!(unit_code_key("231000000000"), "2310");
        assert_eq!(unit_code_key("231102001000"), "231102001");
        assert_eq!(unit_code_key("110000"), "11");
        assert_eq!(unit_code_key("91990000900000014Q"), "91990000900000014Q");
    }
}
