"""A history folded: authority, units, unions, persons, and roll-ups by day."""

from authority import Authority
from decisions import Decisions
from figures import Figures
from log import day_number
from members import Person
from placed import Placed
from rollup import Rollup
from unions import Unions
from units import Units


class Model:
    """Everything answers are made of."""

    def __init__(self, log, count):
        self.count = count
        self.day_number = day_number
        self.authority = Authority(log, count)
        self.successions = self.authority.successions
        self.units = Units(self.authority, self.successions)
        self.decisions = Decisions(self.authority, count)
        self.unions = Unions(self)
        self.figures = Figures(self)
        self.persons = self._persons()
        self._rollups = {}
        self._placed = {}

    def _persons(self):
        """Facts by person; M6: a rekey moves what a union said of a key to another, all days."""
        found = {}
        qualified = {}
        for fact in self.authority.kinds.get("member.rekeyed", []):
            if self.authority.stands(fact):
                leads = self.authority.rekeys(fact.body["branch"])[0]
                if leads.get(fact.body["member"]) == fact.body["to"]:
                    qualified[fact.body["branch"], fact.body["member"]] = fact.body["qualified"]
        for kind, facts in self.authority.kinds.items():
            if not kind.startswith("member.") or kind in ("member.rekeyed", "member.erased"):
                continue
            for fact in facts:
                if not self.authority.stands(fact):
                    continue
                union, key = fact.body["branch"], fact.body["member"]
                leads = self.authority.rekeys(union)[0]
                if key in leads:
                    self.count("M6: rekeyed")
                while key in leads:
                    if "qualified" in fact.body:
                        fact = fact.but(qualified=qualified[union, key])
                    key = leads[key]
                found.setdefault(key, []).append(fact)
        kind_of = self.authority.kind_of
        decided = self.decisions
        told = {fact["member"] for fact in self._restated("member")}
        persons = {key: Person(found[key], kind_of, decided.of_person(key), decided.objections_of(key),
                               self.count) for key in sorted(found)}
        for key in told & set(persons):
            persons[key].is_told = True
        return list(persons.values())

    def _restated(self, family):
        """What was restated of a family, standing or not: whoever lacked it knows, or will."""
        for fact in self.authority.kinds.get("governance.restated", []):
            body = fact.body["content"]["body"]
            if family in body:
                yield body[family]

    def told_units(self):
        """Units of which a registration was restated."""
        return {unit["registered"]["unit"] for unit in self._restated("unit") if "registered" in unit}

    def placed(self, day):
        """Where units stand on a day."""
        if day not in self._placed:
            self._placed[day] = Placed(self, day)
        return self._placed[day]

    def rollup(self, day, boundaries):
        """The roll-up of a day."""
        if (day, boundaries) not in self._rollups:
            self._rollups[day, boundaries] = Rollup(self, day, boundaries)
        return self._rollups[day, boundaries]
