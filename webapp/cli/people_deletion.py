"""`flask people delete | keep`: accounts that are to be deleted."""

import click

from webapp.cli.auditing import audited
from webapp.cli.people import Unchanged, people
from webapp.db.startup import or_one_line
from webapp.lib.times import utcnow
from webapp.models import Deletion, User, username_key
from webapp.models.audit import Audited
from webapp.models.deletion import RETURN_WITHIN
from webapp.models.hiding import hide_or_show
from webapp.models.stopping import stop
from webapp.web.security_log import Event, record


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
    with audited(Audited.DELETE_PERSON, person):
        deletion = Deletion.begin(person, at_once=now)
    record(Event.DELETION_ASKED, person, via="command", now=now)
    with or_one_line():
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
    user = _take_back(begun) if begun else None
    if user is None:
        raise click.ClickException(f"no account called {name} is to be deleted, or it’s too late")
    record(Event.DELETION_CANCELED, user, via="command")
    click.echo(f"{user.username} is kept, and is signed out everywhere.")


def _take_back(begun: Deletion) -> User | None:
    try:
        with audited(Audited.KEEP_PERSON, begun.user):
            user = begun.take_back()
            if user is None:
                raise Unchanged("it is too late")
    except Unchanged:
        return None
    with or_one_line():
        hide_or_show()
    return user
