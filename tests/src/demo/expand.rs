//! From "330 unions alike" to the 330 rows a county would import: same plan, same rows, every time.

use super::error::DemoError;
use super::people::{employer_code, person};
use super::scenario::{PlanRow, Scenario, Stage};
use std::collections::BTreeMap;

/// One employer or other unit, ready to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Its kind, as in `units.csv`.
    pub kind: String,
    /// Its level.
    pub level: String,
    /// Code or name of its parent.
    pub parent: String,
    /// Code of its territory.
    pub located_in: String,
    /// 统一社会信用代码 or nothing.
    pub code: String,
    /// Employees (人), if declared.
    pub headcount: Option<u32>,
}

/// One union, ready to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union {
    /// Its name.
    pub name: String,
    /// own or joint.
    pub kind: String,
    /// Code or name of its host.
    pub host: String,
    /// Codes of the employers a joint union covers.
    pub covers: Vec<String>,
    /// Whether it is founded, not only applied for.
    pub founded: bool,
    /// The day of founding, or of the application.
    pub day: String,
    /// The approval's document number; empty when only applied for.
    pub approval: String,
    /// The unit that approves or is applied to.
    pub authority: String,
    /// committee, officer or none.
    pub women: String,
}

/// One member, ready to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// A generated name.
    pub name: String,
    /// A generated number with area 99.
    pub number: String,
    /// Whether a woman.
    pub woman: bool,
    /// The union's name.
    pub union: String,
    /// The employer's code; empty for the host of an own union.
    pub employer: String,
    /// The joining day; empty when the books do not say.
    pub joined: String,
    /// Whether newly enrolled (发展会员), not in the books already.
    pub new: bool,
}

/// What one node imports.
#[derive(Debug, Default)]
pub struct Books {
    /// Territories it registers: code, name, level, parent.
    pub divisions: Vec<[String; 4]>,
    /// Units it registers.
    pub units: Vec<Unit>,
    /// Unions it holds.
    pub unions: Vec<Union>,
    /// Members it holds.
    pub members: Vec<Member>,
}

/// The books of every node of a scenario, by the node's name.
pub fn expand(scenario: &Scenario) -> Result<BTreeMap<String, Books>, DemoError> {
    let mut books: BTreeMap<String, Books> = BTreeMap::new();
    for row in &scenario.nodes {
        books.entry(row.node.clone()).or_default();
    }
    for division in &scenario.divisions {
        // a unit is registered by the node above it, never by itself
        let Some(parent) = division.parent.as_deref() else { continue };
        let node = scenario.server_of_division(parent).ok_or_else(|| {
            DemoError::scenario(&scenario.name, "a node above each division", &division.code)
        })?;
        books.entry(node.node.clone()).or_default().divisions.push([
            division.code.clone(),
            division.name.clone(),
            division.level.clone(),
            parent.to_owned(),
        ]);
    }
    for row in &scenario.units {
        books.entry(row.node.clone()).or_default().units.push(Unit {
            name: row.name.clone(),
            kind: row.kind.clone(),
            level: row.level.clone(),
            parent: row.parent.clone(),
            located_in: row.located_in.clone(),
            code: row.code.clone().unwrap_or_default(),
            headcount: row.headcount,
        });
    }
    let mut serials = Serials { employer: 0, person: 0 };
    for row in &scenario.plan {
        let into = books.entry(row.node.clone()).or_default();
        Line { scenario, row, serials: &mut serials }.expand(into)?;
    }
    Ok(books)
}

struct Serials {
    employer: u32,
    person: u32,
}

/// One line of the plan on its way to rows.
struct Line<'a> {
    scenario: &'a Scenario,
    row: &'a PlanRow,
    serials: &'a mut Serials,
}

/// One union of a line with its employers, for giving out members.
struct Place {
    union: String,
    /// Empty for an own union, whose members' employer is its host.
    employers: Vec<String>,
}

impl Line<'_> {
    fn expand(&mut self, into: &mut Books) -> Result<(), DemoError> {
        if self.row.stage == Stage::OwnBooks {
            let union = format!("{}工会", self.row.under);
            return self.members(&[Place { union, employers: Vec::new() }], into);
        }
        let employers = self.employers(into)?;
        if self.row.stage == Stage::None {
            return Ok(());
        }
        let places = self.unions(&employers, into)?;
        match self.row.stage {
            Stage::Founded => self.members(&places, into),
            _ => Ok(()),
        }
    }

    /// Where employers of this line lie: the townships of a county, else the unit itself.
    fn grounds(&self) -> Vec<String> {
        let under = &self.row.under;
        let served_here = |code: &str| {
            self.scenario
                .server_of_division(code)
                .is_some_and(|server| server.node == self.row.node)
        };
        let townships: Vec<String> = self
            .scenario
            .divisions
            .iter()
            .filter(|row| row.parent.as_deref() == Some(under) && served_here(&row.code))
            .map(|row| row.code.clone())
            .collect();
        if townships.is_empty() { vec![under.clone()] } else { townships }
    }

    /// Registers the employers; their codes and names.
    fn employers(&mut self, into: &mut Books) -> Result<Vec<(String, String)>, DemoError> {
        let grounds = self.grounds();
        let (least, most) = self.headcount()?;
        let mut made = Vec::new();
        for at in 0..self.row.employers {
            self.serials.employer += 1;
            let code = employer_code(self.serials.employer);
            let name = format!("演示{:04}单位", self.serials.employer);
            let ground = grounds.get(at as usize % grounds.len()).cloned().unwrap_or_default();
            into.units.push(Unit {
                name: name.clone(),
                kind: "employer".into(),
                level: "enterprise".into(),
                located_in: self.territory(&ground),
                parent: ground,
                code: code.clone(),
                headcount: self.row.headcount.as_ref().map(|_| least + at * 5 % (most - least + 1)),
            });
            made.push((code, name));
        }
        Ok(made)
    }

    /// The territory of a unit: itself, or what `units.csv` says.
    fn territory(&self, unit: &str) -> String {
        let named = self.scenario.units.iter().find(|row| row.name == unit);
        named.map_or_else(|| unit.to_owned(), |row| row.located_in.clone())
    }

    fn headcount(&self) -> Result<(u32, u32), DemoError> {
        let Some(text) = &self.row.headcount else { return Ok((0, 0)) };
        text.split_once('-')
            .and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)))
            .filter(|(least, most)| least <= most)
            .ok_or_else(|| self.fault("headcount as least-most", text))
    }

    fn unions(
        &self,
        employers: &[(String, String)],
        into: &mut Books,
    ) -> Result<Vec<Place>, DemoError> {
        let row = self.row;
        let kind = row.kind.clone().ok_or_else(|| self.fault("a kind", "none"))?;
        let day = row.founded.clone().ok_or_else(|| self.fault("a day of founding", "none"))?;
        let server = self.scenario.node(&row.node);
        let authority = server.and_then(|node| node.code.clone()).unwrap_or(row.node.clone());
        let mut places = Vec::new();
        let mut rest = employers;
        for at in 0..row.unions {
            let (covered, later) = rest.split_at(share(row.employers, row.unions, at) as usize);
            rest = later;
            let Some((code, name)) = covered.first() else {
                return Err(self.fault("an employer for each union", "fewer"));
            };
            let joint = kind == "joint";
            let codes: Vec<String> = covered.iter().map(|(code, _)| code.clone()).collect();
            let union =
                if joint { format!("{name}等联合工会") } else { format!("{name}工会") };
            places.push(Place {
                union: union.clone(),
                employers: if joint { codes.clone() } else { Vec::new() },
            });
            let founded = row.stage == Stage::Founded;
            let year = day.get(..4).unwrap_or_default();
            into.unions.push(Union {
                name: union,
                kind: kind.clone(),
                host: if joint { row.under.clone() } else { code.clone() },
                covers: if joint { codes } else { Vec::new() },
                founded,
                day: day.clone(),
                approval: match founded {
                    true => format!("演工发〔{year}〕{}号", into.unions.len() + 1),
                    false => String::new(),
                },
                authority: authority.clone(),
                women: row.women.clone().unwrap_or_else(|| "none".into()),
            });
        }
        Ok(places)
    }

    /// Gives the line's members out evenly; the first of each union with a women's organisation is a
    /// woman, in unions without one all are men.
    fn members(&mut self, places: &[Place], into: &mut Books) -> Result<(), DemoError> {
        let all = self.row.members.unwrap_or(0);
        let unions = places.len() as u32;
        let with_women = self.row.women.as_deref().is_some_and(|women| women != "none");
        if with_women && all < unions {
            return Err(self.fault("a woman for each union", &all.to_string()));
        }
        for (at, place) in places.iter().enumerate() {
            for nth in 0..share(all, unions, at as u32) {
                self.serials.person += 1;
                let someone = person(self.serials.person, with_women && nth.is_multiple_of(3));
                let employers = place.employers.len().max(1);
                into.members.push(Member {
                    name: someone.name,
                    number: someone.number,
                    woman: someone.woman,
                    union: place.union.clone(),
                    employer: place
                        .employers
                        .get(nth as usize % employers)
                        .cloned()
                        .unwrap_or_default(),
                    joined: self
                        .row
                        .joined
                        .clone()
                        .or_else(|| self.row.founded.clone())
                        .unwrap_or_default(),
                    new: self.row.joined.is_some(),
                });
            }
        }
        Ok(())
    }

    fn fault(&self, expected: &str, found: &str) -> DemoError {
        let place =
            format!("{}/unions.csv, {} {}", self.scenario.name, self.row.node, self.row.under);
        DemoError::scenario(place, expected, found)
    }
}

/// The `at`-th of `parts` even shares of `all`; the shares sum to `all`.
fn share(all: u32, parts: u32, at: u32) -> u32 {
    let bound = |n: u32| (u64::from(all) * u64::from(n) / u64::from(parts.max(1))) as u32;
    bound(at + 1) - bound(at)
}
