"""`flask migrate`: the schema of the database and the queue."""

import click

from tasks.queue import huey
from webapp import db
from webapp.db import rollback, schema
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if there are migrations to apply.")
@click.option("--list", "listing", is_flag=True, help="Change nothing; list all migrations.")
@click.option("--down", metavar="N|NAME", help="Roll back the last N migrations, or all back through NAME.")
@click.option("--yes", is_flag=True, help="Skip the confirmation of what --down deletes.")
def migrate(check: bool, listing: bool, down: str | None, yes: bool) -> None:
    """Bring the schema of the database and the queue up to date. Safe to run twice, and by two processes at once.

    A schema that is newer than this release is left alone.
    """
    if check + listing + (down is not None) > 1:
        raise click.UsageError("--check, --list, and --down can't be combined")
    with or_one_line():
        if down is not None:
            _roll_back(down, yes)
        elif listing:
            for name, standing in schema.status():
                click.echo(f"{standing:8} {name}")
        elif check:
            if names := schema.pending():
                raise click.ClickException(
                    f"the schema is older than this release; run migrate to apply {', '.join(names)}"
                )
            click.echo(_in_words())
        else:
            applied = db.migrate(huey.create_tables)
            for name in applied:
                click.echo(f"Applied {name}")
            if schema.unknown() or not applied:
                click.echo(_in_words())


def _in_words() -> str:
    """The state of the schema where no migration is pending."""
    if names := schema.unknown():
        return f"The schema is newer than this release, which can work with it: {', '.join(names)}"
    return "The schema is up to date."


def _roll_back(down: str, yes: bool) -> None:
    try:
        names = rollback.last(down)
        for name, gone in rollback.losses(names).items():
            click.echo(f"{name}: {'deletes ' + ', '.join(gone) if gone else 'deletes nothing'}")
        if not yes:
            click.confirm("Roll back, and delete what is listed above?", abort=True)
        rollback.roll_back(names)
    except rollback.CannotRollBack as error:
        raise click.ClickException(str(error)) from error
    done = ngettext("Rolled back %(num)s migration.", "Rolled back %(num)s migrations.", len(names))
    click.echo(f"{done} Now start the previous release: this one's migrate would apply what was rolled back again.")
