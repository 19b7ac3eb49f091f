"""How the schema stands to this code's migrations, and the way back.

A migration is known by its name. So `0016_mine` and `0016_theirs` are both applied, in the order of their numbers and
then of their names; and one that comes later with a smaller number is applied, too.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peewee import SqliteDatabase
from playhouse.migrations import Migration, Runner

from webapp.db import changing_schema, migrations
from webapp.lib.i18n import ngettext


class CannotGoBack(Exception):
    """Why migrations cannot be taken back, in words; nothing was changed."""


def pending() -> list[str]:
    """The migrations that `migrate` would apply, in order."""
    return [name for name, standing in status() if standing == "pending"]


def unknown() -> list[str]:
    """The migrations of the database that this code does not have, as it is older, or another's."""
    return [name for name, standing in status() if standing == "unknown"]


def status() -> list[tuple[str, str]]:
    """Each migration with how it stands: "applied", "pending", or "unknown" where only the database has it."""
    return [
        (found.name, "pending" if not found.applied else "unknown" if found.path is None else "applied")
        for found in migrations().status()
    ]


def last(count_or_name: str) -> list[str]:
    """The applied migrations from the latest back through so many, or through a name; the latest first.

    A name may be cut short where its beginning says enough, as in 0016. Raises CannotGoBack when there are not so many
    or there is none of that name, and when one of them has no way back or is not this code's.
    """
    applied = [migration for migration in migrations().status() if migration.applied]
    applied.reverse()
    back = applied[: _how_many(applied, count_or_name)]
    for migration in back:
        if migration.path is None:
            raise CannotGoBack(f"{migration.name} is unknown to this release: use the release that has it")
        if not hasattr(migration.load(), "down"):
            raise CannotGoBack(f"{migration.name} can't be rolled back: restore a backup from before it")
    return [migration.name for migration in back]


def take_back(names: list[str]) -> None:
    """Take these migrations back, as `last` named them, all or none. What they made is lost, with what is in it.

    Raises CannotGoBack when the schema has changed since.
    """
    with changing_schema() as runner:
        if last(str(len(names))) != names:
            raise CannotGoBack("someone else has just changed the schema: check it again")
        runner.down(names[-1])


def losses(names: list[str]) -> dict[str, list[str]]:
    """What goes when these migrations are taken back, for each: tables, and columns as `table.column`.

    It is tried out on an empty database in memory, so that nothing of the site's is touched or locked.
    """
    db = SqliteDatabase(":memory:")
    runner, gone = Runner(db, migrations().directory), {}
    with _untold():
        runner.up()
        for name in names:
            before = _columns(db)
            runner.down(name)
            gone[name] = list(_difference(before, _columns(db)))
    return gone


def _how_many(applied: list[Migration], count_or_name: str) -> int:
    if count_or_name.isascii() and count_or_name.isdigit() and not count_or_name.startswith("0"):
        if int(count_or_name[:9]) > len(applied):
            words = "only %(num)s migration can be rolled back", "only %(num)s migrations can be rolled back"
            raise CannotGoBack(ngettext(*words, len(applied)))
        return int(count_or_name[:9])
    names = [migration.name for migration in applied]
    found = [name for name in names if name == count_or_name] or [
        name for name in names if count_or_name and name.startswith(count_or_name)
    ]
    if len(found) != 1:
        what = f"matches several: {', '.join(reversed(found))}" if found else "is not an applied migration"
        raise CannotGoBack(f"{count_or_name!r} {what}; --list shows them all")
    return names.index(found[0]) + 1


@contextmanager
def _untold() -> Iterator[None]:
    """The log would say that migrations are applied and taken back, which the site's are not."""
    log = logging.getLogger("peewee.migrations")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def _difference(before: dict[str, set[str]], after: dict[str, set[str]]) -> Iterator[str]:
    yield from (table for table in before if table not in after)
    for table in after:
        yield from (f"{table}.{column}" for column in sorted(before.get(table, set()) - after[table]))


def _columns(db: Any) -> dict[str, set[str]]:
    # An index of the full text is no loss: it is made of the texts again.
    tables = [table for table in sorted(db.get_tables()) if "_search" not in table and "_terms" not in table]
    return {table: {column.name for column in db.get_columns(table)} for table in tables}
