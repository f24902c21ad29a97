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
        self.block = line["block"]
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


class Block:
    """What a block's header says (block.md)."""

    def __init__(self, line):
        header = bytes.fromhex(line["header"])
        number = lambda start, end: int.from_bytes(header[start:end], "big")
        chain = line["chain"]
        self.chain = (chain["node"], chain["epoch"], chain["lane"])
        self.height = line["height"]
        self.hash = line["hash"]
        self.previous = header[80:112].hex()
        self.first_seq, self.count = number(68, 76), number(76, 80)
        self.first, self.last = number(112, 120), number(120, 128)

    def follows(self, before):
        """Whether its first fact and its clock come after the block before it, if that is known."""
        if before is None:
            return self.height > 1 or self.first_seq == 1
        return self.first_seq == before.first_seq + before.count and self.first > before.last


class Log:
    """All facts of an export, and which lines were questions."""

    def __init__(self, heading):
        self.root_key = bytes.fromhex(heading["root_key"])
        self.facts = []
        self.blocks = []

    def of(self, hashes):
        """The log of just these blocks."""
        log = copy.copy(self)
        log.facts = [fact for fact in self.facts if fact.block in hashes]
        log.blocks = [block for block in self.blocks if block.hash in hashes]
        return log

    def without(self, names):
        """The same blocks as if they did not hold these facts."""
        log = copy.copy(self)
        log.facts = [fact for fact in self.facts if fact.id not in names]
        return log

    def up_to(self, frontier):
        """The log of exactly the blocks up to these heads: heights and hashes, by chain."""
        known = {block.hash: block for block in self.blocks}
        hashes = set()
        for height, name in frontier.values():
            block = known.get(name)
            while block is not None:
                hashes.add(block.hash)
                block = known.get(block.previous) if block.height > 1 else None
        return self.of(hashes)

    def last_clock(self, chain, height):
        """The clock of the last block of a chain at or below a height."""
        clocks = [(block.height, block.last) for block in self.blocks
                  if block.chain == chain and block.height <= height]
        return max(clocks, default=(0, 0))[1]

    def last_clocks(self):
        """The clock of the last block of each node."""
        clocks = {}
        for block in self.blocks:
            node = block.chain[0]
            clocks[node] = max(clocks.get(node, 0), block.last)
        return clocks

    def take_block(self, line):
        """A block; the lines of its facts follow."""
        self.blocks.append(Block(line))

    def take_fact(self, line):
        """A fact of the block before."""
        self.facts.append(Fact(line))
