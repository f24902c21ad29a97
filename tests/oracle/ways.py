"""The ways up from a unit as known at a clock (DESIGN §9; rules.md, "Who takes back, who moves").

A unit's parent for authority changes with the clock of a move, never with its day; a registration holds at all
clocks. U4: a unit that another follows one to one is that other from the succession's clock on.
"""

from schemas import HAND_OVER, LEVELS


class Ways:
    """The part of authority that knows the tree by clocks."""

    def standing_registrations(self, unit):
        """All its standing registrations, under any of its names, the earliest first."""
        unit = self.canonical(unit)
        return self.kept(self._registered, unit, lambda: sorted(
            (fact for name in self.same(unit) for fact in self.registered.get(name, [])
             if self.stands(fact)), key=lambda fact: fact.written))

    def registrations(self, unit):
        """Its standing registrations by parent: one parent is one, the earliest."""
        standing = self.standing_registrations(unit)
        if len(standing) < 2:
            return standing
        by_parent = {}
        for fact in standing:
            by_parent.setdefault(self.canonical(fact.body["parent"]), fact)
        return list(by_parent.values())

    # moves

    def timeline(self, unit):
        """Moves of a unit's parent in the order of their clocks: (move, registrations it acts on, clock of
        its withdrawal). Each is judged by what was so when it was stated."""
        unit = self.canonical(unit)
        if unit in self._timeline:
            if self._timeline[unit] is self._building.get(unit):
                self.is_open(("timeline", unit))
            return self._timeline[unit]
        line = self._timeline[unit] = self._building[unit] = []
        _, is_sure = self.ask(("timeline", unit), lambda: self._build(unit, line))
        del self._building[unit]
        if not is_sure:
            del self._timeline[unit]
            for move, _, _ in line:
                self._parked.pop(move.id, None)
        return line

    def _build(self, unit, line):
        moves = [move for name in self.same(unit) for move in self.moves.get(name, [])]
        for move in sorted(moves, key=lambda move: move.written):
            if move.body["parent"] is None or not self._may_move(move):
                continue
            applied = {registration.id for registration in self.standing_registrations(unit)
                       if registration.body["unit"] == move.body["unit"]
                       and registration.written < move.written
                       and self._reaches_both(move, registration)}
            if not applied:
                continue
            line.append([move, applied, None])
            self._parked[move.id] = None
            by = self.withdrawn(move)
            line[-1][2] = by.hlc if by is not None else None
            if len(applied) < len(self.standing_registrations(unit)):
                self.count("moved: one registration of several")
        self._apply_to_kept(unit, line)

    def _apply_to_kept(self, unit, line):
        """Where both ids of a rekeyed unit are registered under one parent, what moves one moves the unit."""
        for kept in self.registrations(unit):
            parent = self.canonical(kept.body["parent"])
            same = {other.id for other in self.standing_registrations(unit)
                    if self.canonical(other.body["parent"]) == parent}
            for _, applied, _ in line:
                if applied & same:
                    applied.add(kept.id)

    def _may_move(self, move):
        """Whether a move is fit to act, its writer's word aside."""
        if self.is_cut(move):
            return False
        parent, unit = move.body["parent"], move.body["unit"]
        return (self.is_known(parent)
                and LEVELS.index(self.level(parent)) < LEVELS.index(self.level(unit)))

    def _reaches_both(self, move, registration):
        """Whether the writer serves a common strict ancestor of the parent before and after."""
        line = self._timeline[self.canonical(registration.body["unit"])]
        before = self._parent_at(line, registration, move.hlc - 1)
        after = move.body["parent"]
        for enrolment in self.enrolled_node.get(move.node, []):
            unit = self.office_unit(enrolment, move.hlc)
            if (enrolment.body["epoch"] == move.epoch and before is not None
                    and self._is_strictly_above(unit, before, move.hlc)
                    and self._is_strictly_above(unit, after, move.hlc)
                    and self._is_office(enrolment, move.hlc)):
                return True
        return False

    def _is_strictly_above(self, above, unit, clock):
        return any(above in path[1:] for path in self.paths(unit, clock))

    @staticmethod
    def _parent_at(line, registration, clock):
        """The parent under a registration at a clock, by the moves of its unit."""
        parent = registration.body["parent"]
        for move, applied, ends in line:
            if move.hlc <= clock and registration.id in applied and (ends is None or clock < ends):
                parent = move.body["parent"]
        return parent

    # ways

    def heir_at(self, unit, clock):
        """The unit that everything named by this one is at a clock."""
        return self.successions.heir_at(self.canonical(unit), clock)

    def path_at(self, unit, place, clock):
        """The way up from a unit at a clock, by one of its registrations."""
        heir = self.heir_at(unit, clock)
        path, at = [], heir
        while at is not None and at not in path:
            path.append(at)
            registrations = self.registrations(at)
            line = self.timeline(at)
            parent = None
            if registrations:
                place = place if place < len(registrations) else 0
                parent = self._parent_at(line, registrations[place], clock)
            at, place = None if parent is None else self.heir_at(parent, clock), 0
        return tuple(path)

    def _places(self, unit, clock):
        return range(max(1, len(self.registrations(self.heir_at(unit, clock)))))

    def paths(self, unit, clock):
        """All ways up from a unit at a clock, each from the unit itself to the root."""
        return self.kept(self._paths, (unit, clock), lambda: [
            self.path_at(unit, place, clock) for place in self._places(unit, clock)])

    def ways(self, unit, clock):
        """All ways up, each with the clock at which it is read: as it is, and as it was before each change on
        it in the hand-over days."""
        return [way for place in self._places(unit, clock)
                for way in self.ways_under(unit, place, clock)]

    def ways_under(self, unit, place, clock):
        """The same by one registration of the unit."""
        return self.kept(self._ways, (unit, place, clock), lambda: self._read(unit, place, clock))

    def _read(self, unit, place, clock):
        now = self.path_at(unit, place, clock)
        return [(now, clock)] + [(self.path_at(unit, place, before), before)
                                 for before in self.recent_changes(now, clock)]

    def recent_changes(self, path, clock):
        """The readings just before each move, taken-back move or succession on a way in the hand-over days."""
        changes = []
        for unit in path:
            for move, _, ends in self.timeline(unit):
                changes += [move.hlc] if ends is None else [move.hlc, ends]
            changes += self.successions.clocks_to(unit)
        return sorted({change - 1 for change in changes if change <= clock < change + HAND_OVER})
