"""M5: where a claim counts on a day, and what it counts as there (DESIGN §7 M5, M8; rules.md, "Placement and
counting", "Succession")."""


class Place:
    """Where a claim counts: at a unit, credited to a counting union or to none."""

    def __init__(self, unit, union=None, is_employed=False, is_closed=False):
        self.unit = unit
        self.union = union
        self.is_employed = is_employed
        self.is_closed = is_closed

    def key(self):
        """What two equal places have in common."""
        return self.unit, self.union, self.is_employed, self.is_closed


class Placement:
    """Places claims in a roll-up."""

    def __init__(self, rollup):
        self.rollup = rollup
        self.model = rollup.model
        self.day = rollup.day
        self._known = {}

    def of(self, claim):
        """Where a claim counts."""
        key = claim.union, claim.employer
        if key not in self._known:
            self._known[key] = self._place(self.model.unions.all[claim.union], claim.employer)
        return self._known[key]

    def _place(self, union, named_employer):
        rollup, unions = self.rollup, self.model.unions
        at = unions.successor(union, self.day)
        if at is not union:
            self.model.count("F5: placed in the union it merged into")
        host = rollup.host(at)
        counting = at.id if at.id in rollup.counts_now else None
        employer = self._employer(union, at, named_employer)
        subject = employer if employer is not None else unions.named_host(at, self.day)
        split = self.model.successions.split_on(subject, self.day)
        if split is not None:
            if counting and unions.host(at, self.day) not in split.old:
                return self._at(host, counting, employer)
            self.model.count("U4: members left unplaced")
            return Place(rollup.then.standing(subject))
        if employer is None:
            return self._at(host, counting, None)
        employer = self.model.successions.heir_on(employer, self.day)
        if rollup.is_closed(employer):
            self.model.count("M5: employer closed")
            return Place(rollup.then.parent(employer) or employer, is_closed=True)
        reached = employer in self.model.units.registrations and rollup.reaches(at, employer)
        if reached and employer in rollup.own:
            self.model.count("M5: at the employer's own union")
            return self._at(employer, rollup.own[employer].id, employer)
        self.model.count("M5: reached" if reached else "M5: beyond reach")
        return self._at(employer if reached else host, counting, employer)

    def _at(self, unit, union, employer):
        employed = employer is not None and self.model.units.is_employer(unit)
        return Place(unit, union, employed)

    def _employer(self, union, successor, named):
        """A blank employer at an own union is its host; where that is closed and the union went up in another
        own union, the host of that one."""
        unions = self.model.unions
        if named is not None:
            return self.model.authority.canonical(named)
        if union.kind != "own":
            return None
        host = unions.named_host(union, self.day)
        self.model.count("M5: blank employer is the host")
        closed = self.rollup.is_closed(self.model.successions.heir_on(host, self.day))
        if not closed or successor is union:
            return host
        return unions.named_host(successor, self.day) if successor.kind == "own" else None

    def measures(self, place, status, profile):
        """What a claim counts as, but for what the headcount of its employer decides."""
        if status in ("unqualified", "in_transit", "secondary", "disputed", "retained"):
            yield f"members.{status}"
        if status != "active":
            return
        if place.is_closed:
            yield "members.retained"
        elif place.union is None:
            self.model.count("M5: unplaced")
            yield "members.unplaced"
        else:
            yield "members.all"
            if profile["sex"] == "woman":
                yield "members.women"
            if profile["migrant"] == "yes":
                yield "members.migrant"
            if not place.is_employed:
                yield "members.without_employer"
