"""The oracle: reads histories as exports with questions, folds each naively, says where it differs.

Standard input: for each history the lines of an export (schemas/export.md), then lines
`{"question": …, "answer": …}`, then `{"end": true}`. Standard output: one line of JSON a history.
"""

import json
import sys

from compare import Comparison
from log import Log


def main():
    """Judges history after history until the input ends."""
    log, questions = None, []
    for text in sys.stdin:
        line = json.loads(text)
        if "fact" in line:
            log.take_fact(line["fact"])
        elif "block" in line:
            log.take_block(line["block"])
        elif "export" in line:
            log, questions = Log(line["export"]), []
        elif "question" in line:
            questions.append(line)
        elif "end" in line:
            print(json.dumps(Comparison(log, questions).reply(), ensure_ascii=False), flush=True)


main()
