"""Persons by day: claims, holders, takeovers (DESIGN §7 M1 to M4; rules.md, "Decisions").

One person's facts are swept day by day. What stands at the end of a day is kept as a list of states, so that
any day can be asked.
"""

from log import day_of_clock
from schemas import DOUBT_DAYS, EVIDENCE, FIRST_JOINED, KIND_RANK, OPEN

STARTS = ("member.joined", "member.transferred_in")


class Claim:
    """One person's membership at one union."""

    def __init__(self, fact, kind):
        body = fact.body
        self.fact = fact
        self.union = body["branch"]
        self.rank = KIND_RANK[kind]
        self.start = fact.day
        self.employer = body["employer"]
        self.evidence = EVIDENCE.index(body["evidence"])
        self.origin = body["origin"]
        self.names = body["from"]
        self.qualified = body["qualified"]
        self.profile = dict(body["profile"])
        self.is_old = body["origin"] == "existing" and FIRST_JOINED not in fact.attributes
        self.retained = False
        self.end = None  # the day and how: "out", "left", "death", "taken"
        self.takeover = None  # the one that closed it
        self.died = False  # the union that held the day before stated a death
        self.is_dead = False  # its own union stated a death
        self.ruled_out = False
        self.was_out = False
        self.is_winner = False
        self.objected_out = False
        self.today = body["origin"]  # what befell it first today, but for a revision

    def note(self, what):
        """What befell it today: the first thing counts, but for a revision and for decisions, which end nothing."""
        if self.today in (None, "revised", "ruled", "objected"):
            self.today = what

    @property
    def is_open(self):
        """Whether it has not ended."""
        return self.end is None

    @property
    def is_out(self):
        """Whether a decision in force keeps it from holding."""
        return self.ruled_out or self.objected_out and not self.is_winner

    def rank_start(self):
        """Later starts are stronger; what was there at the first loading is the earliest."""
        return -(1 << 40) if self.is_old else self.start

    def strength(self):
        """The order of holders, strongest first, as far as clocks do not decide."""
        return (not self.is_winner, self.retained, self.rank, self.evidence == 0, -self.rank_start(), -self.evidence)

    def order(self):
        """The whole order of holders."""
        return self.strength() + (self.fact.hlc, self.fact.key)


class Takeover:
    """M1: a claim closed by another, and what became of that."""

    def __init__(self, winner, loser, day, is_clean):
        self.winner = winner
        self.loser = loser
        self.day = day
        self.is_clean = is_clean
        self.of_holder = False
        self.retained = loser.retained
        self.profile = dict(loser.profile)
        self.known = day_of_clock(max(winner.fact.hlc, loser.fact.hlc))
        self.is_confirmed = False
        self.is_undone = False
        self.is_ruled = False
        self.decided = OPEN

    def decide(self, day):
        """A ruling puts the loser out, its union starts anew, or a death closes all."""
        self.decided = min(self.decided, day)

    def is_doubtful(self, day):
        """Whether the loser may still be the right one on a day."""
        if self.is_clean or self.is_confirmed or self.is_undone:
            return False
        return self.day <= day < min(self.known + DOUBT_DAYS, self.decided)


class Row:
    """What a claim of a person is on a day."""

    def __init__(self, claim, status, tied, holds):
        self.claim = claim
        self.status = status
        self.claim_retained = claim.retained
        self.profile = dict(claim.profile)
        self.tied = tied
        self.holds = holds

    def status_counted(self):
        """M8: a person is unqualified by the claim that holds."""
        if self.holds and not self.claim.qualified:
            return "unqualified"
        return self.status


class Person:
    """The sweep of one person's facts and of the decisions about them."""

    def __init__(self, facts, kind_of, rulings, objections, count):
        self.kind_of = kind_of
        self.rulings = rulings
        self.lapsed = set()
        self.objections = objections
        self.count = count
        self.claims = []
        self.holder = None
        self.closed = []  # claims in the order in which they closed
        self.started = []  # claims that held on their own first day
        self.takeovers = []
        self.cases = []  # (kind, names of facts)
        self.states = []  # (day, rows)
        self.is_told = False  # whether anything was restated of the person
        self.active = []  # (day, the claim that holds actively then, what ended the one before, what began it)
        days = {}
        for fact in facts:
            days.setdefault(fact.day, []).append(fact)
        for decision in rulings + objections:
            days.setdefault(decision.since, [])
        for day in sorted(days):
            self._sweep(day, days[day])
            self.states.append((day, self._rows()))
            self._note_change(day)

    def _sweep(self, day, facts):
        """One day: own facts of each union, deaths, void claims go, decisions, the holder, takeovers."""
        before = self.holder
        for claim in self.claims:
            claim.today = None
        deaths = []
        by_union = {}
        for fact in sorted(facts, key=lambda fact: fact.written):
            by_union.setdefault(fact.body["branch"], []).append(fact)
        for union in sorted(by_union):
            for fact in by_union[union]:
                self._own_fact(day, fact, deaths)
        for fact in deaths:
            self._death(day, fact, before)
        self._count_void()
        self.claims = [claim for claim in self.claims
                       if claim.is_open or claim.end[0] != claim.start or claim.end[1] == "taken"]
        self.closed = [claim for claim in self.closed if claim in self.claims]
        for claim in self.claims:
            if claim.start == day:
                self._start_anew(claim, day)
        self._rule(day)
        self._hear(day)
        self._choose(day, before)
        if self.holder is not None and self.holder.start == day:
            self.started.append(self.holder)

    def _count_void(self):
        """A claim of length zero is void."""
        for claim in self.claims:
            if not claim.is_open and claim.end[0] == claim.start and claim.end[1] != "taken":
                self.count("M1: void claim")

    def _start_anew(self, new, day):
        """A union that starts a claim again lets go of what was taken over there."""
        for claim in self.claims:
            if claim is not new and claim.union == new.union and claim.takeover is not None:
                claim.takeover.decide(day)

    # own facts

    def _open_at(self, union):
        return next((claim for claim in self.claims
                     if claim.union == union and claim.is_open), None)

    def _close(self, claim, day, how):
        claim.end = (day, how)
        if claim.today == "retained":
            claim.today = None  # how it ended that day says more
        claim.note(how)
        self.closed.append(claim)

    def _own_fact(self, day, fact, deaths):
        body, kind = fact.body, fact.kind
        claim = self._open_at(body["branch"])
        if kind in STARTS:
            if claim is None:
                self.claims.append(Claim(fact, self.kind_of(body["branch"])))
            elif claim.retained:
                claim.retained = False
                if claim.start < day:
                    claim.note("retention ended")
                self._restate(claim, body["profile"])
        elif kind == "member.revised":
            if claim is not None:
                self._restate(claim, body["profile"])
                claim.note("revised")
        elif kind == "member.retained":
            if claim is not None:
                claim.retained = True
                claim.note("retained")
            else:
                self._case("orphan-end", fact)
        elif kind == "member.left" and body["reason"] == "deceased":
            deaths.append(fact)
        elif kind in ("member.left", "member.transferred_out"):
            self._end(day, claim, fact)

    @staticmethod
    def _restate(claim, profile):
        """What is unknown stays."""
        for name, value in profile.items():
            if value not in ("unknown", 0):
                claim.profile[name] = value

    def _case(self, kind, *facts):
        self.count(f"case: {kind}")
        self.cases.append((kind, sorted(fact.id for fact in facts)))

    def _end(self, day, claim, fact):
        union = fact.body["branch"]
        if claim is not None:
            self._close(claim, day, "out" if fact.kind == "member.transferred_out" else "left")
            return
        last = next((claim for claim in reversed(self.claims) if claim.union == union), None)
        if last is not None and last.end[1] == "taken" and not last.takeover.is_confirmed:
            last.takeover.is_confirmed = True
            self.count("M1: takeover confirmed")
        else:
            self._case("orphan-end", fact)

    def _death(self, day, fact, before):
        own = self._open_at(fact.body["branch"])
        for claim in self.claims:
            claim.is_dead |= claim.union == fact.body["branch"]
        if before is not None and before.union == fact.body["branch"]:
            for claim in self.claims:
                claim.died = True
                if claim.takeover is not None:
                    claim.takeover.decide(day)
                if claim.is_open:
                    self._close(claim, day, "death")
            self.count("M1: death")
        else:
            if own is not None:
                self._close(own, day, "death")
            self._case("foreign-death", fact)

    # decisions

    def _rule(self, day):
        """M4: what rulings in force put out or make winner on a day (rules 4 to 6)."""
        for claim in self.claims:
            claim.was_out = claim.ruled_out
            claim.ruled_out = claim.is_winner = False
        for ruling in self.rulings:
            if ruling.since > day or ruling in self.lapsed:
                continue
            if day > ruling.since and any(
                    claim.start == day and claim.evidence > 0 and claim.rank <= ruling.rank
                    for claim in self.claims):
                self.lapsed.add(ruling)
                self.count("M4: ruling lapsed")
                continue
            self._apply(ruling, day)
        for claim in list(self.claims):
            if claim.ruled_out and not claim.was_out and not claim.is_open and claim.takeover:
                claim.takeover.decide(day)
                claim.takeover.is_ruled = True
            if claim.ruled_out and not claim.was_out and claim.is_open:
                self.count("M4: claim ruled out")
                claim.note("ruled")
                self._hand_on(claim)

    def _apply(self, ruling, day):
        losers = ruling.unions()
        for claim in self.claims:
            if claim.start > ruling.since:
                continue
            if claim.union in losers:
                claim.ruled_out = True
            elif ruling.winner is not None and claim.union == ruling.winner[1]:
                claim.is_winner = True
                if day == ruling.since and self._may_open_again(claim):
                    self._open_again(claim)
                    self.count("M4: winner opens again")

    def _may_open_again(self, claim):
        """Rule 10: whether what a takeover closed may open again."""
        if claim.is_open or claim.end[1] != "taken" or claim.takeover.is_confirmed or claim.died:
            return False
        at = self.claims.index(claim)
        return not any(other.union == claim.union for other in self.claims[at + 1:])

    @staticmethod
    def _open_again(claim):
        claim.end = None
        claim.takeover.is_undone = True
        claim.today = "opened again"

    def _hand_on(self, out):
        """Rule 10: what a claim that is out took over opens again, and so on along the chain."""
        for claim in self.claims:
            if (not claim.is_open and claim.takeover is not None and claim.takeover.winner is out
                    and self._may_open_again(claim)):
                self._open_again(claim)
                self.count("M3, M4: takeover undone")
                if claim.is_out:
                    self._hand_on(claim)

    def _hear(self, day):
        """M3: objections in the order of their clocks, each once in all; after one that acts, anew."""
        acted = True
        while acted:
            acted = False
            for objection in self.objections:
                if objection.is_heard or objection.since > day:
                    continue
                claim = self._open_at(objection.union)
                if claim is None or not any(
                        (other.is_open or self._may_open_again(other))
                        and objection.speaks_for(other.union) for other in self.claims):
                    continue
                objection.is_heard = True
                if objection.evidence < claim.evidence or claim.is_winner:
                    self.count("M3: objection without effect")
                    self._case("objection-without-effect", objection.fact, claim.fact)
                    continue
                self.count("M3: objected out")
                was_out = claim.is_out
                claim.objected_out = True
                claim.note("objected")
                if not was_out:
                    self._hand_on(claim)
                acted = True
                break

    # the holder

    def _choose(self, day, before):
        """The holder of the day, and whom it takes over (M1)."""
        standing = [claim for claim in self.claims if claim.is_open]
        fit = [claim for claim in standing if not claim.is_out]
        self.holder = min(fit, key=Claim.order, default=None)
        new = self.holder
        if new is None or new is before or new.start != day or new.is_old:
            return
        for claim in standing:
            if claim is new or claim.start >= day and claim is not before:
                continue
            if claim.retained and claim.rank < new.rank:
                self.count("M2: retained of higher kind stays")
                continue  # M2: retained of higher kind stays so, whoever held before
            if claim is before or claim.rank == new.rank:
                clean = claim.retained or new.names == claim.union
                claim.takeover = Takeover(new, claim, day, clean)
                claim.takeover.of_holder = claim is before
                if claim.ruled_out:
                    claim.takeover.decide(day)  # out already: nobody doubts it any more
                    claim.takeover.is_ruled = True
                self.takeovers.append(claim.takeover)
                self._close(claim, day, "taken")
                self.count("M1: taken over, clean" if clean else "M1: taken over, auto")
                if not clean:
                    self._case("dual-membership", new.fact, claim.fact)

    def _rows(self):
        """What the person is at the end of a day."""
        rows = []
        standing = [claim for claim in self.claims if claim.is_open]
        for claim in standing:
            status, tied = self._status(claim, self.holder, standing)
            rows.append(Row(claim, status, tied, claim is self.holder))
            if tied:
                self.count("M2: tie")
            if rows[-1].status_counted() == "unqualified":
                self.count("M8: unqualified")
            self.count(f"status: {status}")
        last = self.closed[-1] if self.closed else None
        if not standing and last is not None and last.end[1] == "out" and not last.is_dead:
            rows.append(Row(last, "in_transit", False, False))
            self.count("status: in_transit")
        return rows

    def _status(self, claim, holder, standing):
        if claim.ruled_out:
            return "overruled", False
        if claim.is_out:
            return "disputed", False
        fit = [other for other in standing if other is not claim and not other.is_out]
        if claim is holder:
            tied = any(self._is_tie(claim, other) for other in fit)
            return "retained" if claim.retained else "active", tied
        if self._is_tie(claim, holder):
            return "disputed", True
        if claim.rank > holder.rank:
            return "secondary", False
        if claim.retained and claim.rank < holder.rank:
            return "kept", False  # shown, counted nowhere: retained members are holders
        return "disputed", False

    def _note_change(self, day):
        """Keeps which claim holds actively from a day on, where that is another than before."""
        now = next((row.claim for row in self.states[-1][1]
                    if row.holds and row.status_counted() == "active"), None)
        before = self.active[-1][1] if self.active else None
        if now is not before:
            self.active.append((day, now, before and before.today, now and now.today))

    def active_on(self, day):
        """The claim that holds actively on a day."""
        return next((claim for since, claim, *_ in reversed(self.active) if since <= day), None)

    def changes(self, first, last):
        """The changes of these days: the claim before and what ended it, the claim after and what began it."""
        before = None
        for day, now, lost, gained in self.active:
            if first <= day <= last:
                yield before, lost, now, gained
            before = now

    @staticmethod
    def _is_tie(one, other):
        """M2: decided by the clock, or between two starts of the first loading."""
        if one.strength() == other.strength():
            return True
        both = one.origin == other.origin == "existing"
        return both and one.strength()[:4] == other.strength()[:4]

    def rivals(self):
        """Unless anything was restated of the person: pairs of unions in dispute over the person: one holds on some day while the other's open claim is disputed,
        or one took over and nobody has decided that."""
        if self.is_told:
            return set()
        pairs = {frozenset((takeover.winner.union, takeover.loser.union)) for takeover in self.takeovers
                 if not (takeover.is_clean or takeover.is_confirmed or takeover.is_undone or takeover.is_ruled)}
        for _, rows in self.states:
            holder = next((row.claim.union for row in rows if row.holds), None)
            if holder is not None:
                pairs |= {frozenset((holder, row.claim.union)) for row in rows
                          if row.status == "disputed" and not row.holds}
        return pairs

    def on(self, day):
        """The rows of a day."""
        rows = []
        for since, state in self.states:
            if since > day:
                break
            rows = state
        return rows
