"""The environment: typed values of variables, and all that is wrong with them at once.

What validates settings elsewhere, such as pydantic-settings, repeats a wrong value in its message, though it may hold a
password, and ignores a variable whose name is misspelled.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from urllib.parse import urlsplit

ALIKE = 0.85  # of two names, by difflib: a letter or two too many, too few, wrong or exchanged
SHORTEST_NAME = 8  # characters; shorter ones are like too many others


class CannotStart(Exception):
    """Why no process of this site can start as it is: what a command says before it exits, and needs no traceback."""

    @property
    def report(self) -> str:
        """What a command says before it exits."""
        return str(self)


class SettingsError(CannotStart, ValueError):
    """Settings that cannot work. Each of `problems` is one line that names the variable and what it takes."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    @property
    def report(self) -> str:
        """What a command says before it exits: a line for each problem."""
        return "\n".join(complaint(problem) for problem in self.problems)


def complaint(problem: str) -> str:
    """A line that a command says before it exits."""
    return f"errand: {problem}"


class Reader:
    """Reads variables; an empty one counts as unset. What is wrong is remembered, and `finish` raises it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._known: set[str] = set()
        self._integers: dict[str, int] = {}
        self.problems: list[str] = []

    def problem(self, name: str, what: str) -> None:
        """Remember one line about a variable."""
        self.problems.append(f"{name} {what}")

    def text(self, name: str, default: str = "") -> str:
        """What a variable says, or the default where it says nothing."""
        self._known.add(name)
        return self._env.get(name, "").strip() or default

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.text(name)
        self._integers[name] = default
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and low <= int(value[:20]) <= high):
            self.problem(name, f"must be a whole number from {low} to {high}, not {value[:40]!r}")
            return default
        self._integers[name] = int(value)
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Whether a variable says yes, in one of the usual words."""
        value = self.text(name).lower()
        if value in {"", "1", "true", "yes", "on"}:
            return bool(value) or default
        if value not in {"0", "false", "no", "off"}:
            self.problem(name, f"must be 1 or 0, not {value[:40]!r}")
        return False

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of some words, in capitals or not."""
        value = self.text(name, default)
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        self.problem(name, f"must be one of {', '.join(choices)}, not {value[:40]!r}")
        return default

    def address(self, name: str, schemes: Sequence[str], what: str = "") -> str:
        """An address with one of these schemes and a host; it may hold a password, so no message repeats it."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
            _ = parts.port  # is parsed only when asked for
        except ValueError:  # which repeats a part of it
            self.problem(name, "is not a valid address: its port is wrong, or it has characters to percent-encode")
            return ""
        if not value or (parts.scheme in schemes and (parts.netloc or parts.scheme == "sqlite")):
            return value
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        self.problem(name, f"must be {what}" if what else f"must start with {begin}, followed by a host")
        return ""

    def compare(self, name: str, other: str, times: int, why: str) -> None:
        """`name` must be at most so many times `other`, whether these are set or have their defaults."""
        if self._integers[name] > times * self._integers[other]:
            at_most = other if times == 1 else f"{times} times {other}"
            self.problem(name, f"must not be more than {at_most}: {why}")

    def finish(self) -> None:
        """Raise SettingsError if anything is wrong, or if a variable that is not set is there under a name like its."""
        unset = [name for name in self._known if len(name) >= SHORTEST_NAME and not self._env.get(name)]
        others = {name for name in self._env if "_" in name}  # LOGLEVEL and the like are other programs'
        for name in sorted(others - self._known):
            for meant in get_close_matches(name, unset, 1, ALIKE):
                self.problem(name, f"is not a setting: did you mean {meant}?")
        if self.problems:
            raise SettingsError(*self.problems)
