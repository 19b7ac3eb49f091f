"""`flask health`: whether the site is well, for probes."""

import os
import sys
import threading

import click

from webapp.models.health_checks import checks

HEALTHY, UNHEALTHY = 0, 1


@click.command()
@click.option("--oldest-wait", type=click.IntRange(min=0), metavar="SECONDS", help="How long a task may wait.")
@click.option(
    "--within",
    type=click.FloatRange(min=0.1, max=300),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long all checks together may take.",
)
def health(oldest_wait: int | None, within: float) -> None:
    """Check the database, its schema, the workers, the sweeper, and the oldest wait; a line for each.

    Exits with 0 if all is well, else with 1: also when it takes too long. Changes nothing.
    """
    watch = threading.Timer(within, _give_up, [within])
    watch.daemon = True  # what hangs may be in a driver, which hears no signal
    watch.start()
    is_well = True
    for check in checks(oldest_wait):
        click.echo(f"{'ok  ' if check.is_well else 'FAIL'}  {check.name}: {check.words}")
        is_well = is_well and check.is_well
    watch.cancel()
    if not is_well:
        sys.exit(UNHEALTHY)


def _give_up(within: float) -> None:
    click.echo(f"FAIL  deadline: no answer within {within:g} s")
    sys.stdout.flush()
    os._exit(UNHEALTHY)
