"""S4: declared rates beside their numbers, on whole numbers (rules.md, "Declared figures")."""

import re

NUMBER = re.compile(r"(\d+)(?:\.(\d+))?([%‰]?)")


def follows(text, numerator, denominator):
    """Whether two numbers make the rate that a text states; none where it states none."""
    found = NUMBER.search(text)
    if found is None:
        return None
    whole, fraction, sign = found.group(1), found.group(2) or "", found.group(3)
    if not sign and not (whole == "0" or whole == "1" and not fraction.strip("0")):
        return None
    scale = {"%": 100, "‰": 1000, "": 1}[sign] * 10 ** len(fraction)
    stated = int(whole + fraction)
    if denominator <= 0:
        return False
    before, after = text[:found.start()], text[found.end():]
    if "超过" in before:
        return numerator * scale > stated * denominator
    if after.startswith("以上") or "不低于" in before:
        return numerator * scale >= stated * denominator
    cut_off = numerator * scale // denominator
    rounded = (2 * numerator * scale + denominator) // (2 * denominator)
    return stated in (cut_off, rounded)


def all_of(figures):
    """Every declared rate of a standing report: fact, text, whether it follows."""
    for form, period in sorted({key[:2] for key in figures.series}):
        for _, report in figures.standing(form, period):
            values = {value["element"]: value["value"] for value in report.body["values"]}
            for rate in report.body["rates"]:
                numbers = values.get(rate["numerator"]), values.get(rate["denominator"])
                if None not in numbers:
                    found = follows(rate["text"], *numbers)
                    if found is not None:
                        yield report.id, rate["text"], found
