"""Closings: what is published for a period, and why today differs (DESIGN §7, S5; rules.md, "Closings")."""

import datetime
import hashlib

import answers
import forks
import known
from log import day_number, id_text
from model import Model
from schemas import FOLDER, INDICATORS

CAUSES = ("definition", "reorganisation", "duplicate", "ruling", "correction", "transfer", "late")
REORGANISES = {"unit.moved", "unit.succeeded", "branch.moved", "branch.merged", "governance.node_enrolled",
               "governance.node_revoked"}
DOUBLES = {"unit.rekeyed", "member.rekeyed", "governance.restated"}
DECISIONS = {"governance.ruled", "governance.objected"}
CORRECTS = {"unit.revised", "branch.revised", "member.revised", "figure.returned"}
TRANSFERS = {"member.transferred_in", "member.transferred_out"}


def _hash_of(name):
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


POLICY, DEFINITIONS = _hash_of("policy.json"), _hash_of("indicators.json")


def last_day(period):
    """The last day of a statistical year (to 30 September) or of a month."""
    year, _, month = period.partition("-")
    if not month:
        return day_number(f"{year}-09-30")
    following = datetime.date(int(year) + int(month) // 12, int(month) % 12 + 1, 1)
    return day_number(str(following - datetime.timedelta(days=1)))


def standing(model):
    """The published closing of each unit and period: the highest revision, of it the lowest clock and id."""
    authority = model.authority
    found = {}
    for fact in authority.kinds.get("figure.period_closed", []):
        if authority.stands(fact):
            key = authority.canonical(fact.body["unit"]), fact.body["period"]
            order = (-fact.body["revision"],) + fact.written
            if key not in found or order < found[key][0]:
                found[key] = order, fact
    return {key: fact for key, (_, fact) in found.items()}


class Closing:
    """One period of one unit, read again."""

    def __init__(self, log, model, question, count):
        self.log, self.model, self.count = log, model, count
        self.unit = model.authority.canonical(question["unit"])
        self.period = question["period"]
        self.ratios = question["ratios"]
        self.day = last_day(self.period)
        self.fact = standing(model).get((self.unit, self.period))
        self.refused = self._read()

    def _read(self):
        """Why it cannot be read again, or none; whether the digest is that of the blocks only the engine tells."""
        if self.fact is None:
            return "not closed"
        body = self.fact.body
        if (body["policy"], body["definitions"]) != (POLICY, DEFINITIONS):
            return "other rules"
        checkpoint = self.model.authority.by_id.get(id_text(body["checkpoint"]))
        parts = None
        if checkpoint is not None and checkpoint.kind == "governance.checkpointed":
            parts = known.parts_of(self.model.authority, checkpoint)
        if parts is None or checkpoint.hlc >= self.fact.hlc:
            return "no checkpoint"
        if checkpoint.body["digest"] != body["digest"]:
            return "another digest"
        self.frontier = known.frontier_of(parts)
        self.blocks = {block.hash for block in self.log.up_to(self.frontier).blocks}
        self.then = self._fold(self.log.of(self.blocks))
        if body["unit"] not in self.then.authority.registered:
            return "no unit"
        if hashlib.sha256(self._table().encode()).hexdigest() != body["table"]:
            return "another table"
        return None

    def _fold(self, log):
        return Model(forks.settle(log, self.count)[0], self.count)

    # the published table

    def _table(self):
        """Every indicator by base and every measure, by child, as text."""
        unit = self.then.authority.canonical(self.fact.body["unit"])
        day = datetime.date(1970, 1, 1) + datetime.timedelta(days=self.day)
        question = {"unit": unit, "by": "child"}
        table = answers.Table(self.then, question, self.day, self.day)
        text = f"hub published 0\nunit {unit}\nperiod {self.period}\nas_of {day}\n"
        for row in sorted(table.rows, key=lambda row: row.label):
            text += "".join(self._lines(table, row))
        return text

    @staticmethod
    def _lines(table, row):
        counts = table.counts(row)
        is_there = row.label != "direct" or any(counts.values())
        for indicator in INDICATORS["indicators"]:
            for base in sorted(indicator["bases"]):
                over, under, _, bounds = table.ratio(row, counts, indicator["id"], base)
                if is_there or bounds:
                    doubt = "" if bounds is None else " low {}/{} high {}/{}".format(*bounds[0], *bounds[1])
                    yield f"{row.label} {indicator['id']} {base} {over}/{under}{doubt}\n"
        for measure in sorted(answers.MEASURES) if is_there else []:
            yield f"{row.label} {measure} {counts.get(measure, 0)}\n"

    # why today differs

    def split(self):
        """The change of each cause in order: its facts, and what they do to both numbers."""
        # two sides of a fork may give one name to two facts
        later = [(fact.id, self._cause(fact)) for fact in self.log.facts if fact.block not in self.blocks]
        now = self.values(self.then)
        for cause in CAUSES:
            facts = sum(one == cause for _, one in later)
            before = now
            if facts or cause == "late":
                waiting = {name for name, one in later if CAUSES.index(one) > CAUSES.index(cause)}
                now = self.values(self._fold(self.log.without(waiting)))
            changes = [[new[0] - old[0], (new[1] or 0) - (old[1] or 0)] for old, new in zip(before, now)]
            if any(map(any, changes)):
                self.count(f"S5: {cause}")
            yield [cause, facts, changes]

    def values(self, model):
        """Both numbers of each ratio in a fold; nothing of a unit not registered there."""
        if self.unit not in model.authority.registered:
            return [[0, None]] * len(self.ratios)
        question = {"unit": self.fact.body["unit"], "by": "total"}
        table = answers.Table(model, question, self.day, self.day)
        row = table.rows[0]
        counts = table.counts(row)
        return [table.ratio(row, counts, *ratio)[:2] for ratio in self.ratios]

    def _cause(self, fact):
        kind, body = fact.kind, fact.body
        if kind in ("governance.catalog_published", "governance.policy_published"):
            return "definition"
        if kind in REORGANISES or kind == "unit.registered" and body["kind"] != "employer":
            return "reorganisation"
        if kind in DOUBLES:
            return "duplicate"
        if kind in DECISIONS:
            return "ruling"
        if kind == "withdrawn":
            first = id_text(body["first"])
            decided = any(other.id == first and other.kind in DECISIONS for other in self.log.facts)
            return "ruling" if decided else "correction"
        if kind in CORRECTS or kind == "figure.reported" and body["revision"] > 1:
            return "correction"
        if kind == "unit.headcount_declared":
            units = self.then.units
            return "correction" if units.headcounts.get(self.then.authority.canonical(body["unit"])) else "late"
        if kind in TRANSFERS or kind == "member.joined" and (
                body["origin"] == "transferred" or body["from"] is not None):
            return "transfer"
        return "late"


def after(log, model, unit):
    """Standing facts on days of the unit's last closed period or before that its checkpoint does not cover: how
    many and since when, by unit acted for and kind."""
    authority = model.authority
    unit = authority.canonical(unit)
    closings = [(last_day(period), period, fact) for (of, period), fact in standing(model).items() if of == unit]
    if not closings:
        return {}
    last, _, closing = max(closings, key=lambda one: one[:2])
    checkpoint = authority.by_id.get(id_text(closing.body["checkpoint"]))
    if checkpoint is None or checkpoint.kind != "governance.checkpointed":
        return {}
    parts = known.parts_of(authority, checkpoint)
    if parts is None:
        return {}
    covered = {block.hash for block in log.up_to(known.frontier_of(parts)).blocks}
    found = {}
    for fact in authority.facts:
        if (fact.kind.split(".")[0] in ("unit", "branch", "member") and fact.day <= last
                and fact.block not in covered and authority.stands(fact)):
            number, earliest = found.get((fact.unit, fact.kind), (0, fact.day))
            found[fact.unit, fact.kind] = number + 1, min(earliest, fact.day)
    return found
