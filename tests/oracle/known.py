"""Known at: the fold of exactly the blocks of the newest checkpoint of the node that serves the unit (DESIGN §8;
rules.md, "Checkpoints and known-at")."""


def checkpoint_at(authority, unit, clock):
    """The checkpoint known at a clock: its last fact and its frontier, or none."""
    node = authority.server_of(unit, clock)
    stated = authority.kinds.get("governance.checkpointed", [])
    newest = None
    for fact in stated:
        if fact.node == node and fact.hlc <= clock:
            parts = parts_of(authority, fact)
            if parts is not None:
                newest = fact, frontier_of(parts)
    return newest


def parts_of(authority, last):
    """The facts of a whole checkpoint, by its last one; none if it is not whole."""
    count = last.body["parts"]
    if last.lane != "up" or last.body["part"] != count:
        return None
    parts = []
    for part in range(1, count + 1):
        name = f"{last.node}/{last.epoch}/up#{last.seq - count + part}"
        fact = authority.by_id.get(name)
        if (fact is None or fact.kind != last.kind or not authority.stands(fact)
                or (fact.body["part"], fact.body["parts"]) != (part, count)
                or fact.body["digest"] != last.body["digest"]):
            return None
        parts.append(fact)
    return parts


def frontier_of(parts):
    """Height and hash by chain."""
    heads = [head for fact in parts for head in fact.body["frontier"]]
    return {(head["chain"]["node"], head["chain"]["epoch"], head["chain"]["lane"]): (head["height"], head["hash"])
            for head in heads}
