"""The rules that decide: every count is kept under one of these names, and none may stay at zero."""

from schemas import ANNOUNCEMENTS, OCCURRENCES


VERDICTS = [
    "stands", "withdrawn", "parked, no authority", "parked, after a cut", "parked, unknown subject",
    "parked, dated after its own clock", "parked, closes a cycle", "parked, parent level not higher",
    "parked, already succeeded", "parked, no claim", "parked, mixed sides", "parked, fork not settled",
    "parked, other side of a fork counts",
]

AUTHORITY = [
    "fork: a side counts", "fork: suspended",
    "served-by: in the hand-over", "served-by: through a succession", "taken back by its writer",
    "taken back by another node", "moved: one registration of several", "restated", "restated astray",
]

MEMBERS = [
    "M1: taken over, auto", "M1: taken over, clean", "M1: takeover confirmed", "M1: death",
    "M1: void claim", "M2: retained of higher kind stays", "M2: tie", "M3: objected out",
    "M3: objection without effect", "M3, M4: takeover undone", "M4: claim ruled out",
    "M4: ruling lapsed", "M4: ruling replaced", "M4: winner opens again",
    "M4: ruling in force over claim", "M4: ruling in force over registration",
    "M4: ruling in force over branch", "M6: rekeyed", "M7: mass takeover",
    "M7: not from outside, or no more than its host employs", "M8: unqualified", "case: foreign-death",
    "case: objection-without-effect", "case: dual-membership", "case: duplicate-branch",
    "case: orphan-end", "status: active", "status: retained", "status: disputed",
    "status: secondary", "status: in_transit", "status: kept", "status: overruled",
]

PLACES = [
    "M5: reached", "M5: beyond reach", "M5: at the employer's own union", "M5: employer closed",
    "M5: unplaced", "M5: blank employer is the host", "F1: founded and approved", "F3: covered twice",
    "F4: second own union", "F5: placed in the union it merged into", "F6: overdue election",
    "U1: ruled", "U1: counts", "U1: counted last", "U1: earliest", "U2: boundaries of another day",
    "U3: own union ends with its host", "U4: members left unplaced",
    "U4: what was named stands at an ancestor", "U4: one follows one", "U4: inherited",
]

NUMBERS = [
    "S1: a report stands", "S2: own figure left out", "S2: residual figure left out",
    "S3: declared beside registry", "reporting: on time", "rate: base too small", "rate: derived",
    "rate: no base", "rate: no data", "doubt: headcount unknown", "doubt: lately taken over",
    "doubt: person", "doubt: unit of two parents", "doubt: women", "known at: a checkpoint",
    "known at: refused", "answer: by child", "answer: by ownership", "answer: by industry",
    "answer: by headcount", "answer: by total",
    "answer: as declared", "answer: awaits agreement", "S4: follows", "S4: differs", "flow: new", "flow: in", "flow: resumed", "flow: out",
    "flow: retained", "flow: left", "flow: moved", "flow: holder_changed", "flow: corrected",
    "S5: published", "S5: not closed", "S5: no checkpoint", "S5: another digest", "S5: another view",
    "S5: another table", "S5: reorganisation", "S5: duplicate", "S5: ruling", "S5: correction", "S5: transfer",
    "S5: late", "S5: after a closing",
]

KINDS = ANNOUNCEMENTS | OCCURRENCES

ALL = [f"standing {kind}" for kind in sorted(KINDS)] + [f"verdict: {verdict}" for verdict in VERDICTS] + AUTHORITY + MEMBERS + PLACES + NUMBERS
