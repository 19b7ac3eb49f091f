"""What commands change of what is somebody's own leaves an entry in the audit, as a press at the desk does."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tasks.engine.models.actor import LONGEST_REASON
from webapp.db.startup import or_one_line
from webapp.models import AuditEntry, User
from webapp.models.audit import Asker, Audited, Via, audit


def command_asker() -> Asker:
    """Whoever is signed in to this machine; their number where they have no name on it, as in some containers."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Asker(user=None, via=Via.COMMAND, command_user=name)


def stated_reason(_context: click.Context, _option: click.Parameter, text: str | None) -> str:
    """The callback of an option for a reason that others read: on one line, and demanded."""
    text = " ".join((text or "").split())
    if not text or len(text) > LONGEST_REASON:
        raise click.BadParameter(f"say why, in at most {LONGEST_REASON} characters")
    return text


@contextmanager
def audited(action: Audited, person: User, reason: str = "") -> Iterator[AuditEntry]:
    """Do something about somebody, in one transaction with its entry; see `webapp.models.audit.audit`.

    Where the database is away, the command ends with one line.
    """
    with or_one_line(), audit(command_asker(), action, f"person {person.id}", about=person, reason=reason) as entry:
        yield entry
