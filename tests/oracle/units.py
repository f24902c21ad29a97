"""Units by day: open or closed, attributes, headcount, parents named (DESIGN §3, §7 U1 to U3).

A unit registered under several parents has a registration of each; what is stated about it is stated under
those by whose path its writer had the word (rules.md, "Placement and counting").
"""

from log import day_of_clock
from schemas import DUE, OPEN


class Units:
    """All units of a log, as they are on any day."""

    def __init__(self, authority, successions):
        self.authority = authority
        self.successions = successions
        names = [fact.body["unit"] for fact in authority.kinds.get("unit.registered", [])]
        self.all = sorted({authority.canonical(unit) for unit in names
                           if authority.is_known(unit)})
        self.registrations = {unit: authority.registrations(unit) for unit in self.all}
        self.since = {unit: min(fact.day for fact in authority.standing_registrations(unit))
                      for unit in self.all}
        self.changes = {unit: self._standing("unit.revised", unit) for unit in self.all}
        self.headcounts = {unit: self._standing("unit.headcount_declared", unit)
                           for unit in self.all}
        self.closings = {unit: self._standing("unit.closed", unit) for unit in self.all}

    def _standing(self, kind, unit):
        """Standing facts of a kind about a unit in canonical order, each with the registrations it is stated
        under."""
        same = set(self.authority.same(unit))
        found = [fact for fact in self.authority.kinds.get(kind, [])
                 if fact.body["unit"] in same and self.authority.stands(fact)]
        return [(fact, self._under(unit, fact)) for fact in sorted(found, key=lambda fact: fact.order)]

    def _under(self, unit, fact):
        registrations = self.registrations[unit]
        if len(registrations) < 2:
            return {0}
        writer = (fact.node, fact.epoch)
        return {place for place in range(len(registrations))
                if self.authority.serves_under(writer, unit, place, fact.hlc)}

    def first(self, unit):
        """What its earliest registration says."""
        return self.registrations[unit][0].body

    def is_employer(self, unit):
        """Whether it is an employer."""
        return unit in self.registrations and self.first(unit)["kind"] == "employer"

    def closed(self, unit, under):
        """The day it ends: closed by what was stated under a registration, or followed by others (U4)."""
        days = [fact.day for fact, told in self.closings[unit] if under in told]
        succession = self.successions.of(unit)
        if succession is not None:
            days.append(succession.day)
        return min(days, default=OPEN)

    def is_open(self, unit, under, day):
        """Whether it is registered and not closed on a day. (For authority it is registered on all days.)"""
        return self.since[unit] <= day < self.closed(unit, under)

    def attribute(self, unit, name, under, day):
        """An attribute as last stated up to a day under a registration."""
        value = self.first(unit)["profile"][name]
        for fact, told in self.changes[unit]:
            if fact.day <= day and under in told and fact.body[name] is not None:
                value = fact.body[name]
        return value

    def headcount(self, unit, under, day):
        """The latest declared number of employees, or none."""
        employees = None
        for fact, told in self.headcounts[unit]:
            if fact.day <= day and under in told:
                employees = fact.body["employees"]
        return employees

    @staticmethod
    def is_due(employees):
        """Whether a unit of so many employees must found a union."""
        return employees is not None and employees >= DUE

    def named_parent(self, registration, day):
        """The parent named under a registration on a day (U2: moves act from their day)."""
        parent = registration.body["parent"]
        unit = self.authority.canonical(registration.body["unit"])
        acting = [(move.order, move) for move, applied, ends in self.authority.timeline(unit)
                  if registration.id in applied and move.day <= day
                  and (ends is None or day < day_of_clock(ends))]
        if acting:
            parent = max(acting)[1].body["parent"]
        return self.authority.canonical(parent)
