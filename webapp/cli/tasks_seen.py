"""`flask tasks list`, `show` and `stats`: everybody's tasks, as plain lines or as JSON."""

import json
from datetime import datetime
from typing import Any

import click

from webapp.cli.task_filter import MOST, asked, found, with_filter
from webapp.cli.task_ids import TaskId, find
from webapp.cli.tasks import tasks
from webapp.db.startup import or_one_line
from webapp.lib.logs import clean
from webapp.lib.times import iso
from webapp.models import Task, TaskEvent, User
from webapp.models.desk_filter import WORKFLOW
from webapp.models.desk_stats import MOST_COUNTED, stats

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
AT_ONCE = 500


@tasks.command("list")
@with_filter
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="At most so many.")
@AS_JSON
def list_tasks(said: dict[str, Any], limit: int, as_json: bool) -> None:
    """List everybody's tasks, the latest first: id, state, kind, owner, created, attempts, title.

    Arguments are not listed, and neither is what tasks have made. Exits with 0, also where there
    are none; 1 if the database is away; 2 for options that make no sense.
    """
    with or_one_line():
        rows = list(found(asked(said), limit))
        names = _names(rows)
    for task in rows:
        if as_json:
            click.echo(json.dumps(_document(task, names)))
            continue
        kind, owner = task.name or WORKFLOW, names.get(task.user_id, "")
        told = f"{task.id} {task.state:11} {kind:20} {owner:20} {iso(task.created_at)} {task.attempts:2}"
        click.echo(f"{told} {clean(task.title_words())}")


@tasks.command("show")
@click.argument("digits", metavar="ID", type=TaskId())
@AS_JSON
def show_task(digits: str, as_json: bool) -> None:
    """Show one task and its timeline. Its arguments are named, and their values are not shown.

    ID may be the beginning of one, of 8 digits or more, as long as only one task has it.
    Exits with 0; 1 if there is no such task, or several, or if the database is away.
    """
    with or_one_line():
        task = find(digits)
        names, events = _names([task]), TaskEvent.of(task.id)
    owner = names.get(task.user_id, "")
    document = _document(task, names) | {"arguments": sorted(task.arguments), "error": task.error_words(owner)}
    timeline = [{"at": iso(event.at), "type": event.kind, "words": event.words(owner)} for event in events]
    if as_json:
        click.echo(json.dumps(document | {"events": timeline}))
        return
    for name, value in document.items():
        if value not in (None, "", []):
            click.echo(f"{name:12} {clean(', '.join(value) if isinstance(value, list) else str(value))}")
    for line in timeline:
        click.echo(f"{line['at']} {clean(line['words'])}")


@tasks.command("stats")
@AS_JSON
def show_stats(as_json: bool) -> None:
    """Say for each kind how many tasks wait for a worker, since when the oldest, and how many run.

    More than 10,000 of a kind are told as 10000+, and of more than 1,000 kinds the first by name. Exits with 0;
    1 if the database is away.
    """
    with or_one_line():
        kinds, more = stats()
    if not as_json:
        click.echo(f"{'kind':20} {'waiting':>8} {'oldest':20} {'running':>8}")
    for each in kinds:
        name, oldest = each.name or WORKFLOW, _iso(each.oldest)
        if as_json:
            said = {"kind": name, "waiting": each.waiting, "oldest": oldest, "running": each.running}
            click.echo(json.dumps(said))
        else:
            click.echo(f"{name:20} {_counted(each.waiting):>8} {oldest or '':20} {_counted(each.running):>8}")
    if more:
        click.echo(f"{more} more kinds are not told, the last by name", err=True)


def _counted(number: int) -> str:
    return str(number) if number <= MOST_COUNTED else f"{MOST_COUNTED}+"


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _names(rows: list[Task]) -> dict[int, str]:
    ids, names = sorted({task.user_id for task in rows}), dict[int, str]()
    for begin in range(0, len(ids), AT_ONCE):
        people = User.select().where(User.id.in_(ids[begin : begin + AT_ONCE]))
        names |= {person.id: person.shown_name for person in people}
    return names


def _document(task: Task, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": str(task.id),
        "state": task.state.value,
        "kind": task.name or WORKFLOW,
        "owner": names.get(task.user_id),
        "title": task.title_words(),
        "internal": task.hidden,
        "parent": str(task.parent_id) if task.parent_id else None,
        "created_at": iso(task.created_at),
        "ready_at": _iso(task.ready_at),
        "started_at": _iso(task.started_at),
        "finished_at": _iso(task.finished_at),
        "run_seconds": round(task.run_seconds, 3),
        "attempts": task.attempts,
        "rescues": task.rescues,
        "worker": task.worker,
        "failure": task.fingerprint,
    }
