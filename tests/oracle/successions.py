"""U4: which units follow which, from a day (rules.md, "Succession")."""


class Succession:
    """A standing succession."""

    def __init__(self, authority, fact):
        self.fact = fact
        self.day = fact.day
        self.hlc = fact.hlc
        self.old = sorted({authority.canonical(unit) for unit in fact.body["old"]})
        self.new = sorted({authority.canonical(unit) for unit in fact.body["new"]})

    @property
    def heir(self):
        """The unit that takes the place of the old one; none unless it is one to one."""
        return self.new[0] if len(self.old) == len(self.new) == 1 else None


def settle(authority, facts):
    """Of those whose writers may state them: each unit is old in one at most, the earliest by day, clock and id,
    and none closes a cycle."""
    standing, follows = [], {}
    for fact in sorted(facts, key=lambda fact: fact.order):
        succession = Succession(authority, fact)
        if any(old in follows for old in succession.old) or _closes_a_cycle(succession, follows):
            continue
        standing.append(succession)
        follows.update((old, succession) for old in succession.old)
    return standing


def _closes_a_cycle(succession, follows):
    open_, seen = list(succession.new), set()
    while open_:
        unit = open_.pop()
        if unit in succession.old:
            return True
        if unit not in seen and unit in follows:
            open_ += follows[unit].new
        seen.add(unit)
    return False


class Successions:
    """All standing successions; none names a unit as old that another one has."""

    def __init__(self, standing):
        self.all = standing
        self.by_old = {old: succession for succession in standing for old in succession.old}

    def of(self, unit):
        """The succession that ends a unit, or none."""
        return self.by_old.get(unit)

    def _heir(self, unit, acts):
        if not self.by_old:
            return unit
        succession = self.of(unit)
        while succession is not None and succession.heir is not None and acts(succession):
            unit = succession.heir
            succession = self.of(unit)
        return unit

    def heir_on(self, unit, day):
        """What everything named by a unit is on a day: itself, or what follows it one to one."""
        return self._heir(unit, lambda succession: succession.day <= day)

    def heir_at(self, unit, clock):
        """The same for authority, from the succession's clock on."""
        return self._heir(unit, lambda succession: succession.hlc <= clock)

    def split_on(self, unit, day):
        """The succession of another shape than one to one that has ended a unit by a day, or none."""
        split = self.of(self.heir_on(unit, day))
        return split if split is not None and split.heir is None and split.day <= day else None

    def forebears_on(self, unit, day):
        """The units that this one follows directly one to one by a day."""
        return [succession.old[0] for succession in self.all
                if succession.heir == unit and succession.day <= day]

    def clocks_to(self, unit):
        """The clocks of the successions by which others became this unit, near and far."""
        found = []
        for succession in self.all:
            if succession.heir == unit:
                found += [succession.hlc] + self.clocks_to(succession.old[0])
        return found
