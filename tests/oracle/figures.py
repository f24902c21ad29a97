"""Declared figures: which report stands, which are in totals, who is due and in time (DESIGN §7 S1 to S3; rules.md,
"Declared figures")."""

import datetime

from log import day_number, day_of_clock, id_text
from schemas import CATALOG, GRACE, LEVELS


class Figures:
    """All standing reports of a log."""

    def __init__(self, model):
        self.model = model
        self.authority = model.authority
        self.series = {}  # (form, period, unit, residual or not) -> reports
        for fact in self._standing("reported"):
            unit = self.authority.canonical(fact.body["unit"])
            key = fact.body["form"], fact.body["period"], unit, bool(fact.body["residual_of"])
            self.series.setdefault(key, []).append(fact)
        self.returned = {id_text(fact.body["report"]) for fact in self._standing("returned")}
        self.approved = {id_text(fact.body["report"]) for fact in self._standing("approved")}

    def _standing(self, name):
        return [fact for fact in self.authority.kinds.get(f"figure.{name}", [])
                if self.authority.stands(fact)]

    def _order(self, report):
        """S1: approved before not, then revision, then clock, then id."""
        return report.id in self.approved, report.body["revision"], report.hlc, report.key

    def standing(self, form, period):
        """S1: per series the report that stands, as (unit, report)."""
        found = []
        for (of_form, of_period, unit, _), reports in self.series.items():
            fit = [report for report in reports if report.id not in self.returned]
            if (of_form, of_period) == (form, period) and fit:
                found.append((unit, max(fit, key=self._order)))
                self.model.count("S1: a report stands")
        return found

    def spoken_for(self, filer, report):
        """The units a residual figure speaks for: listed, registered and at or below the filer at its clock."""
        listed = {self.authority.canonical(unit) for unit in report.body["residual_of"]}
        office = self.authority.heir_at(filer, report.hlc)
        return [unit for unit in sorted(listed) if self.authority.is_known(unit)
                and any(office in path for path in self.authority.paths(unit, report.hlc))]

    def in_totals(self, form, period):
        """S2: what totals sum, as (filer, report, units it speaks for)."""
        standing = self.standing(form, period)
        residual = [entry for entry in standing if entry[1].body["residual_of"]]
        spoken, found = set(), []
        for filer, report in sorted(residual, key=lambda entry: self._order(entry[1]), reverse=True):
            units = self.spoken_for(filer, report)
            if spoken & set(units):
                self.model.count("S2: residual figure left out")
                continue
            spoken.update(units)
            found.append((filer, report, units))
        for unit, report in standing:
            if not report.body["residual_of"]:
                if unit in spoken:
                    self.model.count("S2: own figure left out")
                else:
                    found.append((unit, report, [unit]))
        return found

    # duties

    def _filed(self, form, period):
        """By unit the report by which it has filed: its own, else the earliest residual one."""
        own, residual = {}, {}
        for filer, report in self.standing(form, period):
            if not report.body["residual_of"]:
                own[filer] = report
                continue
            for unit in self.spoken_for(filer, report):
                residual[unit] = min(residual.get(unit, report), report, key=lambda fact: fact.written)
        return {**residual, **own}

    def _due(self, form, day):
        """Who has to file a form, judged on a day."""
        units, placed, who = self.model.units, self.model.placed(day), form["due"]["who"]
        if who == "territories":
            return {unit for unit in units.all if units.first(unit)["kind"] == "territory"
                    and units.first(unit)["level"] in form["due"]["levels"]
                    and units.is_open(unit, placed.registration(unit), day)}
        if who != "union_hosts":
            return set()
        hosts = {self.model.unions.host(union, day) for union in self.model.unions.counting(day)[0]}
        return {host for host in hosts if host in units.registrations
                and day < units.closed(host, placed.registration(host))}

    def _deadline(self, form, unit, day):
        """The last day for filing, by the level of the unit's parent; none where no level states one."""
        parent = self.model.placed(day).parent(unit)
        level = LEVELS.index(self.authority.level(unit if parent is None else parent))
        days = {LEVELS.index(line["received_by"]): line["days_after_end"] for line in form["deadlines"]}
        stated = [days[at] for at in range(level, -1, -1) if at in days]
        return day + stated[0] if stated else None

    def duties(self, day):
        """By unit with a duty for the newest ended period of any form: whether all is filed, and all in time."""
        state = {}
        for form in CATALOG["forms"]:
            period, last = newest_ended(form["cycle"], day)
            filed = self._filed(form["id"], period)
            for unit in self._due(form, last):
                deadline = self._deadline(form, unit, last)
                if deadline is None:
                    continue
                report = filed.get(unit)
                in_time = report is not None and self._is_on_time(report, deadline)
                known = state.get(unit, (True, True))
                state[unit] = known[0] and report is not None, known[1] and in_time
        return state

    def _is_on_time(self, report, deadline):
        """Whether the node above the writer's unit vouched in time for holding the report."""
        authority = self.authority
        enrolled = [fact for fact in authority.enrolled_node.get(report.node, [])
                    if fact.body["epoch"] == report.epoch and authority.parked(fact) is None]
        office = enrolled[-1].body["unit"]
        path = authority.path_at(office, 0, report.hlc)
        node = authority.server_of(path[1], report.hlc) if len(path) > 1 else report.node
        for fact in authority.kinds.get("governance.checkpointed", []):
            if fact.node == node and covers(fact, report) and authority.stands(fact):
                return day_of_clock(fact.hlc) <= deadline + GRACE
        return False


def covers(statement, report):
    """Whether a statement of who holds what names the block of a report."""
    for head in statement.body["frontier"]:
        chain = head["chain"]
        if ((chain["node"], chain["epoch"], chain["lane"]) == report.chain
                and head["height"] >= report.height):
            return True
    return False


def newest_ended(cycle, day):
    """The newest period whose last day is not after a day: its name and its last day."""
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
    if cycle == "year":
        year = date.year if (date.month, date.day) >= (9, 30) else date.year - 1
        return f"{year:04}", day_number(f"{year:04}-09-30")
    tomorrow = date + datetime.timedelta(days=1)
    last = date if tomorrow.day == 1 else date.replace(day=1) - datetime.timedelta(days=1)
    return f"{last.year:04}-{last.month:02}", day_number(last.isoformat())
