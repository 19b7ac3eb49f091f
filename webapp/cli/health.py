"""`flask health`: whether the site is well, for probes."""

import os
import sys
import threading

import click

from tasks.queue import huey
from webapp.lib.promptly import promptly
from webapp.models.health_checks import Answer, Question, questions

HEALTHY, UNHEALTHY = 0, 1
QUEUE_ANSWERS_WITHIN = 1.5  # seconds


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
    """Check the database, its schema, the workers, the sweeper, the oldest wait, and the queue; a line for each.

    Exits with 0 if all is well, else with 1: also when it takes too long. Changes nothing.
    """
    asked = [""]
    watch = threading.Timer(within, _give_up, [asked, within])
    watch.daemon = True  # what hangs may be in a driver, which hears no signal
    watch.start()
    is_well = True
    for question in (*questions(oldest_wait), Question("queue", _queue)):
        asked.append(question.name)
        check = question.check()
        click.echo(f"{'ok  ' if check.is_well else 'FAIL'}  {check.name}: {check.words}")
        is_well = is_well and check.is_well
        if question.ends and not check.is_well:
            break
    watch.cancel()
    if not is_well:
        sys.exit(UNHEALTHY)


def _queue() -> Answer:
    """One that does not answer is no failure: workers look for tasks by themselves, and no restart would help."""
    try:
        promptly(lambda: huey.pending_count(1), QUEUE_ANSWERS_WITHIN)
    except Exception:
        return True, "does not answer, so workers look for tasks once a second"
    return True, "answers"


def _give_up(asked: list[str], within: float) -> None:
    click.echo(f"FAIL  {asked[-1]}: no answer within {within:g} s in all")
    sys.stdout.flush()
    os._exit(UNHEALTHY)
