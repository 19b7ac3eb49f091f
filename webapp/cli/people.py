"""`flask people`: roles and sessions. `people_access` and `people_deletion` have its other commands.

What these commands do is in the audit, and in the security log, on their own standard error.
"""

import click
from flask.cli import AppGroup
from peewee import ModelSelect

from webapp.cli.auditing import audited
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.lib.logs import clean
from webapp.models import Session, User
from webapp.models.audit import Audited
from webapp.models.permissions import Role, needs_second_factor, role_of
from webapp.models.role_changes import CannotHaveRole, change_role
from webapp.web.security_log import Event, record

MOST_LISTED = 100  # sessions
NO_ROLE = "none"
ROLES = [role.value for role in Role]

people = AppGroup("people", help="Manage people: their roles, sessions, passwords, quotas, and suspensions.")


class Unchanged(ValueError):
    """There is nothing to do: it is so already."""


def _find(_context: click.Context, _argument: click.Parameter, name: str) -> User:
    """Whoever has that name, however it is typed. Ends the command where there is nobody."""
    with or_one_line():
        user = User.by_username(name)
    if user is None:
        raise click.ClickException(f"nobody here is called {name}")
    return user


PERSON = click.argument("person", metavar="NAME", callback=_find)


@people.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only those who have this role.")
def list_people(role: str | None) -> None:
    """List everybody who has a role, with that role, and whether it counts."""
    chosen: ModelSelect[User] = User.select().where(User.role == role if role else User.role.is_null(False))
    with or_one_line():
        for user in chosen.order_by(User.username_key):
            click.echo(f"{user.username:30} {user.role}{_why_not(user)}")


def _why_not(user: User) -> str:
    """Why somebody's role allows nothing, if it does not."""
    if role_of(user) is None:
        return "  (doesn’t count: this release doesn’t know it)"
    return "  (doesn’t count without two-factor authentication)" if needs_second_factor(user) else ""


@people.command("role")
@PERSON
@click.argument("role", type=click.Choice([NO_ROLE, *ROLES]))
def give_role(person: User, role: str) -> None:
    """Give somebody a role, or none. They are told by email.

    Each role includes those before it. It counts only once its owner has turned on
    two-factor authentication.
    """
    wanted = None if role == NO_ROLE else Role(role)
    changed = True
    try:
        with audited(Audited.CHANGE_ROLE, person) as entry:
            entry.before, entry.after = person.role or NO_ROLE, role
            if not change_role(person, wanted):
                raise Unchanged("it is so already")
    except CannotHaveRole as error:
        words = f"{person.username} is a guest; a role needs an account with a password"
        raise click.ClickException(words) from error
    except Unchanged:
        changed = False
    if changed:
        record(Event.ROLE_CHANGED, person, role=role, via="command")
    has = "now has" if changed else "already had"
    click.echo(f"{person.username} {has} {f'the role {role}' if wanted else 'no role'}.")
    if needs_second_factor(person):
        click.echo("It counts once they turn on two-factor authentication, in their settings under Security.")
    if changed and not person.email:
        click.echo("They have no confirmed email address, so nobody has told them.")


@people.command("sessions")
@PERSON
@click.option("--end", is_flag=True, help="End all of them: sign the person out everywhere.")
@click.option("--yes", is_flag=True, help="Skip the confirmation for a guest, who cannot sign in again.")
def show_sessions(person: User, end: bool, yes: bool) -> None:
    """List where somebody is signed in, or end that. Times are in UTC."""
    if end and person.is_guest and not yes:
        click.confirm(f"{person.username} is a guest, and would lose the account by that. End it?", abort=True)
    if end:
        with audited(Audited.END_SESSIONS, person) as entry:
            entry.after = number = Session.end_all(person)
        record(Event.SESSION_ENDED, person, sessions=number, via="command")
        click.echo(ngettext("Ended %(num)s session.", "Ended %(num)s sessions.", number))
        return
    with or_one_line():
        sessions = Session.of(person, MOST_LISTED + 1)
    for session in sessions[:MOST_LISTED]:
        where = f"{clean(session.browser) or 'a program'}, {session.network or 'unknown network'}"
        click.echo(f"since {session.created_at:%Y-%m-%d %H:%M}, last seen {session.seen_at:%Y-%m-%d %H:%M}: {where}")
    if len(sessions) > MOST_LISTED:
        click.echo(f"… and more: these are the {MOST_LISTED} that were seen last.")
    if not sessions:
        click.echo(f"{person.username} isn’t signed in anywhere.")
