"""Errors as text, for a mail: what is told of one, with the traceback as Python writes it."""

from collections.abc import Iterator

from webapp.lib import logs
from webapp.lib.error_description import Cause, Description

LONGEST_TEXT = 8000  # characters
LONGEST_TRACEBACK = 16_000  # characters, mostly of ASCII
LEFT_OUT = "(its message is in the log alone)"
NAMES = {"request_id": "request", "task_id": "task", "kind": "task function"}  # of fields, as people say


def text_of(description: Description) -> str:
    """All that is told of an error, in lines."""
    return logs.shorten("\n".join(_lines(description)), LONGEST_TEXT)


def traceback_of(causes: tuple[Cause, ...]) -> str:
    """The traceback alone, in at most LONGEST_TRACEBACK characters; nothing for no causes."""
    lines = (line for cause in causes for line in ("", *_traceback(cause)))
    return logs.shorten("\n".join(lines).strip("\n"), LONGEST_TRACEBACK)


def _lines(of: Description) -> Iterator[str]:
    yield f"logger: {of.kind.logger} ({of.level})"
    if of.kind.words:
        yield f"message: {of.kind.words}"
    if of.kind.place and not of.causes:
        yield f"logged at: {of.kind.place}"
    for name, value in of.fields.items():
        yield f"{NAMES.get(name, name)}: {logs.clean(value)}"
    for cause in of.causes:
        yield ""
        yield from _traceback(cause)


def _traceback(cause: Cause) -> Iterator[str]:
    for frame in cause.frames:
        yield f"  {frame.path}:{frame.line} in {frame.function}"
        if frame.source:
            yield f"    {frame.source}"
    yield f"{cause.type}: {cause.words or LEFT_OUT}"
