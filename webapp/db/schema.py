"""How the database's schema stands to this code's migrations.

A migration is known by its name. So `0016_mine` and `0016_theirs` are both applied, in the order of their numbers and
then of their names; and one that comes later with a smaller number is applied, too.
"""

from webapp.db.migration_runner import migrations


def pending() -> list[str]:
    """The migrations that `migrate` would apply, in order."""
    return [name for name, standing in status() if standing == "pending"]


def unknown() -> list[str]:
    """The applied migrations that this code does not have: a later release's, or another branch's."""
    return [name for name, standing in status() if standing == "unknown"]


def status() -> list[tuple[str, str]]:
    """Each migration with its status: "applied", "pending", or "unknown" where only the database has it."""
    return [
        (found.name, "pending" if not found.applied else "unknown" if found.path is None else "applied")
        for found in migrations().status()
    ]
