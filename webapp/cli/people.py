"""`flask people`: roles, and the way back into an account for whoever has lost theirs.

What these commands do is in the security log, on their own standard error.
"""

import click
from flask.cli import AppGroup
from peewee import ModelSelect
from werkzeug.datastructures import MultiDict

from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.lib.logs import clean
from webapp.lib.times import utcnow
from webapp.models import Deletion, SecondFactor, Session, User, username_key
from webapp.models.deletion import RETURN_WITHIN
from webapp.models.hiding import hide_or_show
from webapp.models.password_reset import change_password
from webapp.models.permissions import Role, needs_second_factor, role_of
from webapp.models.role_changes import CannotHaveRole, change_role
from webapp.models.stopping import stop
from webapp.web.forms.settings import PasswordForm
from webapp.web.security_log import Event, record

MOST_LISTED = 100  # sessions
NO_ROLE = "none"
ROLES = [role.value for role in Role]

people = AppGroup("people", help="Manage people: their roles, sessions, and passwords.")


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
    with or_one_line():
        try:
            changed = change_role(person, wanted)
        except CannotHaveRole as error:
            words = f"{person.username} is a guest; a role needs an account with a password"
            raise click.ClickException(words) from error
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
    with or_one_line():
        sessions = Session.of(person, MOST_LISTED + 1)
        if end:
            number = Session.end_all(person)
            record(Event.SESSION_ENDED, person, sessions=number, via="command")
            click.echo(ngettext("Ended %(num)s session.", "Ended %(num)s sessions.", number))
            return
    for session in sessions[:MOST_LISTED]:
        where = f"{clean(session.browser) or 'a program'}, {session.network or 'unknown network'}"
        click.echo(f"since {session.created_at:%Y-%m-%d %H:%M}, last seen {session.seen_at:%Y-%m-%d %H:%M}: {where}")
    if len(sessions) > MOST_LISTED:
        click.echo(f"… and more: these are the {MOST_LISTED} that were seen last.")
    if not sessions:
        click.echo(f"{person.username} isn’t signed in anywhere.")


@people.command("password")
@PERSON
def set_password(person: User) -> None:
    """Set a new password for somebody who cannot get back in otherwise. It ends all of their sessions.

    Asks for it twice; it is never an argument, which others on the machine could read.
    """
    password = click.prompt("New password", hide_input=True, confirmation_prompt="The same again")
    form = PasswordForm(person, formdata=MultiDict({"password": password}), meta={"csrf": False})
    if "current" in form:
        del form.current
    if not form.validate():
        raise click.ClickException(str(form.password.errors[0]))
    with or_one_line():
        change_password(person, form.password.data)
    record(Event.PASSWORD_CHANGED, person, via="command")
    click.echo(f"{person.username} has a new password, and is signed out everywhere.")


@people.command("second-factor")
@PERSON
@click.option("--off", is_flag=True, required=True, help="Turn it off; there is nothing else to do with it here.")
def turn_second_factor_off(person: User, off: bool) -> None:
    """Turn off two-factor authentication for somebody who has lost both the app and the recovery codes.

    They are told by email. A role that they have doesn't count until they turn it on again.
    """
    with or_one_line():
        was_on = SecondFactor(person).turn_off(despite_role=True)
    if not was_on:
        click.echo(f"{person.username} has no two-factor authentication.")
        return
    record(Event.SECOND_FACTOR_OFF, person, via="command")
    click.echo(f"{person.username} signs in by password alone now.")


@people.command("delete")
@click.argument("name")
@click.option("--now", is_flag=True, help=f"Without the {RETURN_WITHIN.days} days in which the account can be kept.")
def delete(name: str, now: bool) -> None:
    """Delete somebody's account, as if they had asked for it themselves. They are told by email.

    Asks for the name once more. Nobody sees or signs in to the account from then on; a worker
    deletes all that is in it within hours, once the time to keep it is over.
    """
    with or_one_line():
        begun = Deletion.of_name(name)
        person = begun.user if begun else User.by_username(name)
    if person is None or (begun and not now):
        known = begun and f"{name} is being deleted already; --now doesn’t wait, and people keep takes it back"
        raise click.ClickException(known or f"nobody here is called {name}")
    if username_key(click.prompt("Type the username to delete the account")) != username_key(name):
        raise click.ClickException("that’s another name; nothing has changed")
    with or_one_line():
        deletion = Deletion.begin(person, at_once=now)
        record(Event.DELETION_ASKED, person, via="command", now=now)
        stop(deletion)
    is_later = deletion.due_at > utcnow()
    when = f"on {deletion.due_at:%Y-%m-%d at %H:%M} UTC" if is_later else "within the next few hours"
    click.echo(f"{deletion.username} can’t be seen or used anymore, and is deleted {when}.")


@people.command("keep")
@click.argument("name")
def keep(name: str) -> None:
    """Keep an account that is to be deleted, for somebody who cannot sign in to say so."""
    with or_one_line():
        begun = Deletion.of_name(name)
        user = begun.take_back() if begun else None
        hide_or_show()
    if user is None:
        raise click.ClickException(f"no account called {name} is to be deleted, or it’s too late")
    record(Event.DELETION_CANCELED, user, via="command")
    click.echo(f"{user.username} is kept, and is signed out everywhere.")
