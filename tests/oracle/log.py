"""Reading an export (schemas/export.md): facts, in no order that matters."""

import copy
import datetime
import functools

from schemas import DAY_MS

EPOCH = datetime.date(1970, 1, 1).toordinal()
SHANGHAI_MS = 8 * 3_600_000


@functools.lru_cache(maxsize=None)
def day_number(text):
    """Days since 1970 of YYYY-MM-DD."""
    return datetime.date.fromisoformat(text).toordinal() - EPOCH


def day_text(number):
    """YYYY-MM-DD."""
    return datetime.date.fromordinal(number + EPOCH).isoformat()


def day_of_clock(hlc):
    """The civil day of Shanghai on which a clock stands."""
    return ((hlc >> 16) + SHANGHAI_MS) // DAY_MS


def id_order(text):
    """The order of fact ids: node, epoch, lane (up first), seq."""
    chain, seq = text.rsplit("#", 1)
    node, epoch, lane = chain.split("/", 2)
    return (node, int(epoch), lane != "up", lane, int(seq))


def id_text(told):
    """The text of a fact id told as an object."""
    chain = told["chain"]
    return f"{chain['node']}/{chain['epoch']}/{chain['lane']}#{told['seq']}"


class Fact:
    """One fact with its place in the log."""

    def __init__(self, line):
        told = line["fact"]
        chain = line["chain"]
        self.id = line["id"]
        self.key = id_order(self.id)
        self.kind = line["kind"]
        self.node = chain["node"]
        self.epoch = chain["epoch"]
        self.lane = chain["lane"]
        self.chain = (self.node, self.epoch, self.lane)
        self.seq = self.key[-1]
        self.height = line["height"]
        self.exported = line.get("verdict")
        self.hlc = told["hlc"]
        self.day = day_number(told["day"])
        self.precision = told["precision"]
        self.unit = told["unit"]
        self.attributes = {a["code"]: a["value"] for a in told["attributes"]}
        body = told["body"]
        family, inner = next(iter(body.items()))
        if family == "withdrawn":
            self.body = inner
        elif family == "member":
            act = inner["act"]
            self.body = {} if isinstance(act, str) else dict(next(iter(act.values())))
            self.body["member"] = inner["member"]
            self.body["branch"] = inner["branch"]
        else:
            self.body = next(iter(inner.values()))
        # canonical order of an entity's facts (DESIGN §6)
        self.order = (self.day, self.hlc, self.key)
        self.written = (self.hlc, self.key)

    def but(self, **fields):
        """The same fact with other fields in its body."""
        other = copy.copy(self)
        other.body = {**self.body, **fields}
        return other

    def __repr__(self):
        return self.id


class Log:
    """All facts of an export, and which lines were questions."""

    def __init__(self, heading):
        self.root_key = bytes.fromhex(heading["root_key"])
        self.facts = []
        self.blocks = []
        self.last_clock = {}
        self.unreadable = 0

    def up_to(self, frontier):
        """The log of exactly the blocks up to these heads, by chain."""
        log = copy.copy(self)
        log.facts = [fact for fact in self.facts if fact.height <= frontier.get(fact.chain, 0)]
        log.last_clock = {(chain, height): clock for (chain, height), clock in self.last_clock.items()
                          if height <= frontier.get(chain, 0)}
        return log

    def take_block(self, line):
        """A block: its header says which clocks it spans (block.md)."""
        header = bytes.fromhex(line["header"])
        last = int.from_bytes(header[120:128], "big")
        chain = line["chain"]
        chain = (chain["node"], chain["epoch"], chain["lane"])
        self.blocks.append((chain, line["height"], last))
        self.last_clock[chain, line["height"]] = last
        if "unreadable" in line:
            self.unreadable += int.from_bytes(header[76:80], "big")

    def take_fact(self, line):
        """A fact of the block before."""
        self.facts.append(Fact(line))
