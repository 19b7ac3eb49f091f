"""Error descriptions: what may leave this site about an error. The text of our programs, and no value that they hold.

Messages of exceptions and of the log repeat what people typed: IntegrityError has the row in it, and Flask the path. So
a message is kept only where it stands as it is in the program that raised or logged it; then nobody typed it. Of a
traceback there are files, functions, lines and their source, and no variables.
"""

import logging
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from linecache import getline
from pathlib import Path
from traceback import walk_tb
from types import CodeType, FrameType, TracebackType

from webapp.lib import logs

ROOT = Path(__file__).parent.parent.parent
LIBRARIES = re.compile(r".*/(?:site-packages|dist-packages|lib/python3[.\d]*)/")
OURS = ("webapp/", "tasks/", "templates/")
MOST_CAUSES = 5
MOST_FRAMES = 30  # of one traceback: the outermost and the innermost
CALLERS = 24  # frames above the handler, in which the words of a record are looked for
LONGEST_WORDS = 200  # characters
LONGEST_PATH = 150


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of a traceback: where it is, and the source there."""

    path: str
    function: str
    line: int
    source: str

    @property
    def is_ours(self) -> bool:
        """Whether it is in the code of this site."""
        return self.path.startswith(OURS)


@dataclass(frozen=True, slots=True)
class Cause:
    """One exception of a chain: its type, its words where they are the program's own, and its frames."""

    type: str
    words: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes two errors the same: the logger and its words, the exception, and the innermost line of ours."""

    logger: str
    words: str
    type: str = ""
    place: str = ""

    @property
    def digest(self) -> str:
        """The kind in 32 characters."""
        return blake2b("\0".join((self.logger, self.words, self.type, self.place)).encode(), digest_size=16).hexdigest()

    @property
    def title(self) -> str:
        """The kind in a line, which fits into a subject."""
        what = self.type or self.words or f"An error of {self.logger}"
        return logs.shorten(f"{what} in {self.place}" if self.place else what, LONGEST_WORDS)


@dataclass(frozen=True, slots=True)
class Description:
    """All that is told of one error. The causes begin with what was raised first."""

    kind: Kind
    level: str
    fields: dict[str, str] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()


def kind_of(record: logging.LogRecord) -> Kind:
    """The kind of an error, in the thread that logs it. Costs some microseconds, however long its message is."""
    error = record.exc_info[1] if record.exc_info else None
    place = _innermost(error.__traceback__) if error else _place(record.pathname, record.lineno)
    return Kind(logs.clean(record.name), _words(record), name_of(error) if error else "", place)


def describe(record: logging.LogRecord, kind: Kind, fields: dict[str, str]) -> Description:
    """All that may be told of an error. Reads the source, so it costs about a millisecond."""
    error = record.exc_info[1] if record.exc_info else None
    return Description(kind, record.levelname, fields, causes_of(error))


def causes_of(error: BaseException | None) -> tuple[Cause, ...]:
    """An exception and what led to it, the first one first; nothing for none. Reads the source."""
    return tuple(_cause(each) for each in _chain(error))


def _words(record: logging.LogRecord) -> str:
    """The message of a record, without its arguments; nothing unless it stands so in the code that logs it."""
    message, frame = record.msg, sys._getframe()
    if not isinstance(message, str):
        return ""
    for _ in range(CALLERS):
        if _has_literal(frame.f_code, message):
            return logs.clean(message, LONGEST_WORDS)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def _has_literal(code: CodeType, text: str) -> bool:
    return any(type(constant) is str and constant == text for constant in code.co_consts)


def _innermost(traceback: TracebackType | None) -> str:
    """The innermost line of ours; of a library's traceback, the innermost at all."""
    found = ours = ""
    for frame, line in walk_tb(traceback):
        path = _path(frame.f_code.co_filename)
        found = f"{path}:{line}"
        if path.startswith(OURS):
            ours = found
    return ours or found


def _place(path: str, line: int) -> str:
    return f"{_path(path)}:{line}"


@lru_cache(1000)
def _path(path: str) -> str:
    """A file by its place in this site, or in a library: where these are installed is nobody's business."""
    within = LIBRARIES.sub("", path) if "/lib/python" in path else path.removeprefix(f"{ROOT}/")
    return logs.clean(within if not within.startswith("/") else Path(within).name, LONGEST_PATH)


def path_of(frame: FrameType) -> str:
    """The file of a frame by its place in this site, or in a library."""
    return _path(frame.f_code.co_filename)


def name_of(error: BaseException) -> str:
    """The type of an exception, with its module."""
    of = type(error)
    return logs.clean(of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}")


def _chain(error: BaseException | None) -> list[BaseException]:
    """An exception and what led to it, as Python tells it; at most MOST_CAUSES, the first one first."""
    chain: list[BaseException] = []
    while error is not None and not any(error is each for each in chain) and len(chain) < MOST_CAUSES:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain[::-1]


def _cause(error: BaseException) -> Cause:
    walked = list(walk_tb(error.__traceback__))
    words = ""
    if walked and len(error.args) == 1 and type(error.args[0]) is str:
        words = error.args[0] if _has_literal(walked[-1][0].f_code, error.args[0]) else ""
    if len(walked) > MOST_FRAMES:
        walked = walked[: MOST_FRAMES // 2] + walked[-MOST_FRAMES // 2 :]
    return Cause(name_of(error), logs.clean(words, LONGEST_WORDS), tuple(_frames(walked)))


def _frames(walked: list[tuple[FrameType, int]]) -> Iterator[Frame]:
    for frame, line in walked:
        code = frame.f_code
        source = logs.clean(getline(code.co_filename, line).strip(), LONGEST_WORDS)
        yield Frame(_path(code.co_filename), logs.clean(code.co_qualname, LONGEST_WORDS), line, source)
