"""Logging: lines as text for people or as JSON for programs, and the fields that each of them carries.

Every line has its level, logger and process, and the time unless the platform adds one. `context` adds fields, such as
the request or the run of a task, to every line that is logged meanwhile. No line has an API token, wherever it came
from.

The standard library does everything but the formatting; a JSON library would not limit or clean the lines.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TextIO

from webapp.lib.token_text import without_tokens

LONGEST_MESSAGE = 3000  # characters
LONGEST_EXCEPTION = 6000  # the beginning and the end: the cause is at one, its consequence at the other
LONGEST_FIELD = 500
LONGEST_ID = 128
LONGEST_JSON = 9500  # bytes; log shippers cut or split longer lines
QUIETER = ("huey", "flask-limiter", "flask_wtf.csrf")  # libraries; what they tell at INFO we log ourselves
ACCESS_OF_WERKZEUG = re.compile(r" - - \[\d\d/")

_context: ContextVar[dict[str, object]] = ContextVar("context", default={})  # noqa: B039 - never changed in place
_of_process: dict[str, object] = {}


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Add fields to every line that this thread logs within the block. Ids and numbers only: nothing private."""
    before = _context.set(_context.get() | fields)
    try:
        yield
    finally:
        _context.reset(before)


def bind(**fields: object) -> None:
    """Add fields to every line that this thread logs from now on, until `unbind`."""
    _context.set(_context.get() | fields)


def unbind() -> None:
    """Remove the fields of this thread."""
    _context.set({})


def request_id() -> str | None:
    """The id of the request for which this thread works, if it does and has said so; at most LONGEST_ID of it."""
    found = _context.get().get("request_id")
    return found[:LONGEST_ID] if isinstance(found, str) else None


def belong_to(**fields: object) -> None:
    """Add fields to every line of this process, and of those that it forks."""
    _of_process.update(fields)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line says besides its message, in the thread that logs it: of the process, of the context, and its own."""
    return _of_process | _context.get() | getattr(record, "fields", {})


class LogSettings(Protocol):
    """The settings of logging."""

    @property
    def log_level(self) -> str:
        """A level of the standard library."""

    @property
    def log_format(self) -> str:
        """`text` or `json`."""

    @property
    def log_times(self) -> bool:
        """Whether lines of text have a time."""


def configure(settings: LogSettings) -> None:
    """Log to standard error as the settings say, unless logging is already set up."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_Handler())
    ours = [handler for handler in root.handlers if isinstance(handler, _Handler)]
    if not ours:
        return
    root.setLevel(settings.log_level)
    for handler in ours:
        handler.setFormatter(formatter(settings))
    for name in QUIETER:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("werkzeug").addFilter(_is_no_access)  # of the development server; `access_log` tells more


def formatter(settings: LogSettings) -> logging.Formatter:
    """The formatter that the settings ask for."""
    return _Json() if settings.log_format == "json" else _Text(with_time=settings.log_times)


def clean(text: str, most: int = LONGEST_FIELD) -> str:
    """A text on one line, with control characters escaped, so that it cannot forge another line; and without tokens."""
    text = shorten(without_tokens(text), most)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, most: int) -> str:
    """The text, or only its beginning and end if it is longer than `most` characters."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


class _Handler(logging.StreamHandler[TextIO]):
    """The handler that `configure` adds."""


class _Formatter(logging.Formatter):
    def _about(self, record: logging.LogRecord) -> dict[str, object]:
        """The fields of the line."""
        return {
            name: value if isinstance(value, (int, float)) else clean(str(value))
            for name, value in fields_of(record).items()
            if value is not None
        }

    def _lines_of_exception(self, record: logging.LogRecord) -> list[str]:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        text = without_tokens("\n".join(filter(None, (record.exc_text, record.stack_info))))
        return [clean(line, LONGEST_EXCEPTION) for line in shorten(text, LONGEST_EXCEPTION).split("\n")] if text else []


class _Text(_Formatter):
    """A line for people. Tracebacks are indented: what begins at the margin is a line of ours."""

    def __init__(self, with_time: bool) -> None:
        super().__init__()
        self._with_time = with_time

    def format(self, record: logging.LogRecord) -> str:
        when = f"{_time(record)} " if self._with_time else ""
        message = clean(record.getMessage(), LONGEST_MESSAGE)
        about = "".join(f" {name}={value}" for name, value in self._about(record).items())
        first = f"{when}{record.levelname} {record.process} {record.name}: {message}{about}"
        return "\n    ".join([first, *self._lines_of_exception(record)])


class _Json(_Formatter):
    """One object a line, of LONGEST_JSON bytes at most."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": clean(record.getMessage(), LONGEST_MESSAGE),
            **getattr(record, "parts", {}),  # the parts of the message
            **self._about(record),
        }
        if lines := self._lines_of_exception(record):
            line["exception"] = "\n".join(lines)
        text = json.dumps(line, ensure_ascii=False)
        while len(text.encode()) > LONGEST_JSON:
            longest = max(line, key=lambda name: len(str(line[name])))
            line[longest] = shorten(str(line[longest]), len(str(line[longest])) // 2)
            text = json.dumps(line, ensure_ascii=False)
        return text


def _time(record: logging.LogRecord) -> str:
    seconds, milliseconds = divmod(int(record.created * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


def _is_no_access(record: logging.LogRecord) -> bool:
    return not ACCESS_OF_WERKZEUG.search(record.getMessage())
