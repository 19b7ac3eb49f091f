"""`flask mail`: addresses that get no mail to many from anybody on this site.

What these commands change is in the audit, and in the security log, on their own standard error, without the address.
"""

import click
from flask.cli import AppGroup

from webapp.cli.auditing import command_asker
from webapp.db.startup import or_one_line
from webapp.mail.addresses import bare_address, check_address
from webapp.models import Suppression
from webapp.models.audit import Audited, audit
from webapp.models.mailing.suppression import Reason, key_of
from webapp.web.security_log import Event, record

MOST_LISTED = 1000

mail = AppGroup("mail", help="Manage the addresses that get no mail to many from this site.")


def _check(_context: click.Context, _argument: click.Parameter, text: str) -> str:
    address, problem = check_address(bare_address(text))
    if problem:
        raise click.ClickException(problem)
    return address


def _id_of(address: str) -> int | None:
    row = Suppression.of_site().where(Suppression.address == key_of(address)).first()
    return row.id if row else None


ADDRESS = click.argument("address", metavar="ADDRESS", callback=_check)


@mail.command("suppress")
@ADDRESS
def suppress(address: str) -> None:
    """Let nobody on this site send mail to many to an address. Emails about an account still arrive."""
    with or_one_line(), audit(command_asker(), Audited.SUPPRESS_ADDRESS, "suppression") as entry:
        added = Suppression.add(None, [address], Reason.OPERATOR)
        entry.target = f"suppression {_id_of(address)}"
    if added:
        record(Event.ADDRESS_SUPPRESSED, via="command")
    click.echo(f"{address} gets no mail to many from this site{'' if added else ', as before'}.")


@mail.command("unsuppress")
@ADDRESS
@click.option("--unsubscribed", is_flag=True, help="Also if somebody has unsubscribed: only if they ask you to.")
def unsuppress(address: str, unsubscribed: bool) -> None:
    """Let people send to an address again. What single senders may not send to it stays."""
    reasons = [reason for reason in Reason if unsubscribed or reason != Reason.UNSUBSCRIBED]
    with or_one_line(), audit(command_asker(), Audited.ALLOW_ADDRESS, f"suppression {_id_of(address)}") as entry:
        removed = Suppression.remove(None, address, reasons)
        entry.count = int(removed)
        left = Suppression.standing(None, address)[1]
    if removed:
        record(Event.ADDRESS_UNSUPPRESSED, via="command")
        click.echo(f"{address} may be mailed again.")
    elif left:
        raise click.ClickException("whoever reads it has unsubscribed; with --unsubscribed it is mailed nevertheless")
    else:
        click.echo(f"{address} was not suppressed.")


@mail.command("suppressed")
def list_suppressed() -> None:
    """List the addresses that nobody on this site sends to, newest first, with when and why. Times are in UTC."""
    with or_one_line():
        found = list(Suppression.of_site().limit(MOST_LISTED + 1))
    for row in found[:MOST_LISTED]:
        click.echo(f"{row.created_at:%Y-%m-%d %H:%M}  {row.reason:12}  {row.address}")
    if len(found) > MOST_LISTED:
        click.echo(f"… and more: these are the latest {MOST_LISTED}.")
