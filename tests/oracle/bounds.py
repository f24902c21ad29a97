"""Low and high of a row: what a number could be if every doubt went one way (DESIGN §8; rules.md, "Low and high").

A thing in doubt has alternatives, the first being how it counts; an alternative stands at a unit, perhaps under
another parent of it. Every thing is asked of every row.
"""

from rollup import stage_measures
from schemas import SIZES


class Way:
    """One way in which a thing may count."""

    def __init__(self, unit, measures, under=None):
        self.unit = unit
        self.under = under
        self.measures = list(measures)

    def step(self, row, ratio):
        """What it adds to numerator and denominator of a row."""
        if self.unit is None or not row.contains(self.unit, self.under):
            return 0, 0
        return tuple(self.measures.count(measure) for measure in ratio)


class Bounds:
    """Everything in doubt on the day of a roll-up."""

    def __init__(self, rollup):
        self.rollup = rollup
        self.model = rollup.model
        self.disputed = dict(rollup.disputed())
        things = list(self._headcounts()) + list(self._persons()) + list(self._women())
        self.things = [self._under_all_parents(ways) for ways in things]

    def _under_all_parents(self, ways):
        """U1: what may count at a disputed unit may count there under each of its parents."""
        return ways + [Way(way.unit, way.measures, other)
                       for way in ways for other in self.disputed.get(way.unit, [])]

    def _headcounts(self):
        """A unit of unknown headcount is due or not, by each size there is."""
        rollup = self.rollup
        for unit in rollup.units.all:
            if not rollup.is_counted(unit) or rollup.headcount(unit) is not None:
                continue
            ways, counted = [Way(unit, [])], []
            for all_, some, _ in SIZES:
                counted.append(all_)
                if unit in rollup.covered:
                    counted.append(some)
                if all_ == "units.due":
                    counted += stage_measures(rollup.stages[unit])
                ways.append(Way(unit, counted))
            self.model.count("doubt: headcount unknown")
            yield ways

    # persons

    def _alternatives(self, person):
        """Claims that may hold on the day, as (claim, status, profile): the one that holds first, none where
        nobody does."""
        rows = person.on(self.rollup.day)
        holder = next((row for row in rows if row.holds), None)
        others = [(row.claim, if_held(row.claim, row.claim_retained), row.profile)
                  for row in rows if row.status == "disputed"]
        for takeover in person.takeovers:
            if takeover.is_doubtful(self.rollup.day):
                others.append((takeover.loser, if_held(takeover.loser, takeover.retained),
                               takeover.profile))
                self.model.count("doubt: lately taken over")
        held = None if holder is None else (holder.claim, holder.status_counted(), holder.profile)
        return held, others

    def _way(self, alternative):
        if alternative is None:
            return Way(None, [])
        claim, status, profile = alternative
        place = self.rollup.placement.of(claim)
        measures = list(self.rollup.placement.measures(place, status, profile))
        unit = place.unit
        if status == "active" and place.union is not None and place.is_employed:
            if self.rollup.is_counted(unit) and self.rollup.headcount(unit) is not None:
                measures.append("members.employed")
                if unit in self.rollup.covered:
                    measures.append("members.covered")
        return Way(self.rollup.moved_to(unit), measures)

    def _persons(self):
        for person in self.model.persons:
            held, others = self._alternatives(person)
            if others:
                self.model.count("doubt: person")
                yield [self._way(held)] + [self._way(other) for other in others]

    def _woman_at(self, alternative):
        """The union at which a claim would be that of an active woman."""
        if alternative is None:
            return None
        claim, status, profile = alternative
        is_active_woman = status == "active" and profile["sex"] == "woman"
        return self.rollup.placement.of(claim).union if is_active_woman else None

    def _women(self):
        """A counting union whose women members are all in doubt, or which may have one."""
        fewer, more = {}, set()
        for person in self.model.persons:
            held, others = self._alternatives(person)
            here = self._woman_at(held)
            unions = {self._woman_at(other) for other in others}
            if here is not None and unions - {here}:
                fewer[here] = fewer.get(here, 0) + 1
            more |= unions - {here, None}
        for union in sorted(set(fewer) | more):
            women = self.rollup.women.get(union, 0)
            host = self.rollup.moved_to(self.rollup.host(self.model.unions.all[union]))
            with_women = Way(host, self.rollup.women_measures(self.model.unions.all[union]))
            without = Way(host, [])
            if women == 0 and union in more:
                self.model.count("doubt: women")
                yield [without, with_women]
            elif 0 < women <= fewer.get(union, 0):
                yield [with_women, without]

    # rows

    def of(self, row, ratio, kind):
        """What to add to numerator and denominator of a row for its low and its high."""
        low, high = [0, 0], [0, 0]
        for ways in self.things:
            self._add(low, high, choose(kind, [way.step(row, ratio) for way in ways]))
        for unit, others in self.disputed.items():
            is_here = row.contains(unit)
            if any(row.contains(unit, other) != is_here for other in others):
                self._add(low, high, whole(kind, self._now(unit, ratio), is_here))
                self.model.count("doubt: unit of two parents")
        return tuple(low), tuple(high)

    @staticmethod
    def _add(low, high, delta):
        for own, other in zip((low, high), delta):
            own[0] += other[0]
            own[1] += other[1]

    def _now(self, unit, ratio):
        """What stands at a unit, doubts about what stands there aside."""
        counts = self.rollup.at(unit)
        now = [counts.get(measure, 0) for measure in ratio]
        for ways in self.things:
            if ways[0].unit == unit:
                now = [own - ways[0].measures.count(measure) for own, measure in zip(now, ratio)]
        return now


def if_held(claim, retained):
    """What a claim would count as if it held."""
    if not claim.qualified:
        return "unqualified"
    return "retained" if retained else "active"


def choose(kind, steps):
    """The least and the most that one thing may add, less what it adds: the first step."""
    now = steps[0]
    if kind == "set":
        # low takes in what is uncovered, else leaves out what is covered; high the reverse
        low = min(steps, key=lambda step: (step[0] - step[1], step[0]))
        high = min(steps, key=lambda step: (-step[0], step[1]))
    else:
        numerators, denominators = zip(*steps)
        low = min(numerators), max(denominators)
        high = max(numerators), min(denominators)
    return (low[0] - now[0], low[1] - now[1]), (high[0] - now[0], high[1] - now[1])


def whole(kind, now, is_here):
    """The same for all that stands at a unit which a row may or may not contain."""
    n, d = now
    low, high = ((0, d - n), (n, n)) if kind == "set" else ((0, d), (n, 0))
    base = (n, d) if is_here else (0, 0)
    return (low[0] - base[0], low[1] - base[1]), (high[0] - base[0], high[1] - base[1])
