"""`flask keys`: the change of SECRET_KEY."""

from collections.abc import Iterator

import click
from flask.cli import AppGroup

from tasks.engine.resealing import reseal_secrets
from webapp.db.startup import or_one_line
from webapp.lib.i18n import number
from webapp.models.resealing import reseal_second_factors

keys = AppGroup("keys", help="Change SECRET_KEY without losing what it has encrypted.")


@keys.command("reseal")
def reseal() -> None:
    """Encrypt with SECRET_KEY what is encrypted with one of SECRET_KEY_FALLBACKS. Twice is once."""
    with or_one_line():
        unread = _report("second factors", reseal_second_factors()) + _report("tasks with secrets", reseal_secrets())
    if unread:
        raise click.ClickException(
            f"{number(unread)} can be read by no key: add the one before to SECRET_KEY_FALLBACKS"
        )


def _report(what: str, resealed: Iterator[bool]) -> int:
    """Say how many were done; returns how many could not."""
    done = list(resealed)
    click.echo(f"{number(sum(done))} {what} encrypted with SECRET_KEY")
    return len(done) - sum(done)
