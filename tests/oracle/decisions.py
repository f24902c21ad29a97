"""Rulings and objections: which stand, which are in force, and what they are about (rules.md, "Decisions")."""

from schemas import EVIDENCE, KIND_RANK, LEVELS

MIXED = "mixed sides"
NO_CLAIM = "no claim"
STARTS = ("member.joined", "member.transferred_in")


def side_of(told):
    """A side as (kind, one, other)."""
    kind, body = next(iter(told.items()))
    if kind == "claim":
        return kind, body["branch"], body["member"]
    if kind == "registration":
        return kind, body["unit"], body["parent"]
    return kind, body["branch"], None


def sides_of(fact):
    """All sides of a ruling."""
    return [side_of(told) for told in fact.body["sides"]]


def person_at(authority, union, key):
    """The person a key leads to at a union (M6)."""
    leads = authority.rekeys(union)[0]
    while key in leads:
        key = leads[key]
    return key


def reasons_against(authority, fact):
    """Why a ruling is parked, each reason that applies."""
    sides = sides_of(fact)
    kinds = {kind for kind, _, _ in sides}
    units = {authority.canonical(one) for kind, one, _ in sides if kind == "registration"}
    if len(kinds) > 1 or len(units) > 1:
        yield MIXED
        return
    if not _has_word(authority, fact, sides):
        yield "no authority"
    if not all(_matches(authority, side) for side in sides):
        yield NO_CLAIM
    elif "claim" in kinds and len({person_at(authority, union, key)
                                   for _, union, key in sides}) > 1:
        yield NO_CLAIM


def _hosts(authority, fact, sides):
    for kind, one, other in sides:
        if kind == "registration":
            yield other
        elif authority.union_is_known(one):
            yield authority.hosts_at(one, fact.hlc)[0]


def _has_word(authority, fact, sides):
    """One office at or above every side's host."""
    hosts = [authority.canonical(host) for host in _hosts(authority, fact, sides)]
    for office in authority.offices(fact.node, fact.epoch, fact.hlc):
        unit = authority.office_unit(office, fact.hlc)
        if all(any(unit in path for path in authority.paths(host, fact.hlc)) for host in hosts):
            return True
    return False


def _matches(authority, side):
    kind, one, other = side
    if kind == "branch":
        return authority.union_is_known(one)
    if kind == "registration":
        parent = authority.canonical(other)
        return any(authority.canonical(fact.body["parent"]) == parent
                   for fact in authority.registrations(one) if fact.body["parent"])
    person = person_at(authority, one, other)
    return any(fact.body["branch"] == one and person_at(authority, one, fact.body["member"]) == person
               and authority.stands(fact)
               for kind in STARTS for fact in authority.kinds.get(kind, []))


class Ruling:
    """A ruling in force."""

    def __init__(self, authority, fact):
        self.fact = fact
        self.sides = sides_of(fact)
        self.kind = self.sides[0][0]
        winner = fact.body["winner"]
        self.winner = None if winner is None else self.sides[winner]
        self.since = authority.day_number(fact.body["from"])
        self.person = None
        if self.kind == "claim":
            _, union, key = self.sides[0]
            self.person = person_at(authority, union, key)
            ranks = [KIND_RANK[authority.kind_of(union)] for _, union, _ in self.sides]
            won = [rank for rank, side in zip(ranks, self.sides) if side == self.winner]
            self.rank = won[0] if won else min(ranks)

    def unions(self):
        """Unions of the losing sides."""
        return {side[1] for side in self.sides if side != self.winner}


class Decisions:
    """Rulings in force and standing objections."""

    def __init__(self, authority, count):
        self.authority = authority
        self.rulings = self._in_force(count)
        self.objections = [fact for fact in authority.kinds.get("governance.objected", [])
                           if authority.stands(fact)]

    def _in_force(self, count):
        """Of those that share a side: the highest level, then the later clock, then the greater id."""
        standing = [fact for fact in self.authority.kinds.get("governance.ruled", [])
                    if self.authority.stands(fact)]
        standing.sort(key=lambda fact: fact.key, reverse=True)
        standing.sort(key=lambda fact: (self._level(fact), -fact.hlc))
        taken, found = set(), []
        for fact in standing:
            ruling = Ruling(self.authority, fact)
            sides = {self._resolved(side) for side in ruling.sides}
            if sides & taken:
                count("M4: ruling replaced")
                continue
            taken |= sides
            found.append(ruling)
            count(f"M4: ruling in force over {ruling.kind}")
        return found

    def _resolved(self, side):
        kind, one, other = side
        if kind == "claim":
            return kind, one, person_at(self.authority, one, other)
        if kind == "registration":
            return kind, self.authority.canonical(one), self.authority.canonical(other)
        return side

    def _level(self, fact):
        offices = self.authority.offices(fact.node, fact.epoch, fact.hlc)
        return min((LEVELS.index(self.authority.level(self.authority.office_unit(office, fact.hlc)))
                    for office in offices), default=len(LEVELS))

    def of_person(self, key):
        """Rulings over a person's claims."""
        return [ruling for ruling in self.rulings if ruling.person == key]

    def objections_of(self, key):
        """Objections to a person's claims, in the order heard, with the unions that object."""
        found = []
        for fact in sorted(self.objections, key=lambda fact: fact.written):
            union = fact.body["branch"]
            if person_at(self.authority, union, fact.body["member"]) == key:
                found.append(Objection(self.authority, fact))
        return found

    def over_unit(self, unit, day):
        """The parent a ruling gives a unit on a day, or none."""
        for ruling in self.rulings:
            if (ruling.kind == "registration" and ruling.winner and ruling.since <= day
                    and self.authority.canonical(ruling.winner[1]) == unit):
                return self.authority.canonical(ruling.winner[2])
        return None

    def ruled_unions(self, day):
        """Unions that a ruling puts first on a day, and those it puts out."""
        winners, losers = set(), set()
        for ruling in self.rulings:
            if ruling.kind == "branch" and ruling.since <= day:
                losers |= ruling.unions()
                if ruling.winner is not None:
                    winners.add(ruling.winner[1])
        return winners, losers


class Objection:
    """An objection and what it may act on."""

    def __init__(self, authority, fact):
        self.authority = authority
        self.fact = fact
        self.union = fact.body["branch"]
        self.since = authority.day_number(fact.body["from"])
        self.evidence = EVIDENCE.index(fact.body["evidence"])
        self.is_heard = False

    def speaks_for(self, union):
        """Whether a union is the objector's: its host is at or below the unit acted for."""
        if union == self.union or not self.authority.union_is_known(union):
            return False
        unit = self.authority.heir_at(self.fact.unit, self.fact.hlc)
        host = self.authority.hosts_at(union, self.fact.hlc)[0]
        return any(unit in path for path in self.authority.paths(host, self.fact.hlc))
