"""What is known of units and unions: which are there, under which names, and what stands of the facts of which
one at a time is in force (DESIGN §7 M6, F5, U4; rules.md, "Who has the word, who takes back")."""

from schemas import LEVELS
from successions import Successions, settle
from verdicts import ALREADY, CYCLE, NO_AUTHORITY, SHAPES_THE_TREE, UNKNOWN


class Lore:
    """The part of authority that knows units and unions by name."""

    # units

    def is_known(self, unit):
        """Whether a standing registration, or a standing alias of one, names it."""
        return bool(self.standing_registrations(unit))

    def _is_registered_as(self, name):
        """Whether a unit is registered under just this id: an alias is laid over the finished tree."""
        return any(self.stands(fact) for fact in self.registered.get(name, []))

    def level(self, unit):
        """The level its earliest standing registration names."""
        standing = self.standing_registrations(unit)
        return standing[0].body["level"] if standing else LEVELS[-1]

    def canonical(self, unit):
        """The unit an alias leads to (UnitRekeyed, timeless)."""
        if not self._alias:
            return unit
        seen = set()
        while unit in self._alias and unit not in seen:
            seen.add(unit)
            unit = self._alias[unit]
        return unit

    def same(self, unit):
        """All ids that lead to the unit this one leads to."""
        if not self._alias:
            return [unit]
        unit = self.canonical(unit)
        return [unit] + [other for other in self._alias if self.canonical(other) == unit]

    # unions

    def union_is_known(self, union):
        """Whether the fact that introduces it stands."""
        first = self.introduces.get(union)
        return first is not None and self.stands(first)

    def kind_of(self, union):
        """The kind as last corrected, on all days."""
        kind = self.introduces[union].body["profile"]["kind"]
        for fact in sorted(self.kinds.get("branch.revised", []), key=lambda fact: fact.order):
            if fact.body["branch"] == union and fact.body["kind"] and self.stands(fact):
                kind = fact.body["kind"]
        return kind

    def hosts_at(self, union, clock):
        """The host of a union at a clock. Whoever moves it serves it, so there is no hand-over."""
        host = self.introduces[union].body["profile"]["host"]
        for move in self.union_moves.get(union, []):
            if ("parked", move.id) in self._open or move.hlc > clock:
                break  # a move is judged by what was so before it
            by = self.withdrawn(move) if self.parked(move) is None else move
            if by is None or by.hlc > clock:
                host = move.body["host"]
        return [host]

    def _serves_union(self, writer, union, clock):
        if not self.union_is_known(union):
            return False
        return any(self.serves(writer, host, clock) for host in self.hosts_at(union, clock))

    def _no_word(self, union, clock):
        """Nobody serves a union whose host nobody registered."""
        known = any(self.is_known(host) for host in self.hosts_at(union, clock))
        return NO_AUTHORITY if known else UNKNOWN

    def mergers(self):
        """F5: where each merged union went, with the fact; and the mergers parked for closing a circle. Per
        union the earliest is in force."""
        if self._mergers is None:
            self._mergers = {}, set()  # while mergers are judged none is in force
            first = {}
            for fact in sorted(self.kinds.get("branch.merged", []), key=lambda fact: fact.order):
                if self._is_fit(fact):
                    first.setdefault(fact.body["branch"], fact)
            leads, parked = {}, set()
            for fact in sorted(first.values(), key=lambda fact: fact.order):
                at = fact.body["into"]
                while at in leads:
                    at = leads[at].body["into"]
                if at == fact.body["branch"]:
                    parked.add(fact.id)
                else:
                    leads[fact.body["branch"]] = fact
            self._mergers = leads, parked
        return self._mergers

    def rekeys(self, union):
        """M6: the key each key leads to at a union, and the rekeys parked for closing a circle. Per key the
        latest is in force."""
        if union not in self._rekeys:
            self._rekeys[union] = {}, set()  # while rekeys are judged none is in force
            latest = {}
            for fact in self.kinds.get("member.rekeyed", []):
                if fact.body["branch"] == union and self._is_fit(fact):
                    latest[fact.body["member"]] = fact
            leads, parked = {}, set()
            for fact in sorted(latest.values(), key=lambda fact: fact.written):
                at = fact.body["to"]
                while at in leads:
                    at = leads[at]
                if at == fact.body["member"]:
                    parked.add(fact.id)
                else:
                    leads[fact.body["member"]] = fact.body["to"]
            self._rekeys[union] = leads, parked
        return self._rekeys[union]

    # what is judged before the rest

    def _is_fit(self, fact):
        """Whether nothing parks a rekey and nobody takes it back, circles aside."""
        return next(self._judge(fact, circles=False), None) is None and self.withdrawn(fact) is None

    def _forget(self):
        for memory in (self._parked, self._withdrawn, self._timeline, self._paths, self._ways,
                       self._registered, self._cut, self._rekeys):
            memory.clear()
        self._mergers = None

    def _settle_successions(self):
        """U4: which successions stand rests on the tree before them, and so on those stated earlier: they are
        judged anew until nothing changes."""
        facts = self.kinds.get("unit.succeeded", [])
        for _ in facts:
            fit = [fact for fact in facts if self._is_fit(fact)]
            standing = settle(self, fit)
            is_settled = [one.fact for one in standing] == [one.fact for one in self.successions.all]
            self.successions = Successions(standing)
            self._forget()
            if is_settled:
                break

    def _find_aliases(self):
        """Rekeys are judged by the tree without any, and so is all that shapes the tree: aliases are laid over
        it. Of one unit the earliest holds, and one that closes a cycle is parked."""
        alias, frozen = {}, {}
        for fact in self.kinds.get("unit.rekeyed", []):
            reasons, by = self.reasons(fact), self.withdrawn(fact)
            old, at = fact.body["unit"], fact.body["to"]
            while at in alias:
                at = alias[at]
            if not reasons and by is None:
                if at == old or old in alias:
                    reasons = [CYCLE]
                else:
                    alias[old] = fact.body["to"]
            frozen[fact.id] = reasons, by
        if alias:
            self._lay_aliases(alias, frozen)
        self._frozen = frozen

    def _lay_aliases(self, alias, frozen):
        for kind in SHAPES_THE_TREE:
            for fact in self.kinds.get(kind, []):
                frozen.setdefault(fact.id, (self.reasons(fact), self.withdrawn(fact)))
        lines = {unit: self.timeline(unit) for unit in self.moves}
        self._forget()
        self._alias, self._frozen = alias, frozen
        standing = settle(self, [one.fact for one in self.successions.all])
        for one in self.successions.all:
            if not any(other.fact is one.fact for other in standing):
                frozen[one.fact.id] = [ALREADY], None
        self.successions = Successions(standing)
        for unit, line in lines.items():
            self._timeline.setdefault(self.canonical(unit), []).extend(line)
        for unit, line in self._timeline.items():
            line.sort(key=lambda entry: entry[0].written)
            self._apply_to_kept(unit, line)
