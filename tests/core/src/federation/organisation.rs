//! Facts about units and unions.

use super::{Maker, Union};
use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::unit::Level;
use hub_core::fact::{BranchFact, Code, CodeKind, FactBody, UnitFact};
use hub_core::id::{BranchId, UnitId};
use hub_core::time::Day;

impl Maker {
    pub(super) fn unit(&mut self) {
        let at = 1 + self.rng.index(self.places.len() - 1);
        let unit = if self.rng.one_in(20) { UnitId([7; 16]) } else { self.places[at].id };
        let by = self.server(at);
        let mut day = self.some_day();
        // at times fewer employees than members
        let employees = if self.rng.one_in(6) { 0 } else { 20 + self.rng.below(60) as u32 };
        let body = match self.rng.below(12) {
            0..6 => UnitFact::HeadcountDeclared {
                unit,
                employees,
                women: Some(9),
                migrant: None,
                dispatched: None,
            },
            6..9 => UnitFact::Revised {
                unit,
                name: Some(format!("演示单位改{}", self.rng.below(9))),
                codes: Vec::new(),
                ownership: None,
                industry: None,
                operating: Some(self.rng.one_in(2)),
                no_union_reason: Some(self.rng.below(3) as u16),
                qualified: None,
            },
            9 | 10 => {
                let Some(to) = self.some_place(Level::Enterprise) else { return };
                let to = self.places[to].id;
                day = self.today();
                // mostly a code that never was registered: the typical slip
                let slip = self.places[at].level == Level::Enterprise && self.rng.one_in(2);
                let unit = if slip { unit } else { UnitId([self.rng.below(3) as u8; 16]) };
                UnitFact::Rekeyed { unit, to }
            }
            _ => {
                day = Day(self.today().0 + self.rng.pick(&[0, 20]));
                UnitFact::Closed { unit, reason: 1 }
            }
        };
        let announced = day > self.today() && matches!(body, UnitFact::Closed { .. });
        let (is_count, is_rekey) = (
            matches!(body, UnitFact::HeadcountDeclared { .. }),
            matches!(body, UnitFact::Rekeyed { .. }),
        );
        let fact = self.write_one(by, at, day, FactBody::Unit(body));
        let what = if is_count {
            "headcount"
        } else if is_rekey {
            "unit rekeyed"
        } else if announced {
            "closing announced"
        } else {
            "unit fact"
        };
        self.tried(what, fact);
    }

    pub(super) fn union(&mut self) {
        if self.unions.len() < 3 || self.rng.one_in(4) {
            self.new_union();
            return;
        }
        let at = self.rng.index(self.unions.len());
        let Union { id: branch, host } = self.unions[at];
        let other = self.unions[self.rng.index(self.unions.len())].id;
        let level = self.rng.pick(&[Level::Enterprise, Level::Township]);
        let place = self.some_place(level).unwrap_or(0);
        let unit = self.places[place].id;
        let (mut by, mut acting) = (self.server(host), host);
        let body = match self.rng.below(14) {
            0..3 => {
                by = self.superior(host);
                acting = self.offices[by].1;
                BranchFact::Approved { branch }
            }
            3 => {
                by = self.superior(host);
                acting = self.offices[by].1;
                BranchFact::Refused { branch, reason: "材料不全".into() }
            }
            4 => BranchFact::Founded { branch, profile: self.profile(host) },
            5 => BranchFact::Revised {
                branch,
                name: None,
                codes: Vec::new(),
                kind: Some(self.kind()),
            },
            6 | 7 => BranchFact::Covered { branch, unit },
            8 => BranchFact::Uncovered { branch, unit },
            9 => {
                let until = self.rng.one_in(2).then(|| Day(self.today().0 + 20));
                BranchFact::CommitteeElected { branch, term_years: 3, until }
            }
            10 => BranchFact::WomenOrgFormed { branch, form: WomenOrg::Officer },
            11 => {
                self.unions[at].host = place;
                BranchFact::Moved { branch, host: unit }
            }
            12 => BranchFact::Merged { branch, into: other },
            _ if self.rng.one_in(3) => {
                let uscc = format!("8199{:014}", self.rng.below(3));
                BranchFact::LegalRegistered { branch, uscc }
            }
            _ => BranchFact::Dissolved { branch, reason: 1 },
        };
        let what = match &body {
            BranchFact::Approved { .. } => "approval",
            BranchFact::Refused { .. } => "refusal",
            BranchFact::Revised { .. } => "kind corrected",
            BranchFact::Moved { .. } => "union moved",
            BranchFact::Merged { .. } => "merger",
            _ => "union fact",
        };
        let day = self.some_day();
        let mut entry = self.entry(acting, day, FactBody::Branch(body));
        if self.rng.one_in(3) {
            entry.day = self.today();
        }
        let fact = self.write(by, host, &[entry]).first().copied();
        self.tried(what, fact);
    }

    fn kind(&mut self) -> BranchKind {
        self.rng.pick(&[
            BranchKind::Own,
            BranchKind::Own,
            BranchKind::Joint,
            BranchKind::Regional,
            BranchKind::Flexible,
            BranchKind::Federation,
        ])
    }

    fn profile(&mut self, host: usize) -> BranchProfile {
        let kind = self.kind();
        let name = format!("演示工会{}", self.unions.len());
        let mut codes = Vec::new();
        if self.rng.one_in(4) {
            // few codes, so that two unions have one
            let value = format!("8199{:014}", self.rng.below(3));
            codes.push(Code { kind: CodeKind::UnionUscc, value });
        }
        BranchProfile { kind, host: self.places[host].id, name, codes }
    }

    fn new_union(&mut self) {
        let level = self.rng.pick(&[Level::Enterprise, Level::Enterprise, Level::Township]);
        let Some(host) = self.some_place(level) else { return };
        let by = self.server(host);
        let profile = self.profile(host);
        // in the up lane, so that its id is known before it is sealed
        let branch = BranchId::of_first_fact(&self.next_in_up_lane(by));
        let to = self.places[self.places[host].parent.unwrap_or(0)].id;
        let is_applied = self.rng.one_in(3);
        let body = if is_applied {
            BranchFact::Applied { branch, to, profile }
        } else {
            BranchFact::Founded { branch, profile }
        };
        let day = if self.rng.one_in(6) { self.some_day() } else { Day(self.today().0 - 100) };
        let entry = self.entry(host, day, FactBody::Branch(body));
        let about = self.offices[by].1;
        let ids = self.write(by, about, &[entry]);
        self.tried("union", ids.first().copied());
        self.unions.push(Union { id: branch, host });
        if !is_applied && self.rng.one_in(2) {
            let by = self.superior(host);
            let acting = self.offices[by].1;
            let approved = FactBody::Branch(BranchFact::Approved { branch });
            let entry = self.entry(acting, day, approved);
            self.write(by, host, &[entry]);
        }
    }
}
