"""Reads environment variables as typed values, and reports everything that is wrong with them at once.

Libraries for this, such as pydantic-settings, repeat a wrong value in their message, though it may hold a password, and
ignore a variable whose name is misspelled.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from urllib.parse import urlsplit

SIMILARITY = 0.85  # of two names, by difflib: they differ by a letter or two
SHORTEST_NAME = 8  # characters; shorter names resemble too many others


class CannotStart(Exception):
    """No process of this site can start: a command exits with the message, without a traceback."""

    @property
    def report(self) -> str:
        """The text that a command prints before it exits."""
        return str(self)


class SettingsError(CannotStart, ValueError):
    """Invalid settings. Each of `problems` is one line that names a variable and what it accepts."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    @property
    def report(self) -> str:
        """The text that a command prints before it exits: a line for each problem."""
        return "\n".join(complaint(problem) for problem in self.problems)


def complaint(problem: str) -> str:
    """A line that a command prints before it exits."""
    return f"errand: {problem}"


class Reader:
    """Reads variables; an empty one counts as unset. It collects problems, and `finish` raises them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._known: set[str] = set()
        self._integers: dict[str, int] = {}
        self.problems: list[str] = []

    def problem(self, name: str, what: str) -> None:
        """Add a problem: a line about a variable."""
        self.problems.append(f"{name} {what}")

    def text(self, name: str, default: str = "") -> str:
        """The value of a variable without surrounding spaces, or the default."""
        self._known.add(name)
        return self._env.get(name, "").strip() or default

    def integer(self, name: str, default: int, low: int, high: int, or_zero: bool = False) -> int:
        """A whole number from `low` to `high`, or 0 where that is allowed besides."""
        value = self.text(name)
        self._integers[name] = default
        if not value:
            return default
        is_whole = value.isascii() and value.isdigit()
        if not (is_whole and (low <= int(value[:20]) <= high or (or_zero and not int(value[:20])))):
            zero = " or 0" if or_zero else ""
            self.problem(name, f"must be a whole number from {low} to {high}{zero}, not {value[:40]!r}")
            return default
        self._integers[name] = int(value)
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Whether a variable is on: 1, true, yes, on, or 0, false, no, off."""
        value = self.text(name).lower()
        if value in {"", "1", "true", "yes", "on"}:
            return bool(value) or default
        if value not in {"0", "false", "no", "off"}:
            self.problem(name, f"must be 1 or 0, not {value[:40]!r}")
        return False

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of the choices, in upper or lower case."""
        value = self.text(name, default)
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        self.problem(name, f"must be one of {', '.join(choices)}, not {value[:40]!r}")
        return default

    def address(self, name: str, schemes: Sequence[str], what: str = "") -> str:
        """A URL with one of these schemes and a host; it may hold a password, so no message repeats it."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
            _ = parts.port  # parsed only on access, and may raise
        except ValueError:  # its message repeats a part of the URL
            self.problem(name, "is not a valid address: its port is wrong, or it has characters to percent-encode")
            return ""
        if not value or (parts.scheme in schemes and (parts.netloc or parts.scheme == "sqlite")):
            return value
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        self.problem(name, f"must be {what}" if what else f"must start with {begin}, followed by a host")
        return ""

    def compare(self, name: str, other: str, times: int, why: str) -> None:
        """Require `name` to be at most `times` times `other`, whether these are set or have their defaults."""
        if self._integers[name] > times * self._integers[other]:
            at_most = other if times == 1 else f"{times} times {other}"
            self.problem(name, f"must not be more than {at_most}: {why}")

    def finish(self) -> None:
        """Raise SettingsError if there are problems, or a variable whose name looks like a misspelled setting."""
        unset = [name for name in self._known if len(name) >= SHORTEST_NAME and not self._env.get(name)]
        others = {name for name in self._env if "_" in name}  # those without, such as LOGLEVEL, are other programs'
        for name in sorted(others - self._known):
            for meant in get_close_matches(name, unset, 1, SIMILARITY):
                self.problem(name, f"is not a setting: did you mean {meant}?")
        if self.problems:
            raise SettingsError(*self.problems)
