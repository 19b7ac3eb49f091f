"""Commands for operators: `flask --app webapp.wsgi …`."""

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from tasks.engine.retention import purge
from tasks.queue import huey
from webapp import db, error_reporting
from webapp.db import rollback, schema
from webapp.db.backup import CannotBackUp, back_up
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.models import restore


def init_app(app: Flask) -> None:
    """Add Errand's commands to Flask's."""
    app.cli.add_command(migrate)
    app.cli.add_command(backup)
    app.cli.add_command(tasks)
    app.cli.add_command(errors)


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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace an existing backup.")
@with_appcontext
def backup(folder: Path, overwrite: bool) -> None:
    """Copy the database as it is now, and the secret key, into a new FOLDER while the site runs."""
    try:
        with or_one_line():
            settings = current_app.config["SETTINGS"]
            names = back_up(folder, settings.data_dir, settings.secret_key, overwrite)
    except CannotBackUp as error:
        raise click.ClickException(f"no backup was made: {error}") from error
    click.echo(f"Backed up to {folder}: {', '.join(names)}")
    if "secret_key" not in names:
        click.echo("SECRET_KEY is not included: keep it safe separately.")


tasks = AppGroup("tasks", help="Manage tasks.")


@tasks.command("purge")
def purge_tasks() -> None:
    """Delete what is older than RETENTION_DAYS and ARTIFACT_DAYS. Workers also do this every hour."""
    with or_one_line(), db.without_deadlines():
        deleted = purge()
    click.echo(ngettext("Purged %(num)s task or artifact", "Purged %(num)s tasks and artifacts", deleted))


@tasks.command("cancel-all")
@click.confirmation_option("--yes", prompt="Cancel everyone's tasks and drop all email that is due?")
def cancel_all() -> None:
    """Cancel all unfinished tasks and due email of a restored backup. Run it before the worker starts."""
    with or_one_line(), db.without_deadlines():
        canceled = restore.cancel_all()
    words = "Canceled %(num)s task. Its owner can retry it.", "Canceled %(num)s tasks. Their owners can retry them."
    click.echo(ngettext(*words, canceled))


errors = AppGroup("errors", help="Try out how errors are reported.")


@errors.command("test")
def report_an_error() -> None:
    """Log an error on purpose, so that it comes to ADMINS, or to Sentry, as any other does."""
    settings = current_app.config["SETTINGS"]
    if not (settings.admins or settings.sentry_dsn):
        raise click.ClickException("errors are only logged here: neither ADMINS nor SENTRY_DSN is set")
    if not error_reporting.report_test(within=10):
        raise click.ClickException("the error was logged, but cannot be handed on: the log says why")
    if settings.sentry_dsn:
        click.echo("An error was logged, and is on its way to Sentry: look for it there.")
        return
    click.echo(f"An error was logged. A worker mails it to {', '.join(settings.admins)} within a minute.")
    click.echo("If you try again within an hour, the next email comes when the hour is over.")
