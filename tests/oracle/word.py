"""Who has the word over a unit at a clock: enrolments, cuts and the hand-over (DESIGN §9, served-by).

A unit is served by the deepest enrolled on the way up. What took the word from somebody leaves it to him for the
hand-over days: so ways up are asked as they are, and as they were before each change of these days.
"""

from schemas import HAND_OVER


class Word:
    """The part of authority that asks who may state a fact."""

    # cuts

    def cut_heights(self, node, epoch):
        """The last good height of each lane of an epoch, or none where nothing was cut."""
        if not any(cut.body["epoch"] == epoch for cut in self.cuts.get(node, [])):
            return None
        return self.kept(self._cut, (node, epoch), lambda: self._lowest_cut(node, epoch))

    def _lowest_cut(self, node, epoch):
        lowest = None
        for cut in self.cuts[node]:
            if cut.body["epoch"] != epoch or not self.stands(cut):
                continue
            good = dict(cut.body["last_good"])
            if lowest is None:
                lowest = good
            else:
                lanes = set(lowest) & set(good)
                lowest = {lane: min(lowest[lane], good[lane]) for lane in lanes}
        return lowest

    def word_ends(self, node, epoch):
        """The clock of the last good fact of a cut epoch; none where nothing was cut."""
        good = self.cut_heights(node, epoch)
        if good is None:
            return None
        clocks = [self.last_clock((node, epoch, lane), height) for lane, height in good.items()]
        return max(clocks, default=0)

    # enrolments

    def holds(self, enrolment, clock):
        """Whether an enrolment is there at a clock, expired or not: what is there shadows what is above."""
        if self.parked(enrolment) is not None:
            return False
        body = enrolment.body
        if clock >> 16 < body["not_before"]:
            return False
        by = self.withdrawn(enrolment)
        if by is not None and by.hlc <= clock:
            return False
        ends = self.word_ends(body["node"], body["epoch"])
        return ends is None or clock <= ends

    def is_active(self, enrolment, clock):
        """Whether it holds and has not run out."""
        return self.holds(enrolment, clock) and clock >> 16 < enrolment.body["expires"]

    def _enrolments(self, unit, reading):
        """Enrolments for a unit, and (U4) for those it follows one to one as known at a reading."""
        names = [name for name in self.enrolled if self.heir_at(name, reading) == unit]
        found = [enrolment for name in names for enrolment in self.enrolled[name]]
        return sorted(found, key=lambda enrolment: enrolment.written)

    def _is_replaced(self, enrolment, step, rivals, clock):
        """Whether a later-issued enrolment took the word over a unit, hand-over days ago or more. Renewals of one
        node in one epoch add up; what a succession carries takes nothing from who is enrolled for the unit."""
        own = (enrolment.body["node"], enrolment.body["epoch"])
        return any((other.body["node"], other.body["epoch"]) != own
                   and other.written > enrolment.written
                   and self.canonical(other.body["unit"]) in (step, self.canonical(enrolment.body["unit"]))
                   and other.hlc + HAND_OVER <= clock and self.holds(other, clock)
                   for other in rivals)

    def offices(self, node, epoch, clock):
        """The enrolments by which a node has the word over its own unit at a clock, the latest last."""
        return [enrolment for enrolment in self.enrolled_node.get(node, [])
                if enrolment.body["epoch"] == epoch and self._is_office(enrolment, clock)]

    def _is_office(self, enrolment, clock):
        unit = self.canonical(enrolment.body["unit"])
        if not self.is_active(enrolment, clock):
            return False
        for reading in [clock] + self.recent_changes([self.heir_at(unit, clock)], clock):
            step = self.heir_at(unit, reading)
            if not self._is_replaced(enrolment, step, self._enrolments(step, reading), clock):
                return True
        return False

    def server_of(self, unit, clock):
        """The node that serves a unit at a clock: the latest enrolled for the deepest unit on the way up."""
        return self._server(unit, clock)[0]

    def served_unit(self, unit, clock):
        """The unit that the node which serves a unit at a clock is enrolled for."""
        return self._server(unit, clock)[1]

    def _server(self, unit, clock):
        for step in self.path_at(unit, 0, clock):
            holding = [other for other in self._enrolments(step, clock) if self.holds(other, clock)]
            if holding:
                return holding[-1].body["node"], step
        return None, None

    def office_unit(self, enrolment, clock):
        """The unit of an office at a clock: the one enrolled for, or what follows it one to one."""
        return self.heir_at(enrolment.body["unit"], clock)

    # asking

    def serves(self, writer, unit, clock):
        """Whether a writer has the word over a unit."""
        return any(self._serves_by(writer, path, clock, reading)
                   for path, reading in self.ways(unit, clock))

    def serves_under(self, writer, unit, place, clock):
        """The same by the ways up under one registration of the unit."""
        return any(self._serves_by(writer, path, clock, reading)
                   for path, reading in self.ways_under(unit, place, clock))

    def _serves_by(self, writer, path, clock, reading):
        for step in path:
            rivals = self._enrolments(step, reading)
            for enrolment in rivals:
                body = enrolment.body
                if ((body["node"], body["epoch"]) == writer and self.is_active(enrolment, clock)
                        and not self._is_replaced(enrolment, step, rivals, clock)):
                    if reading != clock:
                        self.count("served-by: in the hand-over")
                    elif self.canonical(body["unit"]) != step:
                        self.count("served-by: through a succession")
                    return True
            # a deeper enrolment takes the word from all above once the hand-over is over
            if any(other.hlc + HAND_OVER <= clock and self.holds(other, clock) for other in rivals):
                return False
        return False

    def speaks_above(self, fact, unit):
        """Whether the writer's office is the unit or an ancestor of it; no hand-over."""
        return self._speaks(fact, unit, strictly=False, delegates=False)

    def speaks_strictly_above(self, fact, unit, delegates=False, clock=None):
        """Whether the writer's office is a strict ancestor of the unit, as it stood at a clock."""
        return self._speaks(fact, unit, strictly=True, delegates=delegates, clock=clock)

    def _speaks(self, fact, unit, strictly, delegates, clock=None):
        clock = fact.hlc if clock is None else clock
        paths = self.paths(unit, clock)
        for enrolment in self.enrolled_node.get(fact.node, []):
            if enrolment.body["epoch"] != fact.epoch or delegates and not enrolment.body["may_delegate"]:
                continue
            office = self.office_unit(enrolment, clock)
            # only what stands above is judged: so questions go up the levels and end
            if (any(office in (path[1:] if strictly else path) for path in paths)
                    and self._is_office(enrolment, fact.hlc)):
                return True
        return False
