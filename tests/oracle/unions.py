"""Unions by day: from when they count, when they end, where their host is, what they cover (DESIGN §7 F1 to F6,
U3)."""

from schemas import NOT_GRASSROOTS, OPEN

BEFORE = -OPEN
NATURAL_KEYS = ("union_uscc", "union_statistical")


class Union:
    """One union: its standing facts by kind, in canonical order."""

    def __init__(self, ident, authority):
        self.id = ident
        first = authority.introduces[ident]
        self.first = first
        self.kind = authority.kind_of(ident)
        self.facts = {}
        for kind, facts in authority.kinds.items():
            if kind.startswith("branch."):
                self.facts[kind[len("branch."):]] = sorted(
                    (fact for fact in facts
                     if fact.body["branch"] == ident and authority.stands(fact)),
                    key=lambda fact: fact.order)

    def of(self, kind):
        """Its standing facts of a kind."""
        return self.facts.get(kind, [])

    @property
    def is_grassroots(self):
        """Federations and sub-branches are not."""
        return self.kind not in NOT_GRASSROOTS

    @property
    def founded(self):
        """The day it was founded."""
        return min((fact.day for fact in self.of("founded")), default=OPEN)

    @property
    def approval(self):
        """F1: the earliest approval, or none."""
        return next(iter(self.of("approved")), None)

    @property
    def counts_from(self):
        """F1: from the founding or the approval, whichever is later."""
        return max(self.founded, self.approval.day) if self.approval else OPEN

    def codes(self):
        """Its latest code of each list."""
        codes = {code["kind"]: code["value"] for code in self.first.body["profile"]["codes"]}
        for fact in sorted(self.of("revised") + self.of("legal_registered"), key=lambda fact: fact.order):
            told = fact.body.get("codes") or [{"kind": "union_uscc", "value": fact.body.get("uscc")}]
            codes.update((code["kind"], code["value"]) for code in told if code["value"] is not None)
        return codes

    def hosts(self):
        """Its hosts as named, each with the day from which."""
        named = [(BEFORE, self.first.body["profile"]["host"])]
        return named + [(move.day, move.body["host"]) for move in self.of("moved")]


class Unions:
    """All unions of a log, as they are on any day."""

    def __init__(self, model):
        self.model = model
        self.authority = model.authority
        self.units = model.units
        self.decisions = model.decisions
        known = sorted(union for union in self.authority.introduces
                       if self.authority.union_is_known(union))
        self.all = {union: Union(union, self.authority) for union in known}
        self.mergers = self.authority.mergers()[0]
        self._ends = {}

    def named_host(self, union, day):
        """The unit named as its host on a day."""
        host = [host for since, host in union.hosts() if since <= day][-1]
        return self.authority.canonical(host)

    def host(self, union, day):
        """Its host on a day: the unit named, or what follows it one to one."""
        return self.model.successions.heir_on(self.named_host(union, day), day)

    def ends(self, union):
        """The day it ends for good: dissolved, merged, or (U3) an own one on the first day on which the host of
        that day is closed."""
        if union.id not in self._ends:
            days = [fact.day for fact in union.of("dissolved")]
            merger = self.mergers.get(union.id)
            if merger is not None:
                days.append(merger.day)
            if union.kind == "own":
                days.append(self._closed_with_host(union))
            self._ends[union.id] = min(days, default=OPEN)
        return self._ends[union.id]

    def _closed_with_host(self, union):
        hosts = union.hosts()
        for place, (since, host) in enumerate(hosts):
            until = hosts[place + 1][0] if place + 1 < len(hosts) else OPEN
            closed = max(since, self._host_ends(union, self.authority.canonical(host)))
            if closed < until:
                self.model.count("U3: own union ends with its host")
                return closed
        return OPEN

    def _host_ends(self, union, host):
        """The day a host ends by closings stated under the registration that the union goes by that day (none:
        the first), or by a succession; what follows one to one is the host from then on."""
        while host in self.units.registrations:
            closed = OPEN
            for fact, told in self.units.closings[host]:
                goes_by = self.model.placed(fact.day).registration_of(union, host) or 0
                if goes_by in told or len(self.units.registrations[host]) < 2:
                    closed = min(closed, fact.day)
            succession = self.model.successions.of(host)
            if succession is None:
                return closed
            if succession.heir is None or succession.day > closed:
                return min(closed, succession.day)
            host = succession.heir
        return OPEN

    def would_count(self, union, day):
        """Whether it counts on a day, rival unions of its employer aside."""
        return union.is_grassroots and union.counts_from <= day < self.ends(union)

    def counting(self, day):
        """F4: unions that count on a day, and the second own unions of one employer, which do not."""
        winners, losers = self.decisions.ruled_unions(day)
        fit = [union for union in self.all.values()
               if self.would_count(union, day) and union.id not in losers]
        own, counting, disputed = {}, [], []
        for union in fit:
            if union.kind == "own":
                own.setdefault(self.host(union, day), []).append(union)
            else:
                counting.append(union)
        for rivals in own.values():
            rivals.sort(key=lambda union: (union.id not in winners, union.counts_from,
                                           union.approval.written))
            counting.append(rivals[0])
            disputed += rivals[1:]
        return counting, disputed

    def own_of(self, unit, day):
        """The own union of a unit that counts on a day, or none."""
        return next((union for union in self.counting(day)[0]
                     if union.kind == "own" and self.host(union, day) == unit), None)

    def counted_last(self, unit, day):
        """The own union of a unit that counted last before a day."""
        changes = {day}
        for union in self.all.values():
            if union.kind == "own":
                changes.add(self.ends(union))
                changes.update(since for since, _ in union.hosts())
        changes.update(ruling.since for ruling in self.decisions.rulings)
        changes.update(succession.day for succession in self.model.successions.all)
        for change in sorted((change for change in changes if change <= day), reverse=True):
            union = self.own_of(unit, change - 1)
            if union is not None:
                return union
        return None

    def duplicates(self):
        """Unions of one natural key (DESIGN §3): the facts that introduce them."""
        by_code = {}
        for union in self.all.values():
            for code in union.codes().items():
                if code[0] in NATURAL_KEYS:
                    by_code.setdefault(code, []).append(union.first.id)
        for facts in by_code.values():
            if len(facts) > 1:
                self.model.count("case: duplicate-branch")
                yield sorted(facts)

    def successor(self, union, day):
        """F5: the union in which one has gone up by a day, at the end of all mergers; else itself."""
        at = union
        merger = self.mergers.get(at.id)
        while merger is not None and merger.day <= day and merger.body["into"] in self.all:
            at = self.all[merger.body["into"]]
            merger = self.mergers.get(at.id)
        return at

    def covers(self, union, day):
        """F2: units its books name as covered on a day; an own union covers its host and nothing else."""
        if union.kind == "own":
            return {self.host(union, day)}
        named = {}
        facts = [(fact.order, fact, kind == "covered") for kind in ("covered", "uncovered")
                 for fact in union.of(kind) if fact.day <= day]
        for _, fact, covered in sorted(facts, key=lambda entry: entry[0]):
            named[fact.body["unit"]] = covered
        heir = self.model.successions.heir_on
        return {heir(self.authority.canonical(unit), day) for unit, covered in named.items() if covered}
