"""`flask people reports`: what people have reported, until somebody handles it."""

import click

from webapp.cli.people import people
from webapp.db.startup import or_one_line
from webapp.lib.logs import clean
from webapp.models import Report
from webapp.models.user_row import DELETED

MOST_LISTED = 100


@people.command("reports")
def list_reports() -> None:
    """List the posts and messages that people have reported, the oldest first. Times are in UTC.

    Each has the text as it was when it was reported, and what the reporter says of it.
    """
    with or_one_line():
        found = list(Report.open_ones().limit(MOST_LISTED + 1))
    for report in found[:MOST_LISTED]:
        reporter = report.reporter.shown_name if report.reporter else DELETED
        what = f"{report.reason}: a {report.kind} by {report.about.shown_name}, reported by {reporter}"
        click.echo(f"{report.id}  {report.created_at:%Y-%m-%d %H:%M}  {what}")
        click.echo(f"    it said: {clean(report.text)}")
        if report.words:
            click.echo(f"    {reporter} says: {clean(report.words)}")
    if len(found) > MOST_LISTED:
        click.echo(f"… and more: these are the {MOST_LISTED} oldest.")
    if not found:
        click.echo("Nothing is reported.")
