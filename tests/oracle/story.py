"""A history in readable form: short names for ids, one line a fact."""

import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LETTERS = {"province": "P", "city": "C", "county": "A", "township": "T", "enterprise": "E"}


class Names:
    """Short names of units, nodes, unions and persons, in the order met."""

    def __init__(self, log):
        self.log = log
        self.names = {}
        self.counts = {}
        self.first = min((fact.hlc for fact in log.facts), default=0)
        self.labels = {}

    def _give(self, letter, name):
        if name not in self.names:
            self.counts[letter] = self.counts.get(letter, 0) + 1
            self.names[name] = f"{letter}{self.counts[letter]}"

    def _meet(self):
        for fact in sorted(self.log.facts, key=lambda fact: fact.written):
            self._give("N", fact.node)
            body = fact.body
            if fact.kind == "unit.registered":
                self._give(LETTERS[body["level"]], body["unit"])
            if "branch" in body:
                self._give("u", body["branch"])
            if "member" in body:
                self._give("m", body["member"])

    def text(self, what):
        """A text with ids made short."""
        if not self.names:
            self._meet()
        return UUID.sub(lambda found: self.names.get(found.group(), found.group()[:8]), str(what))

    def fact(self, fact):
        """A fact's name and its kind."""
        return self.text(f"{fact.id} {fact.kind}")

    def story(self):
        """One line a fact, in the order of clocks."""
        lines = []
        for fact in sorted(self.log.facts, key=lambda fact: fact.written):
            at = ((fact.hlc - self.first) >> 16) / 86_400_000
            day = fact.day - self.first_day()
            body = {name: value for name, value in fact.body.items()
                    if value not in (None, [], "") and name not in ("profile", "key", "reason")}
            if "profile" in fact.body:
                kept = ("kind", "host", "operating", "qualified", "sex", "migrant")
                body.update({name: value for name, value in fact.body["profile"].items()
                             if name in kept})
            lines.append(self.text(
                f"{at:7.2f} h{fact.height} {fact.id} {fact.kind} day {day} {fact.precision} for"
                f" {fact.unit} {body} -> {fact.exported}"))
        return lines

    def first_day(self):
        """The day of the first clock."""
        return ((self.first >> 16) + 8 * 3_600_000) // 86_400_000
