"""Ids of elements: the one place where they are spelled."""

from typing import Any


def dom_id(record: Any, part: str | None = None) -> str:
    """The id of a record's element, like `task-6f1c…`, or of a part of it, like `task-6f1c…-progress`."""
    name = f"{type(record).__name__.lower()}-{record.id}"
    return f"{name}-{part}" if part else name
