"""Commands for operators: `flask --app webapp.wsgi …`."""

import click
from flask import Flask
from flask.cli import AppGroup

from tasks.engine.purge import purge
from tasks.queue import huey
from webapp import database
from webapp.starting import or_one_line


def init_app(app: Flask) -> None:
    """Add Errand's commands to Flask's."""
    app.cli.add_command(migrate)
    app.cli.add_command(tasks)


@click.command()
def migrate() -> None:
    """Bring the schema of the database and of the queue up to date. Safe to run twice, and by two at once."""
    with or_one_line():
        for name in database.migrate(huey.create_tables):
            click.echo(f"Applied {name}")


tasks = AppGroup("tasks", help="Look after the tasks.")


@tasks.command("purge")
def purge_tasks() -> None:
    """Delete what is older than RETENTION_DAYS and ARTIFACT_DAYS allow. Workers do so every hour by themselves."""
    with or_one_line(), database.without_deadlines():
        deleted = purge()
    click.echo(f"Purged {deleted} finished tasks and expired artifacts")
