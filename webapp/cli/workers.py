"""`flask workers`: which workers there are, and which of them are to take no more tasks."""

from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup

from tasks.engine.presence import HEARD_EVERY
from webapp.cli.auditing import command_asker
from webapp.db.startup import or_one_line
from webapp.lib.i18n import size
from webapp.lib.logs import clean
from webapp.models import Worker
from webapp.models.audit import Audited, audit
from webapp.web.presenters.desk.workers import ShownWorkers

workers = AppGroup("workers", help="List workers, and let one finish without taking more tasks.")


def _find(_context: click.Context, _argument: click.Parameter, name: str) -> Worker:
    """The worker of a token, or of a host and process. Ends the command where there is none, or several."""
    host, _, pid = name.rpartition(":")
    is_named = (Worker.host == host) & (Worker.pid == int(pid)) if pid.isdecimal() and len(pid) < 10 else False
    with or_one_line():
        found = list(Worker.alive().where((Worker.token == name) | is_named))
    if len(found) > 1:
        raise click.ClickException(f"several workers are called {name}: use one of {', '.join(w.token for w in found)}")
    if not found:
        raise click.ClickException(f"no worker is called {name}; see workers list")
    return found[0]


WORKER = click.argument("worker", metavar="TOKEN|HOST:PID", callback=_find)
REASON = click.option("--reason", default="", help="Why; it stands in the audit.")


@workers.command("list")
def list_workers() -> None:
    """List those that live, or were last heard from less than five minutes ago, at most 500. Times are in UTC."""
    with or_one_line():
        shown = ShownWorkers(current_app.config["RELEASE"])
    for each in shown.all:
        worker = each.worker
        memory = "–" if each.memory is None else size(each.memory)
        release = f"{worker.release or 'unknown'}{'' if each.is_ours else ' (not this one)'}"
        click.echo(
            f"{worker.token}  {clean(worker.name)}  {each.standing}  {each.running} of {worker.processes} running  "
            f"heard {worker.heard_at:%Y-%m-%d %H:%M:%S}  {memory}  release {release}"
        )
    if shown.is_cut:
        click.echo(shown.cut_words, err=True)
    if not shown.alive:
        raise click.ClickException("no worker is running, so tasks wait")


@workers.command("quiet")
@WORKER
@REASON
def quiet(worker: Worker, reason: str) -> None:
    """Let a worker finish what it runs and take no more tasks, as before it is stopped."""
    _turn(worker, Audited.QUIET_WORKER, worker.quiet, reason, "finishes what it runs, and takes no more tasks")


@workers.command("resume")
@WORKER
@REASON
def resume(worker: Worker, reason: str) -> None:
    """Let a quiet worker take tasks again."""
    _turn(worker, Audited.RESUME_WORKER, worker.resume, reason, "takes tasks again")


def _turn(worker: Worker, action: Audited, change: Callable[[], bool], reason: str, done: str) -> None:
    with or_one_line(), audit(command_asker(), action, f"worker {worker.token}", reason=reason):
        if not worker.hears_of_quiet:
            raise click.ClickException(f"{worker.name} is of an older release, which knows no quiet: stop it by TERM")
        if not change():
            raise click.ClickException(f"{worker.name} does that already")
    click.echo(f"{worker.name} {done}. It hears of that within {HEARD_EVERY:.0f} seconds.")
