"""Answers: rows by child, with 本级 and 合计, or by group, and the indicators made of their counts (DESIGN §8)."""

from agreement import Agreement
from bounds import Bounds
from schemas import BANDS, CATALOG, INDICATORS

MEASURES = list(INDICATORS["measures"])


class Row:
    """One row: what it is of, the units whose counts make it, and which units it contains."""

    def __init__(self, label, units, contains):
        self.label = label
        self.units = units
        self.contains = contains


class Table:
    """The rows of one question."""

    def __init__(self, model, question, day, boundaries):
        self.model = model
        self.rollup = model.rollup(day, boundaries)
        self.placed = self.rollup.placed
        self.unit = model.authority.canonical(question["unit"])
        self.by = question["by"]
        self.declared = self._declared() if question.get("declared") else None
        model.count(f"answer: by {self.by}")
        self.rows = list(self._rows())
        self.bounds = Bounds(self.rollup)
        self.agreement = Agreement(self.rollup)

    def _path(self, unit, under):
        """The way up from a unit, under its parent or under another."""
        return self.placed.path(unit) if under is None else [unit] + self.placed.path(under)

    def _subtree(self, label, top):
        units = [unit for unit in self.rollup.model.units.all if top in self.placed.path(unit)]
        return Row(label, units, lambda unit, under=None: top in self._path(unit, under))

    def _rows(self):
        if self.by == "child":
            yield from self._by_child()
        elif self.by != "total":
            yield from self._by_group()
        yield self._subtree("total", self.unit)

    def _by_child(self):
        below = list(children(self.model, self.placed, self.unit))
        is_employer = self.model.units.is_employer
        listed = [child for child in below if not is_employer(child)] or below
        direct = [child for child in below if child not in listed]

        def contains(unit, under=None):
            parent = self.placed.parent(unit) if under is None else under
            return unit == self.unit or (is_employer(unit) and bool(direct) and parent == self.unit)

        yield Row("direct", direct + [self.unit], contains)
        for child in listed:
            yield self._subtree(child, child)

    def _by_group(self):
        groups, open_ = {}, [self.unit]
        while open_:
            unit = open_.pop()
            open_ += children(self.model, self.placed, unit)
            groups.setdefault(self._group(unit), []).append(unit)
        for group, units in groups.items():
            def contains(unit, under=None, group=group):
                return self.unit in self._path(unit, under) and self._group(unit) == group
            yield Row(f"group:{group}", units, contains)

    def _group(self, unit):
        if self.by == "headcount":
            employees = self.rollup.headcount(unit)
            return "" if employees is None else next(
                name for least, name in reversed(BANDS) if employees >= least)
        code = self.rollup.attribute(unit, self.by)
        if code is None:
            return ""
        return chr(code) if self.by == "industry" and isinstance(code, int) else str(code)

    def counts(self, row):
        """The counts of a row; U1: a unit that a mere tie places is disputed in every row of a parent."""
        counts = total(self.rollup.at(unit) for unit in row.units)
        disputed = [unit for unit, others in self.rollup.disputed() if self.rollup.is_open(unit)
                    and (row.contains(unit) or any(row.contains(unit, other) for other in others))]
        counts["units.disputed"] = len(disputed)
        return counts

    def beside(self, row):
        """What awaits agreement, and the oldest head; a group is no part of the tree."""
        if row.label.startswith("group:"):
            return 0, self.agreement.oldest_head(lambda unit: False, self.unit)
        return (self.agreement.awaiting(row.contains),
                self.agreement.oldest_head(row.contains, self.unit if row.label in ("direct", "total") else row.label))

    def _declared(self):
        """S3: by unit that filed, what it declared of each measure that an element stands for."""
        found = {}
        for filer, values, _ in self.rollup.declared():
            own = found.setdefault(filer, {})
            for element in CATALOG["elements"]:
                for measure in element.get("registry", []):
                    own[measure] = own.get(measure, 0) + values.get(element["id"], 0)
        return found

    def asked(self, row, counts):
        """The counts a row's ratio is made of: those of the books, or as declared."""
        if self.declared is None:
            return counts
        self.model.count("answer: as declared")
        return total(self.declared.get(unit, {}) for unit in row.units)

    def ratio(self, row, counts, indicator, base):
        """Numerator, denominator, whether they make a rate, low and high where something is in doubt."""
        kind, (numerator, denominator) = definition(indicator, base)
        counts = self.asked(row, counts)
        n = counts.get(numerator, 0)
        d = None if denominator is None else counts.get(denominator, 0)
        bounds, low, high = None, (0, 0), (0, 0)
        if self.declared is None:
            low, high = self.bounds.of(row, (numerator, denominator), kind)
        if low != (0, 0) or high != (0, 0):
            bounds = [[n + more, None if d is None else d + under] for more, under in (low, high)]
        found = rate(counts, numerator, n, d)
        if found != "plain":
            self.model.count(f"rate: {found}")
        return [n, d, found, bounds]


def children(model, placed, unit):
    """Units below another; a territory that others follow is none any more (U4)."""
    for child in model.units.all:
        succession = model.successions.of(child)
        is_gone = (succession is not None and succession.day <= placed.day
                   and not model.units.is_employer(child))
        if placed.parent(child) == unit and not is_gone:
            yield child


def total(parts):
    """Counts added up."""
    counts = {}
    for part in parts:
        for measure, number in part.items():
            counts[measure] = counts.get(measure, 0) + number
    return counts


def definition(indicator, base):
    """The kind of a ratio and its two measures; a plain measure has no second."""
    for known in INDICATORS["indicators"]:
        if known["id"] == indicator:
            return known["kind"], known["bases"][base]
    return "plain", (indicator, None)


def rate(counts, numerator, n, d):
    """Whether two numbers make a rate, or why not (DESIGN §8)."""
    if not any(counts.values()):
        return "no data"
    if d is None:
        return "plain"
    if d == 0:
        return "no base"
    if numerator in ("members.covered", "members.employed") and n > d:
        return "base too small"
    return "derived"
