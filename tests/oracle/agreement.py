"""What of a row awaits agreement, and which node has been silent longest (DESIGN §8; rules.md, "Restating")."""

LAST = (1 << 64) - 1  # a clock after all clocks


class Agreement:
    """Persons and firms in dispute between what two nodes serve, on the day of a roll-up."""

    def __init__(self, rollup):
        self.model = model = rollup.model
        self.authority = model.authority
        self.placed = rollup.placed
        unions = model.unions
        self.disputes = [[[unions.host(unions.all[union], rollup.day) for union in pair]
                          for pair in person.rivals()] for person in model.persons]
        told = model.told_units()
        self.disputes += [[(self.placed.parent(unit), other) for other in self.placed.parents_beside(unit)]
                          for unit in model.units.all if unit not in told]
        self._servers = {}

    def _server(self, unit):
        if unit not in self._servers:
            self._servers[unit] = None if unit is None else self.authority.server_of(unit, LAST)
        return self._servers[unit]

    def oldest_head(self, contains, unit):
        """The clock of the node silent longest: of those enrolled for something inside, and of that which serves the
        unit."""
        nodes = {self._server(unit)} | {fact.body["node"] for facts in self.authority.enrolled.values() for fact in facts
                                        if self.authority.parked(fact) is None and contains(
                                            self.authority.canonical(fact.body["unit"]))}
        last = self.authority.last_clocks
        return min((last[node] for node in nodes if node in last), default=None)

    def awaiting(self, contains):
        """How many persons and firms are in dispute inside and outside."""
        def crosses(one, other):
            inside = [unit is not None and contains(unit) for unit in (one, other)]
            return inside[0] != inside[1] and self._server(one) != self._server(other)
        return sum(any(crosses(*pair) for pair in pairs) for pairs in self.disputes)
