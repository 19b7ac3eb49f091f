"""`flask people password | second-factor | suspend | quota`: who may use an account, and how much they may do."""

from datetime import timedelta

import click
from werkzeug.datastructures import MultiDict

from tasks.engine.models.actor import LONGEST_REASON
from webapp.cli.auditing import audited
from webapp.cli.people import PERSON, Unchanged, people
from webapp.db.startup import or_one_line
from webapp.lib.quota_variables import LARGEST, PERSONAL, QUOTAS, Quota
from webapp.lib.times import utcnow
from webapp.models import SecondFactor, Suspension, User
from webapp.models.audit import Audited
from webapp.models.last_admin import CannotLose
from webapp.models.own_quota import OwnQuota, take_own_quota
from webapp.models.password_reset import change_password
from webapp.models.quotas import most_of
from webapp.models.suspension_work import carry_out
from webapp.web.forms.settings import PasswordForm
from webapp.web.security_log import Event, record

EVERYBODYS = "default"


def _limit(_context: click.Context, _argument: click.Parameter, text: str) -> int | None:
    """The number; None for everybody's."""
    if text == EVERYBODYS:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:11]) <= LARGEST):
        raise click.BadParameter(f"give a number from 0 to {LARGEST}, or {EVERYBODYS}")
    return int(text)


def _short(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise click.BadParameter(f"it has {len(text)} characters; the limit is {LONGEST_REASON}")
    return text.strip()


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
    with audited(Audited.SET_PASSWORD, person):
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
    try:
        with audited(Audited.TURN_OFF_SECOND_FACTOR, person):
            if not SecondFactor(person).turn_off(despite_role=True):
                raise Unchanged("it is off already")
    except Unchanged:
        click.echo(f"{person.username} has no two-factor authentication.")
        return
    record(Event.SECOND_FACTOR_OFF, person, via="command")
    click.echo(f"{person.username} signs in by password alone now.")


@people.command("suspend")
@PERSON
@click.option("--reason", default="", callback=_short, help="Why: its owner reads it, by email and as they sign in.")
@click.option("--lift", is_flag=True, help="Let a suspended account be used again.")
def suspend(person: User, reason: str, lift: bool) -> None:
    """Let nobody use an account until that is lifted. Its owner is told by email.

    Its sessions end, its API tokens are refused, its tasks are put on hold, its posts aren’t
    shown, and nobody can write to it. All of that works again once it is lifted.
    """
    if not (reason or lift):
        raise click.UsageError("say why, with --reason")
    try:
        with audited(Audited.REINSTATE_PERSON if lift else Audited.SUSPEND_PERSON, person, reason):
            suspension = Suspension.lift(person) if lift else Suspension.begin(person, reason)
            if suspension is None:
                raise Unchanged("it is so already")
    except CannotLose as error:
        raise click.ClickException(f"{person.username} is the last admin; make somebody else one first") from error
    except Unchanged:
        click.echo(f"{person.username} {'isn’t suspended' if lift else 'is suspended already'}.")
        return
    record(Event.REINSTATED if lift else Event.SUSPENDED, person, via="command")
    with or_one_line():
        is_done = carry_out(suspension)
    click.echo(f"{person.username} {'can use the account again' if lift else 'is suspended'}.")
    if not is_done:
        click.echo("A worker goes on with their tasks and posts.")


@people.command("quota")
@PERSON
@click.argument("quota", type=click.Choice([quota.value for quota in PERSONAL]))
@click.argument("most", metavar="N|default", callback=_limit)
@click.option("--days", type=click.IntRange(1, 3650), help="For so many days; without it, for good.")
@click.option("--reason", default="", callback=_short, help="Why: it is kept with the limit.")
def change_quota(person: User, quota: str, most: int | None, days: int | None, reason: str) -> None:
    """Let another limit count for one person than for everybody; 0 is unlimited, storage is in MB."""
    kind = Quota(quota)
    with audited(Audited.CHANGE_QUOTA, person, reason) as entry:
        before = most_of(kind, person)
        if most is None:
            take_own_quota(person, kind)
        else:
            until = utcnow() + timedelta(days=days) if days else None
            OwnQuota(most * QUOTAS[kind].unit or None, until, reason).give(person, kind)
        entry.before, entry.after = {quota: before}, {quota: most_of(kind, person)}
    record(Event.QUOTA_CHANGED, person, quota=quota, via="command")
    if most is None:
        click.echo(f"{person.username} has everybody’s {quota} again.")
    else:
        click.echo(f"{person.username} has {most or 'unlimited'} {quota} now{f', for {days} days' if days else ''}.")
