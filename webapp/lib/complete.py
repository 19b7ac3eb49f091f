"""Tables with one row for each key: what is forgotten is named when the table is imported, not when it is needed."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Row = TypeVar("Row")


def complete(name: str, keys: Iterable[Key], rows: Mapping[Key, Row]) -> Mapping[Key, Row]:
    """The rows, once it is sure that each of these keys has one and that there is no other.

    Raises LookupError with the name of the table and those keys that have none, or that nobody knows.
    """
    known = list(keys)
    missing = ", ".join(str(key) for key in known if key not in rows)
    unknown = ", ".join(str(key) for key in rows if key not in known)
    if missing:
        raise LookupError(f"{name} has no row for {missing}")
    if unknown:
        raise LookupError(f"{name} has a row for {unknown}, which nobody knows")
    return rows
