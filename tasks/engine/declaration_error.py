"""DeclarationError: a task function that cannot work keeps a process from starting, with one line that says why."""

import inspect
from pathlib import Path

from webapp.lib.environment import CannotStart

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class DeclarationError(CannotStart, TypeError):
    """A task function that can never work. One line: its file and line, the mistake, and what to write instead."""

    def __init__(self, body: object, words: str) -> None:
        name = getattr(body, "__name__", None) or getattr(body, "name", repr(body))
        super().__init__(f"{place(body)}: {name}: {' '.join(words.split())}")


def place(body: object) -> str:
    """The file and the line of a function; of anything else, those where it was declared or listed."""
    code = getattr(inspect.unwrap(body) if callable(body) else body, "__code__", None)
    if code is not None:
        return f"{_short(code.co_filename)}:{code.co_firstlineno}"
    frame = inspect.currentframe()
    while frame and Path(frame.f_code.co_filename).is_relative_to(HERE):
        frame = frame.f_back
    return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""


def _short(path: str) -> str:
    return str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else path
