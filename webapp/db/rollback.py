"""Rolling migrations back: which ones, what that deletes, and doing it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from peewee import Database, SqliteDatabase
from playhouse.migrations import Migration, Runner

from webapp.db.migration_runner import changing_schema, migrations
from webapp.lib.i18n import ngettext


class CannotRollBack(Exception):
    """Why migrations cannot be rolled back, in words; nothing was changed."""


def last(count_or_name: str) -> list[str]:
    """The applied migrations from the latest back: so many of them, or all back through a name; the latest first.

    The beginning of a name is enough if only one migration has it, as in 0016. Raises CannotRollBack if there are not
    so many or none of that name, and if one of them has no `down` or is not this code's.
    """
    applied = [migration for migration in migrations().status() if migration.applied]
    applied.reverse()
    back = applied[: _count(applied, count_or_name)]
    for migration in back:
        if migration.path is None:
            raise CannotRollBack(f"{migration.name} is unknown to this release: use the release that has it")
        if not hasattr(migration.load(), "down"):
            raise CannotRollBack(f"{migration.name} can't be rolled back: restore a backup from before it")
    return [migration.name for migration in back]


def roll_back(names: list[str]) -> None:
    """Roll these migrations back, as `last` named them, all or none. The tables and columns that they made are lost.

    Raises CannotRollBack if the schema has changed since.
    """
    with changing_schema() as runner:
        if last(str(len(names))) != names:
            raise CannotRollBack("someone else has just changed the schema: check it again")
        runner.down(names[-1])


def losses(names: list[str]) -> dict[str, list[str]]:
    """The tables, and the columns as `table.column`, that are deleted as each of these migrations is rolled back.

    Found out on an empty database in memory: the site's own is neither touched nor locked.
    """
    db = SqliteDatabase(":memory:")
    runner, gone = Runner(db, migrations().directory), {}
    with _without_log():
        runner.up()
        for name in names:
            before = _columns(db)
            runner.down(name)
            gone[name] = list(_difference(before, _columns(db)))
    return gone


def _count(applied: list[Migration], count_or_name: str) -> int:
    if count_or_name.isascii() and count_or_name.isdigit() and not count_or_name.startswith("0"):
        if int(count_or_name[:9]) > len(applied):
            words = "only %(num)s migration can be rolled back", "only %(num)s migrations can be rolled back"
            raise CannotRollBack(ngettext(*words, len(applied)))
        return int(count_or_name[:9])
    names = [migration.name for migration in applied]
    found = [name for name in names if name == count_or_name] or [
        name for name in names if count_or_name and name.startswith(count_or_name)
    ]
    if len(found) != 1:
        what = f"matches several: {', '.join(reversed(found))}" if found else "is not an applied migration"
        raise CannotRollBack(f"{count_or_name!r} {what}; --list shows them all")
    return names.index(found[0]) + 1


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep the log from saying that migrations are applied and rolled back: the site's are not."""
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


def _columns(db: Database) -> dict[str, set[str]]:
    # A full-text index is no loss: it is built again from the texts.
    tables = [table for table in sorted(db.get_tables()) if "_search" not in table and "_terms" not in table]
    return {table: {column.name for column in db.get_columns(table)} for table in tables}
