"""Where units stand on a day: under which registration and parent (DESIGN §7 U1, U2, U4)."""

RULED, COUNTS, COUNTED_LAST, EARLIEST = "ruled", "counts", "counted last", "earliest"


class Placed:
    """Units under their parents on a day; each is placed when it is asked for."""

    def __init__(self, model, day):
        self.model = model
        self.units = model.units
        self.day = day
        self._chosen = {}
        self._parents = {}
        self._paths = {}

    def registration(self, unit):
        """The place of the registration under which a unit stands."""
        return self.chosen(unit)[0]

    def chosen(self, unit):
        """U1: the place of the registration under which a unit stands, and why."""
        if unit not in self._chosen:
            registrations = self.units.registrations.get(unit, [])
            self._chosen[unit] = (0, None)
            if len(registrations) > 1:
                self._chosen[unit] = self._choose(unit, registrations)
                self.model.count(f"U1: {self._chosen[unit][1]}")
        return self._chosen[unit]

    def _choose(self, unit, registrations):
        ruled = self.model.decisions.over_unit(unit, self.day)
        parents = [self.model.authority.canonical(fact.body["parent"]) for fact in registrations]
        if ruled in parents:
            return parents.index(ruled), RULED
        unions = self.model.unions
        for union, why in ((unions.own_of(unit, self.day), COUNTS),
                           (unions.counted_last(unit, self.day), COUNTED_LAST)):
            place = None if union is None else self.registration_of(union, unit)
            if place is not None:
                return place, why
        return 0, EARLIEST

    def registration_of(self, union, unit):
        """The registration a union goes by: that whose parent's path contains the unit its application names,
        else the unit that approved it."""
        told = [fact.body["to"] for fact in union.of("applied")[:1]]
        told += [fact.unit for fact in union.of("approved")[:1]]
        for named in told:
            named = self.model.authority.canonical(named)
            for place, registration in enumerate(self.units.registrations[unit]):
                if named in self.path(self._parent_under(registration)):
                    return place
        return None

    def _parent_under(self, registration):
        named = self.units.named_parent(registration, self.day)
        return None if named is None else self.standing(named)

    def other_parents(self, unit):
        """The parents of its other registrations, where a mere tie decides."""
        return self.parents_beside(unit) if self.chosen(unit)[1] == EARLIEST else []

    def parents_beside(self, unit):
        """The parents of its other registrations, whatever decides."""
        if self._follows_away(unit):
            return []
        place, parent = self.registration(unit), self.parent(unit)
        others = [self._parent_under(registration)
                  for at, registration in enumerate(self.units.registrations[unit]) if at != place]
        return [other for other in others if other is not None and other != parent]

    def _follows_away(self, unit):
        return self.units.is_employer(unit) and self.model.successions.heir_on(unit, self.day) != unit

    def parent(self, unit):
        """The parent of a unit; none for the root and for what nobody registered. U4: an employer that another
        follows one to one stands where that one stands."""
        if unit not in self._parents:
            self._parents[unit] = None  # a circle ends here
            registrations = self.units.registrations.get(unit)
            if registrations:
                if self._follows_away(unit):
                    self.model.count("U4: one follows one")
                    heir = self.model.successions.heir_on(unit, self.day)
                    self._parents[unit] = self.parent(heir)
                else:
                    self._parents[unit] = self._parent_under(registrations[self.registration(unit)])
        return self._parents[unit]

    def path(self, unit):
        """From a unit up to the root, itself first."""
        path, at = self._paths.get(unit), unit
        if path is None:
            path = []
            while at is not None and at not in path:
                path.append(at)
                at = self.parent(at)
            self._paths[unit] = path
        return path

    def standing(self, unit):
        """Where what is named by a unit stands: at itself, at what follows it one to one, or, where several
        follow or are followed, at the nearest common ancestor of those that follow (U4)."""
        successions = self.model.successions
        unit = successions.heir_on(self.model.authority.canonical(unit), self.day)
        split = successions.split_on(unit, self.day)
        if split is None:
            return unit
        self.model.count("U4: what was named stands at an ancestor")
        paths = [self.path(self.standing(new)) for new in split.new]
        return next((at for at in paths[0] if all(at in path for path in paths)), None)
