"""`flask kinds`: how each kind of tasks is doing, and whether its tasks may start."""

import re
from datetime import timedelta

import click
from flask.cli import AppGroup

from webapp.cli.auditing import command_asker, stated_reason
from webapp.db.startup import or_one_line
from webapp.lib.times import utcnow
from webapp.models import KindControl, kind_list
from webapp.models.audit import Audited, audit
from webapp.models.kind_list import Kind
from webapp.models.statistics import Range
from webapp.models.steering import noted_kind

kinds = AppGroup("kinds", help="List the kinds of tasks, and let tasks of one wait for a while.")

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _find(_context: click.Context, _argument: click.Parameter, name: str) -> str:
    with or_one_line():
        if not kind_list.exists(name):
            raise click.ClickException(f"no kind is named {name}; see kinds list")
    return name


def _length(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    if found := re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    raise click.BadParameter("say a number of minutes, hours or days, like 30m, 2h or 1d")


KIND = click.argument("name", metavar="KIND", callback=_find)


@kinds.command("list")
def list_kinds() -> None:
    """List all kinds with what waits and runs, what ended in the last hour, and what holds them. Times are in UTC."""
    with or_one_line():
        found = kind_list.kinds(Range.HOUR)
    for kind in found:
        share = kind.numbers.failure_share
        failed = "" if share is None else f" ({share:.0%} failed)"
        click.echo(
            f"{kind.name}  {kind.line.waiting} waiting  {kind.line.running} running  "
            f"{kind.numbers.count} ended{failed}{''.join(f'  {held}' for held in _held(kind))}"
        )


@kinds.command("pause")
@KIND
@click.option("--for", "length", required=True, callback=_length, metavar="30m|2h|1d", help="After that, it goes on.")
@click.option("--reason", required=True, callback=stated_reason, help="Why. The owners of its tasks read it.")
@click.option("--stop-running", is_flag=True, help="Pause those that run, too; these stay paused until resumed.")
def pause(name: str, length: timedelta, reason: str, stop_running: bool) -> None:
    """Let no task of a kind start for a while; one that is paused is paused for so long from now."""
    with or_one_line(), audit(command_asker(), Audited.PAUSE_KIND, f"kind {name}", reason=reason) as entry:
        until = utcnow() + length
        with noted_kind(entry, name):
            try:
                KindControl.pause(name, until, reason, stop_running)
            except ValueError as error:
                raise click.ClickException(str(error)) from None
    click.echo(f"{name} is paused until {until:%Y-%m-%d %H:%M:%S} UTC.")


@kinds.command("resume")
@KIND
def resume(name: str) -> None:
    """End the pause of a kind before its time. Limits stay."""
    with (
        or_one_line(),
        audit(command_asker(), Audited.RESUME_KIND, f"kind {name}") as entry,
        noted_kind(entry, name),
    ):
        if not KindControl.resume(name):
            raise click.ClickException(f"{name} is not paused")
    click.echo(f"{name} goes on.")


def _held(kind: Kind) -> list[str]:
    """What an operator has decided of it."""
    control = kind.control
    if control is None:
        return []
    pause = [f"paused until {kind.paused_until:%Y-%m-%d %H:%M:%S}"] if kind.paused_until else []
    limits = {
        "running": control.max_running,
        "per person": control.max_running_per_person,
        "per second": control.max_starts_per_second,
    }
    return pause + [f"at most {most:g} {of}" for of, most in limits.items() if most is not None]
