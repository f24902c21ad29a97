"""Names derived from what they name (schemas/facts.md, "Types")."""

import hashlib
import uuid

EMPLOYER_NAMESPACE = uuid.UUID("7f2d39a5-5b0f-5c1e-9a63-2e8f71c0d401")
TERRITORY_NAMESPACE = uuid.UUID("7f2d39a5-5b0f-5c1e-9a63-2e8f71c0d402")


def _uuid8(digest):
    """UUIDv8 of the first 16 bytes of a digest, as text."""
    data = bytearray(digest[:16])
    data[6] = data[6] & 0x0F | 0x80
    data[8] = data[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(data)))


def _named_by(label, data):
    return _uuid8(hashlib.sha256(label + data).digest())


def _bytes_of(fact):
    """The 45 bytes of a fact's id: node, epoch, lane, seq, big-endian."""
    if fact.lane == "up":
        lane = bytes(17)
    else:
        lane = b"\x01" + uuid.UUID(fact.lane[len("down:"):]).bytes
    node = uuid.UUID(fact.node).bytes
    return node + fact.epoch.to_bytes(4, "big") + lane + fact.seq.to_bytes(8, "big")


def node_of_key(key):
    """The node whose first key this is."""
    return _named_by(b"hub node", key)


def employer(code):
    """The employer of an 18-digit code."""
    return str(uuid.uuid5(EMPLOYER_NAMESPACE, code))


def territory(code, year):
    """The territory of a division code in the list of a year."""
    return str(uuid.uuid5(TERRITORY_NAMESPACE, f"{code}@{year}"))


def unit_of_registration(fact):
    """A unit without code, named by its registration."""
    return _named_by(b"hub unit", _bytes_of(fact))


def union_of_first_fact(fact):
    """A union, named by the first fact about it."""
    return _named_by(b"hub branch", _bytes_of(fact))
