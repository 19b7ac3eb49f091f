"""`flask tokens`: API tokens without a browser, for scripts that set a site up."""

from datetime import timedelta

import click
from flask.cli import AppGroup

from webapp.cli.people import PERSON
from webapp.db.startup import or_one_line
from webapp.lib.times import utcnow
from webapp.models import OverQuota, User
from webapp.models.api_token import LONGEST, NAME_LENGTH, ApiToken, GuestsHaveNone
from webapp.models.scopes import Scope, grantable

MOST_DAYS = LONGEST.days - 1

tokens = AppGroup("tokens", help="Manage API tokens.")


def _name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not 0 < len(name) <= NAME_LENGTH:
        raise click.BadParameter(f"a name has 1 to {NAME_LENGTH} characters")
    return name


@tokens.command("issue")
@PERSON
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="Once for each.",
)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How long it lasts.")
@click.option("--name", default="From the command line", show_default=True, callback=_name, help="What it is for.")
def issue(person: User, scopes: tuple[str, ...], days: int, name: str) -> None:
    """Make a token of somebody's, and print it, once. They are told by email."""
    asked = {Scope(scope) for scope in scopes}
    if missing := asked - set(grantable(person)):
        raise click.ClickException(f"{person.username} has no role for {', '.join(sorted(missing))}")
    with or_one_line():
        try:
            token, text = ApiToken.issue(person, name, asked, utcnow() + timedelta(days=days))
        except GuestsHaveNone as error:
            raise click.ClickException(f"{person.username} is a guest; a token needs an account") from error
        except OverQuota as error:
            raise click.ClickException(error.words()) from error
    click.echo(text)
