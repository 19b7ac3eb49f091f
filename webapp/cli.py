"""Commands for operators: `flask --app webapp.wsgi …`."""

import click
from flask import Flask

from tasks.queue import huey
from webapp import database


def init_app(app: Flask) -> None:
    """Add Errand's commands to Flask's."""
    app.cli.add_command(migrate)


@click.command()
def migrate() -> None:
    """Bring the schema of the database and of the queue up to date. Safe to run twice, and by two at once."""
    for name in database.migrate(huey.create_tables):
        click.echo(f"Applied {name}")
