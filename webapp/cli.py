"""Commands for operators: `flask --app webapp.wsgi …`."""

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from tasks.engine.retention import purge
from tasks.queue import huey
from webapp import db
from webapp.db import schema
from webapp.db.backup import CannotBackUp, back_up
from webapp.db.startup import or_one_line
from webapp.models import restore


def init_app(app: Flask) -> None:
    """Add Errand's commands to Flask's."""
    app.cli.add_command(migrate)
    app.cli.add_command(backup)
    app.cli.add_command(tasks)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing, and exit with 1 if there is something to apply.")
@click.option("--list", "listing", is_flag=True, help="Change nothing, and list all migrations.")
@click.option("--down", metavar="N|NAME", help="Take back the last N migrations, or all back through this one.")
@click.option("--yes", is_flag=True, help="Do not ask whether what --down deletes may go.")
def migrate(check: bool, listing: bool, down: str | None, yes: bool) -> None:
    """Bring the schema of the database and of the queue up to date. Safe to run twice, and by two at once.

    A schema that is newer than this code is left alone.
    """
    if check + listing + (down is not None) > 1:
        raise click.UsageError("--check, --list and --down exclude each other")
    with or_one_line():
        if down is not None:
            _take_back(down, yes)
        elif listing:
            for name, standing in schema.status():
                click.echo(f"{standing:8} {name}")
        elif check:
            if names := schema.pending():
                raise click.ClickException(f"the schema is behind this code: {', '.join(names)} to apply, by migrate")
            click.echo(_in_words())
        else:
            applied = db.migrate(huey.create_tables)
            for name in applied:
                click.echo(f"Applied {name}")
            if schema.unknown() or not applied:
                click.echo(_in_words())


def _in_words() -> str:
    """How the schema is, where nothing is to be applied."""
    if names := schema.unknown():
        return f"The schema is newer than this code, which goes on with it as it is: {', '.join(names)}"
    return "The schema is what this code needs."


def _take_back(down: str, yes: bool) -> None:
    try:
        names = schema.last(down)
        for name, gone in schema.losses(names).items():
            click.echo(f"{name}: {'deletes ' + ', '.join(gone) if gone else 'deletes nothing'}")
        if not yes:
            click.confirm("Take back, with all that is in what is deleted?", abort=True)
        schema.take_back(names)
    except schema.CannotGoBack as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Took back {len(names)}. Start the code of before now: this code's migrate would apply them again.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Take the place of the backup that is there.")
@with_appcontext
def backup(folder: Path, overwrite: bool) -> None:
    """Copy the database, as it is now, and the secret key into a new FOLDER, while the site runs."""
    try:
        with or_one_line():
            names = back_up(current_app.config["SETTINGS"], folder, overwrite)
    except CannotBackUp as error:
        raise click.ClickException(f"no backup was made: {error}") from error
    click.echo(f"Backed up to {folder}: {', '.join(names)}")
    if "secret_key" not in names:
        click.echo("Keep SECRET_KEY of this environment besides.")


tasks = AppGroup("tasks", help="Look after the tasks.")


@tasks.command("purge")
def purge_tasks() -> None:
    """Delete what is older than RETENTION_DAYS and ARTIFACT_DAYS allow. Workers do so every hour by themselves."""
    with or_one_line(), db.without_deadlines():
        deleted = purge()
    click.echo(f"Purged {deleted} finished tasks and expired artifacts")


@tasks.command("cancel-all")
@click.confirmation_option("--yes", prompt="Cancel everybody's tasks, and send no mail that is due?")
def cancel_all() -> None:
    """In a restored backup, before its worker starts: cancel all that waits, ran or is due, and its mails."""
    with or_one_line(), db.without_deadlines():
        canceled = restore.cancel_all()
    click.echo(f"Canceled {canceled} tasks; their owners can try them again")
