"""The verdicts exports give, and kinds of facts that are judged alike (facts.md, "stated by")."""

STANDS = "stands"
NO_AUTHORITY = "no authority"
AFTER_CUT = "after a cut"
UNKNOWN = "unknown subject"
WRONG_ID = "wrong id"
PREMATURE = "dated after its own clock"
CYCLE = "closes a cycle"
WRONG_LEVEL = "parent level not higher"
ALREADY = "already succeeded"

# only nodes above state these about a unit's union
FROM_ABOVE = {"branch.approved", "branch.refused"}
# acts of the office that stated them, whatever unit they name
OF_OFFICES = {"unit.registered", "unit.moved", "unit.succeeded", "unit.rekeyed"}
SHAPES_THE_TREE = sorted(OF_OFFICES | {"governance.node_enrolled", "governance.node_revoked"})
AT_OR_ABOVE = {"figure.returned", "figure.approved", "figure.period_closed", "figure.target_set"}
