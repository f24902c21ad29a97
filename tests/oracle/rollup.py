"""What is counted where on a day: units, unions and members joined in the tree (DESIGN §7 F2, F3, F6, M5, §8)."""

import datetime

from figures import newest_ended
from placement import Placement
from schemas import CATALOG, MEMBERS_ELEMENT, SIZES

STAGES = ("none", "refused", "applied", "approved", "founded")


class Rollup:
    """All counts of one day, each at the unit where it stands; rows put them together."""

    def __init__(self, model, day, boundaries):
        self.model = model
        self.units = model.units
        self.unions = model.unions
        self.day = day
        self.then = model.placed(day)
        self.placed = model.placed(boundaries)
        self.counts = {}  # unit -> measure -> number
        if boundaries != day:
            model.count("U2: boundaries of another day")
        self.counting, self.rivals = self.unions.counting(day)
        self.counts_now = {union.id for union in self.counting}
        self.own = {self.unions.host(union, day): union for union in self.counting
                    if union.kind == "own"}
        self.covered = self._covered()
        self.active = {}  # employer -> active members with an employer there
        self.women = {}  # union -> active women
        self.credited = {}  # union -> active members
        self.placement = Placement(self)
        self._count_members()
        self._count_unions()
        self._count_reporting()
        self.stages = {unit: self.stage(unit) for unit in self.units.all}
        for unit in self.units.all:
            if self.is_open(unit) and self.units.is_employer(unit):
                self._count_unit(unit)

    def add(self, unit, measure, number=1):
        """Adds to what stands at a unit."""
        if unit is not None:
            own = self.counts.setdefault(unit, {})
            own[measure] = own.get(measure, 0) + number

    def at(self, unit):
        """What stands at a unit. U4: what stood at a territory that others follow by the day of the boundaries
        stands where they do."""
        counts = dict(self.counts.get(unit, {})) if self.moved_to(unit) == unit else {}
        for other in self.model.successions.by_old:
            if other != unit and self.moved_to(other) == unit:
                for measure, number in self.counts.get(other, {}).items():
                    counts[measure] = counts.get(measure, 0) + number
        return counts

    def moved_to(self, unit):
        """Where what is counted at a unit stands by the boundaries."""
        if unit is None:
            return None
        succession = self.model.successions.of(unit)
        if (succession is None or succession.day > self.placed.day or self.units.is_employer(unit)):
            return unit
        return self.placed.standing(unit)

    def disputed(self):
        """U1: units that a mere tie places, with their other parents."""
        for unit in self.units.all:
            others = self.placed.other_parents(unit)
            if others:
                yield unit, others

    # units on the day

    def is_open(self, unit):
        """Whether a unit is open, by what is stated under the registration it stands under."""
        return self.units.is_open(unit, self.then.registration(unit), self.day)

    def is_counted(self, unit):
        """Whether it is an open employer whose code is good."""
        return (self.units.is_employer(unit) and self.is_open(unit)
                and self.attribute(unit, "qualified"))

    def is_closed(self, unit):
        """Whether a registered unit has ended."""
        return (unit in self.units.registrations
                and self.units.closed(unit, self.then.registration(unit)) <= self.day)

    def attribute(self, unit, name):
        """An attribute on the day; U4: where none is stated, that of the unit it follows."""
        value = self.units.attribute(unit, name, self.then.registration(unit), self.day)
        for forebear in self.model.successions.forebears_on(unit, self.day):
            if value is None and name not in ("qualified", "operating"):
                value = self.attribute(forebear, name)
        return value

    def headcount(self, unit):
        """Its employees on the day, or none; U4: where none are stated, those of the unit it follows."""
        employees = self.units.headcount(unit, self.then.registration(unit), self.day)
        for forebear in self.model.successions.forebears_on(unit, self.day):
            if employees is None:
                employees = self.headcount(forebear)
                self.model.count("U4: inherited")
        return employees

    # coverage

    def host(self, union):
        """Where a union's host stands."""
        return self.then.standing(self.unions.named_host(union, self.day))

    def reaches(self, union, unit):
        """M5: whether a union's hand reaches a unit: it lies below the parent of the union's host, or an
        ancestor of it approved the union."""
        host = self.host(union)
        if host == unit:
            return True
        path = self.then.path(unit)
        if (self.then.parent(host) or host) in path:
            return True
        return any(self.then.standing(fact.unit) in path
                   for fact in union.of("approved") if fact.day <= self.day)

    def _covered(self):
        """F2: units that a counting union covers. F3: who is covered by an own union besides is one unit."""
        covered = set()
        for union in self.counting:
            for unit in self.unions.covers(union, self.day):
                if self.reaches(union, unit):
                    if unit in covered:
                        self.model.count("F3: covered twice")
                    covered.add(unit)
        return covered

    # counting

    def _count_unit(self, unit):
        if not self.attribute(unit, "qualified"):
            self.add(unit, "units.unqualified")
            return
        covered = unit in self.covered
        employees = self.headcount(unit)
        for all_, some, fits in self._bases(unit, employees):
            if fits:
                self.add(unit, all_)
                if covered:
                    self.add(unit, some)
        if self.units.is_due(employees):
            for measure in stage_measures(self.stages[unit]):
                self.add(unit, measure)
        if employees is None:
            self.add(unit, "units.unknown_headcount")
            return
        active = self.active.get(unit, 0)
        self.add(unit, "employees.all", employees)
        self.add(unit, "members.employed", active)
        if covered:
            self.add(unit, "employees.covered", employees)
            self.add(unit, "members.covered", active)
        if active > employees:
            self.add(unit, "units.base_too_small")
            self.model.count("rate: base too small")

    def _bases(self, unit, employees):
        yield "units.all", "covered.all", True
        yield "units.operating", "covered.operating", self.attribute(unit, "operating")
        for all_, some, least in SIZES:
            yield all_, some, employees is not None and employees >= least

    def stage(self, unit):
        """How far a unit's founding is: exclusive stages, the furthest of the grassroots unions hosted there or
        covering it."""
        if unit in self.covered:
            return "founded"
        stages = {"none"}
        for union in self.unions.all.values():
            concerned = (self.unions.host(union, self.day) == unit
                         or unit in self.unions.covers(union, self.day))
            if union.is_grassroots and concerned and self.unions.ends(union) > self.day:
                stages.add(self._stage_of(union))
        return max(stages, key=STAGES.index)

    def _stage_of(self, union):
        """F1, K8: approved for good; else refused, unless it applied again on a later day."""
        if union.approval is not None and union.approval.day <= self.day:
            return "approved"
        applied = max((fact.day for fact in union.of("applied") if fact.day <= self.day), default=None)
        refused = max((fact.day for fact in union.of("refused") if fact.day <= self.day), default=None)
        if applied is not None and (refused is None or refused < applied):
            return "applied"
        return "none" if refused is None else "refused"

    def _count_unions(self):
        for union in self.counting:
            host = self.host(union)
            self.model.count("F1: founded and approved")
            self.add(host, "unions.all")
            if self._is_overdue(union):
                self.add(host, "unions.overdue")
                self.model.count("F6: overdue election")
            if self.women.get(union.id):
                for measure in self.women_measures(union):
                    self.add(host, measure)
        for union in self.rivals:
            self.add(self.host(union), "unions.disputed")
            self.model.count("F4: second own union")

    def women_measures(self, union):
        """What a union with an active woman member counts as."""
        formed = [fact for fact in union.of("women_org_formed") if fact.day <= self.day]
        yield "unions.with_women"
        if formed:
            yield "unions.women_org"
            yield f"unions.women_{formed[-1].body['form']}"

    def _is_overdue(self, union):
        """F6: the term of the committee elected last has run out."""
        held = [fact for fact in union.of("committee_elected") if fact.day <= self.day]
        if not held:
            return False
        until = held[-1].body["until"]
        if until is None:
            ends = plus_years(held[-1].day, held[-1].body["term_years"])
        else:
            ends = self.model.day_number(until)
        return ends <= self.day

    def _count_reporting(self):
        """Units due to report and those that have; S3: declared members, and the registry's of the same units."""
        for unit, (filed, in_time) in self.model.figures.duties(self.day).items():
            self.add(unit, "reporters.due")
            if filed:
                self.add(unit, "reporters.filed")
            if in_time:
                self.add(unit, "reporters.on_time")
                self.model.count("reporting: on time")
        for filer, values, units in self.declared():
            if MEMBERS_ELEMENT in values:
                self.add(filer, "capture.declared", values[MEMBERS_ELEMENT])
                for unit in units:
                    self.add(unit, "capture.registry", self._credited_at(unit))
                self.model.count("S3: declared beside registry")

    def declared(self):
        """Figures in totals of the basis form for its newest ended period: filer, values, units spoken for."""
        form = next(form for form in CATALOG["forms"] if form["basis"])
        period, _ = newest_ended(form["cycle"], self.day)
        for filer, report, units in self.model.figures.in_totals(form["id"], period):
            values = {value["element"]: value["value"] for value in report.body["values"]}
            yield filer, values, units

    def _credited_at(self, unit):
        """Active members credited to unions hosted at a unit."""
        unions = self.model.unions
        return sum(number for union, number in self.credited.items()
                   if unions.host(unions.all[union], self.day) == unit)

    def _count_members(self):
        for person in self.model.persons:
            for row in person.on(self.day):
                self._count_row(row)
            for claim in person.started:
                if claim.start <= self.day and claim.origin == "new" and claim.qualified:
                    self.add(self.placement.of(claim).unit, "members.enrolled")

    def _count_row(self, row):
        placed = self.placement.of(row.claim)
        if placed.unit is None:
            return
        if row.tied and row.holds:
            self.add(placed.unit, "members.disputed")
        for measure in self.placement.measures(placed, row.status_counted(), row.profile):
            self.add(placed.unit, measure)
        if row.status_counted() == "active" and placed.union is not None:
            self.credited[placed.union] = self.credited.get(placed.union, 0) + 1
            if row.profile["sex"] == "woman":
                self.women[placed.union] = self.women.get(placed.union, 0) + 1
            if placed.is_employed:
                self.active[placed.unit] = self.active.get(placed.unit, 0) + 1


def stage_measures(stage):
    """What a due unit at a stage counts as."""
    yield f"stage.due.{stage}"
    if stage in ("founded", "approved", "applied"):
        yield "applied.due"


def plus_years(day, years):
    """The same day so many years later; 29 February becomes 28 February."""
    epoch = datetime.date(1970, 1, 1).toordinal()
    at = datetime.date.fromordinal(day + epoch)
    try:
        at = at.replace(year=at.year + years)
    except ValueError:
        at = at.replace(year=at.year + years, day=28)
    return at.toordinal() - epoch
