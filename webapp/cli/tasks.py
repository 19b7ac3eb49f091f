"""`flask tasks`: what concerns everybody's tasks at once. `tasks_seen` and `tasks_steered` have its other commands."""

import click
from flask.cli import AppGroup

from tasks.engine.retention import purge
from webapp import db
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.models import restore

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
