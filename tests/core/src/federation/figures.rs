//! Facts about declared figures: reports of a unit's own and residual ones, with rates, returned and approved.

use super::Maker;
use hub_core::fact::figure::{DeclaredRate, ElementValue};
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::{FactBody, FigureFact};

/// The year of all reports: few series, so that reports meet in one.
const YEAR: &str = "2025";

impl Maker {
    pub(super) fn figure(&mut self) {
        if self.reports.is_empty() || !self.rng.one_in(3) {
            self.report();
        } else {
            self.decision();
        }
    }

    fn report(&mut self) {
        let some = self.rng.index(self.places.len());
        // a residual figure comes from above the units it stands for
        let above = self.path(some);
        let residual = self.rng.one_in(3);
        let at = if residual { above[self.rng.index(above.len())] } else { some };
        let (unit, today) = (self.places[at].id, self.today());
        let by = self.server(at);
        let employees = 20 + self.rng.below(500) as i64;
        let members = self.rng.below(500) as i64;
        let values = vec![
            ElementValue { element: 101, value: employees },
            ElementValue { element: 102, value: members },
        ];
        let mut rates = Vec::new();
        if self.rng.one_in(3) {
            let percent = if self.rng.one_in(2) { members * 100 / employees } else { 92 };
            let text = match self.rng.below(6) {
                0 => format!("超过{percent}%"),
                1 => format!("{percent}%以上"),
                2 => format!("不低于{percent}%"),
                3 => format!("{}‰", members * 1000 / employees),
                4 => {
                    let tenths = (2_000 * members + employees) / (2 * employees);
                    format!("{}.{}%", tenths / 10, tenths % 10)
                }
                _ => format!("{percent}%"),
            };
            rates.push(DeclaredRate {
                numerator: 102,
                denominator: 101,
                text,
                name: "入会率".into(),
            });
        }
        let mut residual_of = Vec::new();
        if residual {
            residual_of.push(self.places[some].id);
            let another = self.rng.index(self.places.len());
            residual_of.push(self.places[another].id);
        }
        let what = match (residual_of.is_empty(), rates.is_empty()) {
            (false, _) => "residual report",
            (true, false) => "report with a rate",
            (true, true) => "report",
        };
        let body = FigureFact::Reported {
            unit,
            form: 1,
            period: YEAR.into(),
            revision: 1 + self.rng.below(3) as u32,
            values,
            rates,
            posts: [1; 3],
            residual_of,
        };
        let fact = self.write_one(by, at, today, FactBody::Figure(body));
        self.reports.extend(fact.map(|fact| (fact, at)));
        self.tried(what, fact);
    }

    fn decision(&mut self) {
        let (report, about) = self.reports[self.rng.index(self.reports.len())];
        let (unit, today) = (self.places[about].id, self.today());
        let by = self.superior(about);
        let (body, what) = match self.rng.below(4) {
            0 | 1 => {
                (FigureFact::Returned { unit, report, reason: "漏项".into() }, "report returned")
            }
            2 => (FigureFact::Approved { unit, report }, "report approved"),
            _ => return self.publication(by, about),
        };
        let fact = self.write_one(by, about, today, FactBody::Figure(body));
        self.tried(what, fact);
    }

    /// A policy, a catalogue, or a target, which change no number of the books.
    fn publication(&mut self, by: usize, about: usize) {
        let (unit, today) = (self.places[about].id, self.today());
        let text = String::from("{}");
        let hash = hub_core::hash::sha256(&[text.as_bytes()]);
        let (version, period) = (1, YEAR.into());
        let body = match self.rng.below(3) {
            0 => FactBody::Governance(GovernanceFact::PolicyPublished { version, hash, text }),
            1 => FactBody::Governance(GovernanceFact::CatalogPublished { version, hash, text }),
            _ => {
                let indicator = "founding.unit".into();
                FactBody::Figure(FigureFact::TargetSet { unit, indicator, period, value: 900 })
            }
        };
        self.write_one(by, about, today, body);
    }
}
