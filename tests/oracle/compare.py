"""Compares what the engine says with what the oracle finds."""

import answers
import closings
import forks
import known
import rates
import rules
import takeovers
from flows import Flows
from log import day_number, day_text
from model import Model
from story import Names
from verdicts import STANDS


class Comparison:
    """One history with its questions."""

    def __init__(self, log, questions):
        self.log = log
        self.names = Names(log)
        self.differences = []
        self.decided = dict.fromkeys(rules.ALL, 0)
        self.compared = 0
        counted, self.left_out = forks.settle(log, self.count)
        self.model = Model(counted, self.count)
        self.authority = self.model.authority
        self._verdicts()
        # numbers rest on verdicts
        if not self.differences:
            for line in questions:
                if "closings" in line["question"]:
                    self._closings(line["answer"])
                elif "closing" in line["question"]:
                    self._closing(line["question"], line["answer"])
                elif "cases" in line["question"]:
                    self._cases(line["answer"])
                elif "takeovers" in line["question"]:
                    self._takeovers(line["answer"])
                elif "rates" in line["question"]:
                    self._rates(line["answer"])
                elif "flows" in line["question"]:
                    self._flows(line["question"], line["answer"])
                elif "known_at" in line["question"]:
                    self._known_at(line)
                else:
                    self._answer(self.model, line["question"], line["answer"])

    def _cases(self, told):
        """Cases that facts make: each told once, by kind and facts."""
        found = {(kind, tuple(facts)) for person in self.model.persons for kind, facts in person.cases}
        found |= {("duplicate-branch", tuple(facts)) for facts in self.model.unions.duplicates()}
        told = [(kind, tuple(facts)) for kind, facts in told]
        self.compared += len(told)
        for case in sorted(set(told) ^ found):
            self.differ(f"case {case[0]}", f"{case} {'engine' if case in told else 'oracle'} alone")

    def _takeovers(self, told):
        """M7: each mass takeover with its numbers, the unions that held and where it is told."""
        found = set(takeovers.mass(self.model))
        told = {tuple(tuple(part) if isinstance(part, list) else part for part in one) for one in told}
        self.compared += len(told)
        for one in sorted(told ^ found, key=str):
            self.differ("mass takeover", f"{one} {'engine' if one in told else 'oracle'} alone")

    def _rates(self, told):
        """S4: which declared rates follow from their numbers."""
        found = set(rates.all_of(self.model.figures))
        for _, _, follows in found:
            self.count("S4: follows" if follows else "S4: differs")
        told = {tuple(rate) for rate in told}
        self.compared += len(told)
        for rate in sorted(told ^ found):
            self.differ("declared rate", f"{rate} {'engine' if rate in told else 'oracle'} alone")

    def _flows(self, question, told):
        found = Flows(self.model, question["unit"], day_number(question["from"]), day_number(question["to"]))
        told = {row.pop("label"): row for row in told}
        for label, own in found.rows.items():
            row = told.pop(label, None)
            self.compared += 2 + len(own["flows"])
            if own["opening"] + sum(own["flows"].values()) != own["closing"]:
                self.differ("flows do not sum", f"{question} row {label}: {own}")
            if row != own and (row is not None or own["flows"] or own["opening"]):
                self.differ("flows", f"{question} row {label}: engine {row}, oracle {own}")
        for label, row in told.items():
            if row["flows"] or row["opening"]:
                self.differ("flows", f"{question} row {label}: engine {row} alone")

    def _closings(self, told):
        """S5: which closing of each unit and period is published."""
        found = {(unit, period, fact.id) for (unit, period), fact in closings.standing(self.model).items()}
        told = {tuple(one) for one in told}
        self.compared += len(told)
        for one in sorted(told ^ found):
            self.differ("closing", f"{one} {'engine' if one in told else 'oracle'} alone")

    def _closing(self, question, told):
        """S5: one closing read again, and why today differs from it."""
        closing = closings.Closing(self.log, self.model, question, self.count)
        found = {"refused": closing.refused} if closing.refused else {
            "fact": closing.fact.id, "published": closing.values(closing.then),
            "steps": list(closing.split()), "current": closing.values(self.model)}
        if told.get("refused") == "another view" and closing.refused in (None, "no unit", "another table"):
            # its digest is another, which only the engine can tell
            found = {"refused": "another view"}
        after = closings.after(self.log, self.model, question["unit"])
        found["after"] = [[unit, kind, number, day_text(earliest)]
                          for (unit, kind), (number, earliest) in sorted(after.items())]
        self.count(f"S5: {found.get('refused', 'published')}")
        self.count("S5: after a closing", len(after))
        told["after"].sort()
        for what, own in found.items():
            self.compared += 1
            if told.get(what) != own:
                self.differ(f"closing, {what}", f"{question}: engine {told}, oracle {own}")
        if set(told) != set(found):
            self.differ("closing", f"{question}: engine {told}, oracle {found}")

    def _known_at(self, line):
        question = line["question"]
        found = known.checkpoint_at(self.authority, question["unit"], question["known_at"])
        if found is None or found[0].id != line["checkpoint"]:
            self.differ("checkpoint", f"{question}: engine {line['checkpoint']}, oracle {found}")
        elif line["answer"] is None:
            # its digest is another, which only the engine can tell
            self.count("known at: refused")
        else:
            self.count("known at: a checkpoint")
            self._answer(Model(self.log.up_to(found[1]), self.count), question, line["answer"])

    def _answer(self, model, question, answer):
        day = day_number(question["as_of"])
        boundaries = day_number(question["boundaries"]) if question["boundaries"] else day
        table = answers.Table(model, question, day, boundaries)
        told = {row["label"]: row for row in answer}
        for row in table.rows:
            counts = table.counts(row)
            if row.label not in told:
                if row.label == "total" or any(counts.values()):
                    self.differ("row missing", f"{question} row {row.label}")
                continue
            self._row(question, row, counts, told.pop(row.label), table)
        for label in told:
            self.differ("row beyond", f"{question} row {label}")

    def _row(self, question, row, counts, engine, table):
        for measure in answers.MEASURES:
            self._compare(measure, engine["counts"].get(measure, 0), counts.get(measure, 0), question, row)
        awaiting, oldest = table.beside(row)
        self.count("answer: awaits agreement", awaiting)
        self._compare("awaiting", engine["awaiting"], awaiting, question, row)
        self._compare("oldest head", engine["oldest_head"], oldest, question, row)
        for name, told in engine["ratios"].items():
            self._compare(name, told, table.ratio(row, counts, *name.split("/")), question, row)

    def _compare(self, what, told, own, question, row):
        self.compared += 1
        if told != own:
            self.differ(what, f"{question} row {row.label}: engine {told}, oracle {own}")

    def count(self, rule, times=1):
        """Counts that a rule decided."""
        self.decided[rule] += times

    def _verdicts(self):
        for fact in self.log.facts:
            left_out = self.left_out.get(fact.block)
            found = [{"parked": left_out}] if left_out else self.authority.verdicts(fact)
            self.compared += 1
            told = fact.exported
            if found == [STANDS]:
                self.count(f"standing {fact.kind}")
            for verdict in found:
                self.count(f"verdict: {short(verdict)}")
            if told not in found:
                shorts = " or ".join(short(verdict) for verdict in found)
                self.differ(f"verdict {fact.kind}, engine {short(told)}, oracle {shorts}",
                            f"{self.names.fact(fact)} {told} {found}")

    def differ(self, kind, what):
        """Keeps a difference: its kind, and what it is about."""
        self.differences.append(self.names.text(f"{kind}: {what}"))

    def reply(self):
        """What is sent back."""
        story = self.names.story() if self.differences else []
        return {
            "differences": self.differences,
            "decided": self.decided,
            "compared": self.compared,
            "story": story,
        }


def short(verdict):
    """A verdict without names."""
    if isinstance(verdict, dict):
        what, why = next(iter(verdict.items()))
        return f"parked, {why}" if what == "parked" else what
    return verdict
