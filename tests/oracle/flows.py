"""Flows: how a unit's active members went from one day to another (DESIGN §8; rules.md, "Flows")."""

import answers

KINDS = ("new", "in", "resumed", "out", "retained", "left", "moved", "holder_changed", "corrected")

GAINED = {"new": "new", "transferred": "in", "resumed": "resumed", "retention ended": "resumed",
          "existing": "corrected", "revised": "corrected"}

LOST = {"out": "out", "taken": "out", "left": "left", "death": "left", "retained": "retained",
        "revised": "corrected", "new": "corrected", "transferred": "corrected", "resumed": "corrected",
        "existing": "corrected", "retention ended": "corrected"}


class Flows:
    """Opening, flows and closing over a span of days, of a unit and of each row below it."""

    def __init__(self, model, unit, first, last):
        self.model = model
        self.unit = model.authority.canonical(unit)
        self.then = model.rollup(first - 1, first - 1)
        self.now = model.rollup(last, last)
        self.listed = self._listed()
        self.rows = {}
        for person in model.persons:
            self._person(person, first, last)
        if not self.listed:
            self.rows.pop("direct", None)
        for kind, number in self._row("total")["flows"].items():
            model.count(f"flow: {kind}", abs(number))
        for row in self.rows.values():
            row["flows"] = {kind: number for kind, number in row["flows"].items() if number}

    def _listed(self):
        """The children of either day; employers only where all are."""
        children = {child for rollup in (self.then, self.now)
                    for child in answers.children(self.model, rollup.placed, self.unit)}
        is_employer = self.model.units.is_employer
        return {child for child in children if not is_employer(child)} or children

    def _row(self, label):
        return self.rows.setdefault(label, {"opening": 0, "flows": {}, "closing": 0})

    def _add(self, label, kind, number):
        flows = self._row(label)["flows"]
        flows[kind] = flows.get(kind, 0) + number

    def _person(self, person, first, last):
        before, after = person.active_on(first - 1), person.active_on(last)
        stood, moved = self._labels(self.then, before), self._labels(self.now, before)
        for label in stood:
            self._row(label)["opening"] += 1
        for label in self._labels(self.now, after):
            self._row(label)["closing"] += 1
        for label in moved - stood:
            self._add(label, "moved", 1)
        for label in stood - moved:
            self._add(label, "moved", -1)
        for ended, lost, began, gained in person.changes(first, last):
            left, came = self._labels(self.now, ended), self._labels(self.now, began)
            for label in left - came:
                self._add(label, LOST.get(lost, "holder_changed"), -1)
            for label in came - left:
                self._add(label, GAINED.get(gained, "holder_changed"), 1)

    def _labels(self, rollup, claim):
        """The rows in which a claim counts: none, if it does not, or stands outside the unit."""
        if claim is None:
            return set()
        place = rollup.placement.of(claim)
        path = [] if place.union is None or place.is_closed else rollup.placed.path(place.unit)
        if self.unit not in path:
            return set()
        child = path[path.index(self.unit) - 1] if path[0] != self.unit else None
        return {"total", child if child in self.listed else "direct"}
