"""M7: what one union took over in a calendar month from outside its parent's subtree (rules.md, "Takeovers in
bulk")."""

import datetime

from schemas import POLICY

RULE = POLICY["mass_takeover"]
EPOCH = datetime.date(1970, 1, 1)


def mass(model):
    """Each mass takeover: union, year, month, persons, how many it may be, the unions that held, where it is told."""
    taken = {}
    for number, person in enumerate(model.persons):
        for takeover in person.takeovers:
            if takeover.of_holder and not takeover.is_confirmed:
                date = EPOCH + datetime.timedelta(days=takeover.day)
                key = takeover.winner.union, date.year, date.month
                taken.setdefault(key, []).append((number, takeover))
    for (union, year, month), found in taken.items():
        if len({number for number, _ in found}) > RULE["holders_min"]:
            yield from _of_month(model, union, year, month, found)


def _of_month(model, union, year, month, found):
    outside = [(number, takeover.loser.union) for number, takeover in found if _is_from_outside(model, takeover)]
    last = datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(days=1)
    day = (last - EPOCH).days
    unions = model.unions
    host = unions.named_host(unions.all[union], day)
    most = max(RULE["holders_min"], model.units.headcount(host, 0, day) or 0)
    persons = len({number for number, _ in outside})
    if persons <= most:
        model.count("M7: not from outside, or no more than its host employs")
        return
    model.count("M7: mass takeover")
    losers = sorted({loser for _, loser in outside})
    placed = model.placed(day)
    paths = [placed.path(unions.named_host(unions.all[name], day)) for name in losers + [union]]
    common = next((unit for unit in paths[0] if all(unit in path for path in paths)), None)
    yield union, year, month, persons, most, tuple(losers), common


def _is_from_outside(model, takeover):
    """Whether the losing union's host lay outside the subtree of the parent of the unit whose node serves the
    taking union's host."""
    authority, clock = model.authority, takeover.winner.fact.hlc
    taker = authority.hosts_at(takeover.winner.union, clock)[0]
    loser = authority.hosts_at(takeover.loser.union, clock)[0]
    served = authority.served_unit(taker, clock)
    path = authority.path_at(served, 0, clock) if served is not None else ()
    return len(path) > 1 and all(path[1] not in way for way in authority.paths(loser, clock))
