"""Scanning: a place in a decoded text, from which to read on up to what a pattern finds, and to which to come back."""

import re

from tasks.lib.decoding import Text

LONGEST = 131_072  # characters of a row or an item that are kept; the rest is passed over


class Scanner:
    """Reads a text from one place on. `kept` is what was read since `keep_anew`, and is never longer than LONGEST."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self.keep_anew()
        self.go_to((0, 0))

    @property
    def place(self) -> tuple[int, int]:
        """Where it is."""
        return self._number, self._at

    def go_to(self, place: tuple[int, int]) -> None:
        """Go on from a place where it has been."""
        self._number, self._at = place
        self._piece = self._text.piece(self._number) or ""

    def keep_anew(self) -> None:
        """Forget what was kept."""
        self._kept: list[str] = []
        self._room = LONGEST

    @property
    def is_too_long(self) -> bool:
        """Whether more was read than is kept."""
        return self._room < 0

    def keep(self, text: str) -> None:
        """Add a text to what is kept."""
        self._room -= len(text)
        if self._room >= 0:
            self._kept.append(text)

    def kept(self) -> str:
        """What was read."""
        return "".join(self._kept)

    def pass_over(self, pattern: re.Pattern[str]) -> str:
        """Pass what the pattern matches here, which may be nothing, and return it; never more than is at hand."""
        found = pattern.match(self._piece, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]

    def line(self) -> str | None:
        """The rest of the line without its end, if it is at hand and within the limit; else None, nothing read."""
        end = self._piece.find("\n", self._at)
        if end < 0 or end - self._at > LONGEST:
            return None
        line, self._at = self._piece[self._at : end], end + 1
        return line

    def up_to(self, pattern: re.Pattern[str]) -> str:
        """Keep what comes before the pattern, pass that, and return it; an empty string at the end of the text.

        The pattern is one character, so that no piece cuts it.
        """
        while True:
            if found := pattern.search(self._piece, self._at):
                self.keep(self._piece[self._at : found.start()])
                self._at = found.end()
                return found[0]
            self.keep(self._piece[self._at :])
            self._at = len(self._piece)
            if not self.next_is():
                return ""

    def next_is(self) -> str:
        """The next character, which is not passed by this; an empty string at the end."""
        while self._at >= len(self._piece):
            piece = self._text.piece(self._number + 1)
            if piece is None:
                return ""
            self._number, self._at, self._piece = self._number + 1, 0, piece
        return self._piece[self._at]

    def skip(self) -> None:
        """Pass the character that is next."""
        self._at += 1
