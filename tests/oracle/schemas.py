"""What the oracle takes from `schemas/`: parameters, definitions, and which kinds may name a future day."""

import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def _json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


POLICY = _json("policy.json")
INDICATORS = _json("indicators.json")
CATALOG = _json("catalog.json")


def _announcements():
    """Kinds that facts.md calls announcements, those it calls occurrences."""
    text = (FOLDER / "facts.md").read_text(encoding="utf-8")
    kinds = {"announcement": set(), "occurrence": set()}
    for part in text.split("\n### ")[1:]:
        name = part.split("\n", 1)[0].strip()
        found = re.search(r"^- (announcement|occurrence)$", part, re.MULTILINE)
        if found:
            kinds[found.group(1)].add(name)
    return kinds["announcement"], kinds["occurrence"]


ANNOUNCEMENTS, OCCURRENCES = _announcements()

LEVELS = ["province", "city", "county", "township", "enterprise"]
EVIDENCE = POLICY["evidence_weakest_first"]
KIND_RANK = POLICY["union_kind_rank"]
NOT_GRASSROOTS = set(POLICY["not_grassroots"])
DUE = POLICY["founding_due_employees"]
GRACE = POLICY["on_time_grace_days"]
DOUBT_DAYS = POLICY["auto_case_doubt_days"]
MEMBERS_ELEMENT = next(element["id"] for element in CATALOG["elements"]
                       if "members.all" in element.get("registry", []))
FIRST_JOINED = 1  # codes.md, attributes

DAY_MS = 86_400_000
HAND_OVER = (POLICY["hand_over_days"] * DAY_MS) << 16
SIZES = (("units.due", "covered.due", DUE), ("units.50", "covered.50", 50),
         ("units.100", "covered.100", 100))
BANDS = ((0, "0-24"), (25, "25-49"), (50, "50-99"), (100, "100-999"), (1000, "1000-"))
OPEN = 1 << 40  # a day after all days
