"""Forks: which blocks of a chain that was signed twice count (DESIGN §9; rules.md, "Forks").

Naive: nothing above a fork counts at first; then all is judged anew, and which sides count is asked again, until
nothing changes any more.
"""

from authority import Authority

OPEN = "fork not settled"
OTHER = "other side of a fork counts"


class Chain:
    """All blocks of one chain."""

    def __init__(self, blocks):
        self.blocks = {block.hash: block for block in blocks}
        self.at = {}
        for block in blocks:
            self.at.setdefault(block.height, []).append(block)
        named = {}
        for block in blocks:
            named.setdefault(block.height, set()).add(block.hash)
            if block.height > 1:
                named.setdefault(block.height - 1, set()).add(block.previous)
        self.named = named
        self.fork = min((height for height, hashes in named.items() if len(hashes) > 1), default=None)

    def below(self):
        """The hashes of what counts whatever is stated."""
        return {block.hash for block in self.blocks.values()
                if self.fork is None or block.height < self.fork}

    def ancestor(self, block, height):
        """The block at a height on the way down from one; none where a block between is missing."""
        while block is not None and block.height > height:
            block = self.blocks.get(block.previous)
        return block

    def way(self, stated):
        """The blocks from the fork on that count, by what was stated: (height, hash), the first first."""
        way, height = [], self.fork
        before = next(iter(self.at.get(height - 1, [])), None)
        while True:
            rivals = [block for block in self.at.get(height, [])
                      if height == 1 or before is None or block.previous == before.hash]
            absent = self.named.get(height, set()) - {block.hash for block in self.at.get(height, [])}
            side = rivals[0] if len(rivals) == 1 else None
            if len(rivals) + len(absent) > 1:
                side = None
                first = next((head for head in stated if head[0] >= height), None)
                if first is not None:
                    ancestor = self.ancestor(self.blocks.get(first[1]), height)
                    side = ancestor if ancestor in rivals else None
            if side is None or not side.follows(before):
                return way
            way.append(side)
            before, height = side, height + 1

    def why(self, block, way):
        """Why a block from the fork on does not count."""
        counted = {other.height: other.hash for other in way}
        while block is not None:
            if block.height == self.fork or counted.get(block.height - 1) == block.previous:
                return OTHER if block.height in counted else OPEN
            block = self.blocks.get(block.previous)
        return OPEN


def settle(log, count):
    """The log of what counts, and why each fact of the other blocks does not, by block."""
    chains = {}
    for block in log.blocks:
        chains.setdefault(block.chain, []).append(block)
    chains = {name: Chain(blocks) for name, blocks in chains.items()}
    forked = {name: chain for name, chain in chains.items() if chain.fork is not None}
    if not forked:
        return log, {}
    below = set().union(*(chain.below() for chain in chains.values()))
    ways = dict.fromkeys(forked, [])
    while True:
        counted = log.of(below | {block.hash for way in ways.values() for block in way})
        authority = Authority(counted, lambda rule, times=1: None)
        found = {name: chain.way(stated(authority, name)) for name, chain in forked.items()}
        if found == ways:
            break
        ways = found
    parked = {}
    for name, chain in forked.items():
        on_way = {block.hash for block in ways[name]}
        for block in chain.blocks.values():
            if block.height >= chain.fork and block.hash not in on_way:
                parked[block.hash] = chain.why(block, ways[name])
        count("fork: a side counts" if ways[name] else "fork: suspended")
    return counted, parked


def stated(authority, chain):
    """What nodes said of a chain while they served the unit above its node's: heights and hashes. Of the root's
    chains it says so itself, in later epochs, the latest first; that it is said is enough."""
    heads = []
    told = authority.kinds.get("governance.checkpointed", [])
    if chain[0] == authority.root_node:
        told = [fact for fact in told if fact.node == chain[0] and fact.epoch > chain[1]]
        told.sort(key=lambda fact: -fact.epoch)
    else:
        told = [fact for fact in told
                if authority.stands(fact) and fact.node == superior(authority, chain[0], fact.hlc)]
    for fact in told:
        for head in fact.body["frontier"]:
            named = head["chain"]
            if (named["node"], named["epoch"], named["lane"]) == chain:
                heads.append((head["height"], head["hash"]))
                break
    return heads


def superior(authority, node, clock):
    """The node that serves, at a clock, the unit above that for which a node was enrolled last."""
    enrolled = [fact for fact in authority.enrolled_node.get(node, [])
                if fact.hlc <= clock and authority.parked(fact) is None]
    if not enrolled:
        return None
    path = authority.path_at(enrolled[-1].body["unit"], 0, clock)
    return authority.server_of(path[1], clock) if len(path) > 1 else None
