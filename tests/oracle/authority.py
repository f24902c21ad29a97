"""Every verdict, judged anew (DESIGN §9, §6 "parked"; facts.md "stated by").

`lore.py` knows units and unions by name, `ways.py` the ways up from a unit at a clock, `word.py` who has the word
along them; here is what each kind of fact needs.
"""

import decisions
import ids
from log import day_number, day_of_clock, id_text
from lore import Lore
from questions import Questions
from schemas import ANNOUNCEMENTS, LEVELS, OCCURRENCES
from successions import Successions
from verdicts import (AFTER_CUT, ALREADY, AT_OR_ABOVE, CYCLE, FROM_ABOVE, NO_AUTHORITY, OF_OFFICES,
                      PREMATURE, STANDS, UNKNOWN, WRONG_ID, WRONG_LEVEL)
from ways import Ways
from word import Word


class Authority(Questions, Lore, Word, Ways):
    """Verdicts of all facts of a log."""

    def __init__(self, log, count):
        super().__init__()
        self.count = count
        self.facts = log.facts
        self.last_clock = log.last_clock
        self.last_clocks = log.last_clocks()
        self.by_id = {fact.id: fact for fact in log.facts}
        self.root_key = log.root_key
        self.root_node = ids.node_of_key(log.root_key)
        self.kinds = {}
        for fact in log.facts:
            self.kinds.setdefault(fact.kind, []).append(fact)
        for facts in self.kinds.values():
            facts.sort(key=lambda fact: fact.written)
        self.registered = self._group("unit.registered", "unit")
        self.moves = self._group("unit.moved", "unit")
        self.enrolled = self._group("governance.node_enrolled", "unit")
        self.enrolled_node = self._group("governance.node_enrolled", "node")
        self.cuts = self._group("governance.node_revoked", "node")
        self.union_moves = self._group("branch.moved", "branch")
        self.withdrawals = self._withdrawals()
        self.introduces = self._introductions()
        self._parked = {}
        self._withdrawn = {}
        self._timeline = {}
        self._building = {}
        self._paths = {}
        self._ways = {}
        self._registered = {}
        self._cut = {}
        self._rekeys = {}
        self._mergers = None
        self._frozen = {}  # reasons and withdrawal of what was judged before aliases were laid
        self.successions = Successions([])
        self.day_number = day_number
        self._alias = {}
        self._settle_successions()
        self._find_aliases()

    def _group(self, kind, field):
        groups = {}
        for fact in self.kinds.get(kind, []):
            groups.setdefault(fact.body[field], []).append(fact)
        return groups

    def _introductions(self):
        """By union the fact that introduces it: the first about it, which names it."""
        found = {}
        for kind in ("branch.applied", "branch.founded"):
            for fact in self.kinds.get(kind, []):
                if ids.union_of_first_fact(fact) == fact.body["branch"]:
                    found[fact.body["branch"]] = fact
        return found

    def _withdrawals(self):
        """Withdrawals by the id of each fact they name, earliest first."""
        named = {}
        for fact in self.kinds.get("withdrawn", []):
            first = fact.body["first"]
            chain = first["chain"]
            for step in range(fact.body["count"]):
                text = f"{chain['node']}/{chain['epoch']}/{chain['lane']}#{first['seq'] + step}"
                if text in self.by_id:
                    named.setdefault(text, []).append(fact)
        return named

    # verdicts

    def verdicts(self, fact):
        """What exports may say of it: `stands`, or every reason why not. The text puts reasons in no order."""
        found = [{"parked": reason} for reason in self.reasons(fact)]
        by = self.withdrawn(fact)
        if by:
            found.append({"withdrawn": by.id})
        return found or [STANDS]

    def stands(self, fact):
        """Whether it takes part in the fold."""
        return self.parked(fact) is None and self.withdrawn(fact) is None

    def parked(self, fact):
        """Why it is parked, or none."""
        if fact.id in self._frozen:
            return next(iter(self._frozen[fact.id][0]), None)
        if fact.id in self._parked:
            return self._parked[fact.id]
        if self.is_open(("parked", fact.id)):
            return "under question"
        reason, is_sure = self.ask(("parked", fact.id), lambda: next(self._judge(fact), None))
        if is_sure:
            self._parked[fact.id] = reason
        return reason

    def reasons(self, fact):
        """Every reason that parks it."""
        if fact.id in self._frozen:
            return self._frozen[fact.id][0]
        if self.parked(fact) is None:
            return []
        found = {self.parked(fact)} | set(self._judge(fact))
        return sorted(reason for reason in found if reason is not None)

    def _judge(self, fact, circles=True):
        """Reasons, one by one."""
        if self.is_cut(fact):
            yield AFTER_CUT
        if fact.kind in OCCURRENCES and fact.kind not in ANNOUNCEMENTS:
            latest = day_of_clock(fact.hlc) + (fact.precision != "day")
            if fact.day > latest:
                yield PREMATURE
        family, name = fact.kind.split(".", 1) if "." in fact.kind else (fact.kind, "")
        reason = getattr(self, f"_judge_{family}")(fact, name)
        if reason is None and circles and self._closes_a_circle(fact):
            yield CYCLE
        if fact.kind == "unit.succeeded" and reason is None:
            yield from self._against_succession(fact, circles)
        if fact.kind == "governance.ruled":
            yield from decisions.reasons_against(self, fact)
        if reason is not None:
            yield reason
            # nobody has the word over what nobody registered
            if reason == UNKNOWN or not self.offices(fact.node, fact.epoch, fact.hlc):
                yield NO_AUTHORITY

    def _closes_a_circle(self, fact):
        if fact.kind == "member.rekeyed":
            return fact.id in self.rekeys(fact.body["branch"])[1]
        return fact.kind == "branch.merged" and fact.id in self.mergers()[1]

    def is_cut(self, fact):
        cut = self.cut_heights(fact.node, fact.epoch)
        return cut is not None and fact.height > cut.get(fact.lane, 0)

    def withdrawn(self, fact):
        """The earliest withdrawal that takes it back, or none."""
        if fact.id in self._frozen:
            return self._frozen[fact.id][1]
        if fact.id in self._withdrawn:
            return self._withdrawn[fact.id]
        if fact.kind == "withdrawn" or self._is_roots_own(fact) or fact.id not in self.withdrawals:
            return None
        if self.is_open(("withdrawn", fact.id)):
            return None
        found, is_sure = self.ask(("withdrawn", fact.id), lambda: self._find_withdrawal(fact))
        if is_sure:
            self._withdrawn[fact.id] = found
        return found

    def _find_withdrawal(self, fact):
        for by in self.withdrawals[fact.id]:
            if self._takes_back(by, fact) and self.parked(by) is None:
                is_own = by.node == fact.node
                self.count("taken back by its writer" if is_own else "taken back by another node")
                return by
        return None

    def _takes_back(self, by, fact):
        """From the node that wrote it, or the node that serves its subject at the withdrawal's clock."""
        if by.node == fact.node:
            # no enrolment is taken back by the word it gives
            own = (fact.body.get("node"), fact.body.get("epoch")) == (by.node, by.epoch)
            return not (own and fact.kind == "governance.node_enrolled")
        writer = (by.node, by.epoch)
        family = fact.kind.split(".")[0]
        if family == "governance":
            # its subject is nobody's: only the writer takes it back
            return False
        if fact.kind in OF_OFFICES:
            offices = self.offices(fact.node, fact.epoch, fact.hlc)
            return bool(offices) and self.serves(writer, offices[-1].body["unit"], by.hlc)
        if fact.kind in FROM_ABOVE:
            return self.serves(writer, fact.unit, by.hlc)
        if family in ("branch", "member"):
            union = fact.body["branch"]
            if fact is self.introduces.get(union):
                return self.serves(writer, fact.body["profile"]["host"], by.hlc)
            return self._serves_union(writer, union, by.hlc)
        return self.serves(writer, fact.body["unit"], by.hlc)

    def _is_roots_own(self, fact):
        """The root's unit and its enrolment by its own key hold by the pin in every node's configuration."""
        if fact.kind == "unit.registered":
            return fact.body["parent"] is None and self._is_root_key(fact)
        return fact.kind == "governance.node_enrolled" and self._is_roots_epoch(fact)

    def _is_roots_epoch(self, fact):
        """In each of its epochs the root enrols itself by the pinned key."""
        body = fact.body
        return (fact.node == self.root_node and (body["node"], body["epoch"]) == (fact.node, fact.epoch)
                and bytes(body["key"]) == self.root_key)

    # families

    def _judge_withdrawn(self, fact, name):
        """It stands where its writer has an office; what it takes back is judged fact by fact."""
        known = self.offices(fact.node, fact.epoch, fact.hlc)
        return None if known else NO_AUTHORITY

    def _judge_unit(self, fact, name):
        writer = (fact.node, fact.epoch)
        body = fact.body
        if name == "registered":
            return self._registration(fact)
        if name == "succeeded":
            return self._succession(fact)
        if name == "moved":
            return self._move(fact)
        if name == "rekeyed":
            return self._rekey(fact)
        if not self.is_known(body["unit"]):
            return UNKNOWN
        return None if self.serves(writer, body["unit"], fact.hlc) else NO_AUTHORITY

    def _registration(self, fact):
        body = fact.body
        if not self._has_right_id(fact):
            return WRONG_ID
        if body["parent"] is None:
            return None if self._is_root_key(fact) else NO_AUTHORITY
        parent = body["parent"]
        if not self.is_known(parent):
            return UNKNOWN
        if LEVELS.index(self.level(parent)) >= LEVELS.index(body["level"]):
            return WRONG_LEVEL
        return None if self.speaks_above(fact, parent) else NO_AUTHORITY

    @staticmethod
    def _has_right_id(fact):
        body = fact.body
        codes = {code["kind"]: code["value"] for code in body["profile"]["codes"]}
        unit = body["unit"]
        if body["kind"] == "employer" and "uscc" in codes:
            return unit == ids.employer(codes["uscc"])
        if body["kind"] == "territory":
            return unit == ids.territory(codes.get("division", ""), body["list_year"])
        return unit == ids.unit_of_registration(fact)

    def _is_root_key(self, fact):
        return fact.node == self.root_node and fact.epoch == 1

    def _move(self, fact):
        body = fact.body
        if not self._is_registered_as(body["unit"]):
            return UNKNOWN
        for field in ("parent", "located_in"):
            if body[field] is not None and not self.is_known(body[field]):
                return UNKNOWN
        if body["parent"] is None:
            return None if self.speaks_above(fact, body["unit"]) else NO_AUTHORITY
        if LEVELS.index(self.level(body["parent"])) >= LEVELS.index(self.level(body["unit"])):
            return WRONG_LEVEL
        for move, applied, _ in self.timeline(body["unit"]):
            if move is fact:
                return None if applied else NO_AUTHORITY
        return NO_AUTHORITY

    def _rekey(self, fact):
        body = fact.body
        if not self.is_known(body["unit"]):
            return UNKNOWN
        if any(other.body["kind"] != "employer" and self.stands(other)
               for name in (body["unit"], body["to"]) for other in self.registered.get(name, [])):
            return UNKNOWN
        return None if self.speaks_above(fact, body["unit"]) else NO_AUTHORITY

    def _succession(self, fact):
        known = all(self.is_known(unit) for unit in fact.body["old"] + fact.body["new"])
        return None if known else UNKNOWN

    def _against_succession(self, fact, settled):
        """U4: from an office strictly above every old and every new unit, as they stood before."""
        old, new = fact.body["old"], fact.body["new"]
        if set(old) & set(new):
            yield CYCLE
        if max(LEVELS.index(self.level(unit)) for unit in new) > min(
                LEVELS.index(self.level(unit)) for unit in old):
            yield WRONG_LEVEL
        if not all(self.speaks_strictly_above(fact, unit, clock=fact.hlc - 1) for unit in old + new):
            yield NO_AUTHORITY
        elif settled and not any(one.fact is fact for one in self.successions.all):
            yield ALREADY

    def _judge_branch(self, fact, name):
        body = fact.body
        union = body["branch"]
        writer = (fact.node, fact.epoch)
        first = self.introduces.get(union)
        if fact is first:
            host = body["profile"]["host"]
            if not self.is_known(host):
                return UNKNOWN
            return None if self.serves(writer, host, fact.hlc) else NO_AUTHORITY
        if not self.union_is_known(union):
            return UNKNOWN
        # units and unions named beside the subject park nothing: the fact acts once they are known
        if f"branch.{name}" in FROM_ABOVE:
            return self._approval(fact)
        # a union is moved by whom it is moved away from
        clock = fact.hlc - (name == "moved")
        return None if self._serves_union(writer, union, clock) else self._no_word(union, clock)

    def _approval(self, fact):
        """F1: the unit acted for is a strict ancestor of the host, or the host itself for kinds other than
        own, and is served by the writer."""
        union = fact.body["branch"]
        own = self.kind_of(union) == "own"
        if not self.is_known(fact.unit):
            return UNKNOWN
        if not self.serves((fact.node, fact.epoch), fact.unit, fact.hlc):
            return NO_AUTHORITY
        for host in self.hosts_at(union, fact.hlc):
            by = self.heir_at(fact.unit, fact.hlc)
            for path in self.paths(host, fact.hlc):
                if by in path and (by != path[0] or not own):
                    return None
        return NO_AUTHORITY

    def _judge_member(self, fact, name):
        body = fact.body
        if not self.union_is_known(body["branch"]):
            return UNKNOWN
        writer = (fact.node, fact.epoch)
        if not self._serves_union(writer, body["branch"], fact.hlc):
            return self._no_word(body["branch"], fact.hlc)
        return None

    def _judge_figure(self, fact, name):
        unit = fact.body["unit"]
        if not self.is_known(unit):
            return UNKNOWN
        if "report" in fact.body:
            report = self.by_id.get(id_text(fact.body["report"]))
            # of a fork, another fact than was meant may have that name
            if (report is None or report.kind != "figure.reported" or not self.stands(report)
                    or report.body["unit"] != unit):
                return UNKNOWN
        if fact.kind in AT_OR_ABOVE:
            return None if self.speaks_above(fact, unit) else NO_AUTHORITY
        writer = (fact.node, fact.epoch)
        return None if self.serves(writer, unit, fact.hlc) else NO_AUTHORITY

    def _judge_governance(self, fact, name):
        if name == "node_enrolled":
            return self._enrolment(fact)
        if name == "node_revoked":
            return self._revocation(fact)
        if name == "policy_published":
            has_word = self.offices(fact.node, fact.epoch, fact.hlc)
            return None if fact.node == self.root_node and has_word else NO_AUTHORITY
        if name == "ruled":
            return next(decisions.reasons_against(self, fact), None)
        if name == "objected":
            if not self.is_known(fact.unit):
                return UNKNOWN
            return None if self._speaks(fact, fact.unit, strictly=False, delegates=False) \
                else NO_AUTHORITY
        if name == "restated":
            return self._restatement(fact)
        return None if self.offices(fact.node, fact.epoch, fact.hlc) else NO_AUTHORITY

    def _restatement(self, fact):
        """It is told in the lane of somebody below its writer's office."""
        audience = fact.lane.partition("down:")[2]
        offices = self.offices(fact.node, fact.epoch, fact.hlc)
        if not audience or not self.is_known(audience) or not offices:
            return NO_AUTHORITY
        office = self.office_unit(offices[-1], fact.hlc)
        is_above = any(office in path[1:] for path in self.paths(audience, fact.hlc))
        self.count("restated" if is_above else "restated astray")
        return None if is_above else NO_AUTHORITY

    def _enrolment(self, fact):
        body = fact.body
        if not self._is_registered_as(body["unit"]):
            return UNKNOWN
        if self._is_roots_epoch(fact) or (body["node"] == self.root_node and self._is_root_key(fact)):
            return None if self._fits_key(fact) else NO_AUTHORITY
        if body["node"] == fact.node == self.root_node and body["epoch"] > fact.epoch:
            known = any(other.body["epoch"] == fact.epoch and other.written < fact.written
                        and self.parked(other) is None for other in self.enrolled_node[fact.node])
            return None if known and self._fits_key(fact) else NO_AUTHORITY
        units = [body["unit"]]
        if body["epoch"] > 1:
            if not any(other.body["epoch"] < body["epoch"] and self.parked(other) is None
                       for other in self.enrolled_node[body["node"]]):
                return UNKNOWN
            units += [other.body["unit"] for other in self.enrolled_node[body["node"]]
                      if other is not fact and other.written < fact.written
                      and self.parked(other) is None]
        for unit in units:
            if not self.speaks_strictly_above(fact, unit, delegates=True):
                return NO_AUTHORITY
        return None

    def _fits_key(self, fact):
        """The first enrolment of a node and epoch fixes its key."""
        body = fact.body
        return not any(other.body["epoch"] == body["epoch"] and other.body["key"] != body["key"]
                       and other.written < fact.written and self.parked(other) is None
                       for other in self.enrolled_node[body["node"]])

    def _revocation(self, fact):
        body = fact.body
        enrolments = [other for other in self.enrolled_node.get(body["node"], [])
                      if self.parked(other) is None]
        if not any(other.body["epoch"] == body["epoch"] for other in enrolments):
            return UNKNOWN
        for other in enrolments:
            if not self.speaks_strictly_above(fact, other.body["unit"]):
                return NO_AUTHORITY
        return None
