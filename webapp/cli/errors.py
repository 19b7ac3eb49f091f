"""`flask errors`: how errors reach the people who run the site."""

import click
from flask import current_app
from flask.cli import AppGroup

from webapp import error_reporting

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
