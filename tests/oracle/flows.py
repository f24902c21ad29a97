"""Flows: how a unit's active members went from one day to another (DESIGN §8; rules.md, "Flows")."""

KINDS = ("new", "in", "resumed", "out", "retained", "left", "moved", "holder_changed", "corrected")

GAINED = {"new": "new", "transferred": "in", "resumed": "resumed", "retention ended": "resumed",
          "existing": "corrected", "revised": "corrected"}

LOST = {"out": "out", "taken": "out", "left": "left", "death": "left", "retained": "retained",
        "revised": "corrected", "new": "corrected", "transferred": "corrected", "resumed": "corrected",
        "existing": "corrected", "retention ended": "corrected"}


class Flows:
    """Opening, flows and closing of one unit over a span of days."""

    def __init__(self, model, unit, first, last):
        self.flows = {}
        self.unit = model.authority.canonical(unit)
        self.then = model.rollup(first - 1, first - 1)
        self.now = model.rollup(last, last)
        self.opening = self.closing = 0
        for person in model.persons:
            before, after = person.active_on(first - 1), person.active_on(last)
            stood, moved = self._inside(self.then, before), self._inside(self.now, before)
            self.opening += stood
            self.closing += self._inside(self.now, after)
            self._add("moved", moved - stood)
            for ended, lost, began, gained in person.changes(first, last):
                left, came = self._inside(self.now, ended), self._inside(self.now, began)
                if left and not came:
                    self._add(LOST.get(lost, "holder_changed"), -1)
                if came and not left:
                    self._add(GAINED.get(gained, "holder_changed"), 1)
        for kind, number in self.flows.items():
            model.count(f"flow: {kind}", abs(number))
        self.flows = {kind: number for kind, number in self.flows.items() if number}

    def _add(self, kind, number):
        self.flows[kind] = self.flows.get(kind, 0) + number

    def _inside(self, rollup, claim):
        """Whether a claim counts, in a union that does, at the unit or below it."""
        if claim is None:
            return 0
        place = rollup.placement.of(claim)
        if place.union is None or place.is_closed:
            return 0
        return int(self.unit in rollup.placed.path(place.unit))
