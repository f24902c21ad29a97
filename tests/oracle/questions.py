"""Questions that rest on each other: who had the word rests on enrolments, these on who had the word.

A question asked again while it is open is answered by what holds without it; an answer that rests on such a one is
right for who asked and is not kept.
"""

NEVER = 1 << 30


class Questions:
    """Keeps the answers of a class that asks itself."""

    def __init__(self):
        self._open = {}  # open questions with their depth
        self._lowest = NEVER  # the depth of the outermost open question that an answer met

    def is_open(self, question):
        """Whether a question is asked now; who hears so rests on it."""
        if question not in self._open:
            return False
        self._lowest = min(self._lowest, self._open[question])
        return True

    def ask(self, question, answer):
        """The answer to a question, and whether it may be kept."""
        depth = self._open[question] = len(self._open)
        outer, self._lowest = self._lowest, NEVER
        found = answer()
        del self._open[question]
        is_sure = self._lowest >= depth
        self._lowest = outer if is_sure else min(outer, self._lowest)
        return found, is_sure

    def kept(self, memory, key, answer):
        """The same for what is asked by no name: from memory, or found and kept there if it may be."""
        if key not in memory:
            found, is_sure = self.ask(object(), answer)
            if not is_sure:
                return found
            memory[key] = found
        return memory[key]
