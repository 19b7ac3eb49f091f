"""Commands for operators: `flask --app webapp.wsgi …`, a file for each noun."""

from flask import Flask

from webapp.cli import (  # noqa: F401 - commands of `people` and of `tasks`
    people_access,
    people_deletion,
    reports,
    tasks_seen,
    tasks_steered,
)
from webapp.cli.backup import backup
from webapp.cli.errors import errors
from webapp.cli.health import health
from webapp.cli.keys import keys
from webapp.cli.kinds import kinds
from webapp.cli.mail import mail
from webapp.cli.people import people
from webapp.cli.schema import migrate
from webapp.cli.tasks import tasks
from webapp.cli.tokens import tokens
from webapp.cli.workers import workers

COMMANDS = (
    migrate,
    backup,
    tasks,
    people,
    mail,
    errors,
    keys,
    tokens,
    workers,
    kinds,
    health,
)


def init_app(app: Flask) -> None:
    """Add Errand's commands to Flask's."""
    for command in COMMANDS:
        app.cli.add_command(command)
