"""What was sought, in the texts in which it was found: marked, and cut out of what is long.

SQLite's `snippet` and PostgreSQL's `ts_headline` know nothing of our folding, by which it was found, and differ.
"""

from webapp.lib.tokenization import places


def pieces(text: str, sought: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is what was sought; together they are the text."""
    found, end = [], 0
    for start, stop in places(text, sought):
        if start >= end:  # one character may be folded to several, and found in each
            found += [(text[end:start], False), (text[start:stop], True)]
            end = stop
    return [piece for piece in [*found, (text[end:], False)] if piece[0]]


def excerpt(text: str, sought: str, length: int = 160) -> str:
    """At most so many characters of a text, with the first of what was sought in them."""
    first = next(iter(places(text, sought)), (0, 0))[0]
    start = 0 if len(text) <= length else max(0, first - length // 3)
    start = min(start, max(0, len(text) - length))
    return ("…" if start else "") + text[start : start + length].strip() + ("…" if start + length < len(text) else "")
