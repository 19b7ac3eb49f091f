"""`flask tokens`: by what programs act for somebody, an end to that, and a token where there is no browser."""

from datetime import timedelta

import click
from flask.cli import AppGroup

from webapp.cli.people import PERSON
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.lib.logs import clean
from webapp.lib.times import utcnow
from webapp.models import ApiToken, OverQuota, User
from webapp.models.api_token import LONGEST, NAME_LENGTH, GuestsHaveNone
from webapp.models.scopes import Scope, grantable
from webapp.web.security_log import Event, record

MOST_LISTED = 100
MOST_DAYS = LONGEST.days - 1
SCOPES = click.Choice([scope.value for scope in Scope])

tokens = AppGroup("tokens", help="API tokens of people.")


def _name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not 0 < len(name) <= NAME_LENGTH:
        raise click.BadParameter(f"a name has 1 to {NAME_LENGTH} characters")
    return name


@tokens.command("issue")
@PERSON
@click.option("--scope", "scopes", type=SCOPES, multiple=True, required=True, help="Once for each.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How long it lasts.")
@click.option("--name", default="From the command line", show_default=True, callback=_name, help="What it is for.")
def issue(person: User, scopes: tuple[str, ...], days: int, name: str) -> None:
    """Make a token of somebody's, and print it, once. They are told by email."""
    asked = {Scope(scope) for scope in scopes}
    if missing := asked - set(grantable(person)):
        raise click.ClickException(f"{person.username} has no role that counts for {', '.join(sorted(missing))}")
    with or_one_line():
        try:
            token, text = ApiToken.issue(person, name, asked, utcnow() + timedelta(days=days))
        except GuestsHaveNone as error:
            raise click.ClickException(f"{person.username} is a guest; a token needs an account") from error
        except OverQuota as error:
            raise click.ClickException(error.words()) from error
    record(Event.TOKEN_MADE, person, token_id=token.id, via="command")
    click.echo(text)


@tokens.command("list")
@PERSON
def list_tokens(person: User) -> None:
    """List those of somebody that are live. Times are in UTC."""
    with or_one_line():
        found = list(ApiToken.live_of(person).limit(MOST_LISTED + 1))
    for token in found[:MOST_LISTED]:
        used = f"last used {token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never used"
        where = f" from {token.last_network}" if token.last_network else ""
        click.echo(f"…{token.last_four}  until {token.expires_at:%Y-%m-%d}, {used}{where}: {clean(token.name)}")
        click.echo(f"    {token.scope}")
    if len(found) > MOST_LISTED:
        click.echo(f"… and more: these are the {MOST_LISTED} that last longest.")
    if not found:
        click.echo(f"{person.username} has no tokens.")


@tokens.command("revoke")
@PERSON
def revoke(person: User) -> None:
    """Revoke all of somebody's."""
    with or_one_line():
        number = ApiToken.revoke_all(person)
        record(Event.TOKEN_REVOKED, person, tokens=number, via="command")
    click.echo(ngettext("Revoked %(num)s token.", "Revoked %(num)s tokens.", number))
