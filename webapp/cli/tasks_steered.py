"""`flask tasks cancel` and `retry`: what an operator does to tasks of others, each act in the audit."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import click

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.observers import StartRefused
from webapp.cli.auditing import command_asker, stated_reason
from webapp.cli.task_filter import MOST, asked, found, with_filter
from webapp.cli.task_ids import TaskId, find_all
from webapp.cli.tasks import tasks
from webapp.db.startup import or_one_line
from webapp.lib.i18n import ngettext
from webapp.models import AlreadyRunning, IllegalTransition, Task
from webapp.models.steering import OwnerSuspended, steer
from webapp.web.presenters.action_words import ACTION_WORDS

SOME_REFUSED = 3  # the exit code


def _add(action: str, words: str) -> None:
    @tasks.command(action)
    @click.argument("ids", nargs=-1, metavar="[ID]...", type=TaskId())
    @with_filter
    @click.option("--limit", type=click.IntRange(1, MOST), default=1000, show_default=True, help="At most so many.")
    @click.option("--reason", required=True, callback=stated_reason, help="Why. The owners read it in the timelines.")
    @click.option("--yes", is_flag=True, help="Do it to all that the options choose, and not only count them.")
    def command(said: dict[str, Any], ids: tuple[str, ...], limit: int, reason: str, yes: bool) -> None:
        if bool(ids) == any(said.values()):
            raise click.UsageError("name tasks by their ids, or else choose them by options")
        with or_one_line():
            chosen = find_all(ids) if ids else list(found(asked(said), limit))
            able = chosen if ids else [task for task in chosen if OWNER_ACTIONS[action].allows(task, in_bulk=True)]
            if not ids and not yes:
                _count(action, len(able), len(chosen))
                return
            _do(action, able, reason)

    command.help = words + _MORE


_MORE = f"""

Chosen by options, they are only counted until you say --yes. Each is in the audit, with who is signed in to this
machine. An ID may be the beginning of one, of 8 digits or more, as long as only one task has it.

Exits with 0 if all that were chosen are done, or were counted; 1 if a task that you named is not there, or several
begin so (then none is done), or the database is away; 2 for options that make no sense; {SOME_REFUSED} if any was
refused, for its state say: the others are done."""
_add("cancel", "Cancel tasks of anybody: now if they wait, or else at their next step.")
_add("retry", "Retry tasks of anybody that have failed or were canceled after they had begun.")


def _count(action: str, able: int, chosen: int) -> None:
    label = ACTION_WORDS[action].label
    click.echo(f"{label} {ngettext('%(num)s task', '%(num)s tasks', able)}: say --yes to do it.")
    if chosen > able:
        words = (
            "%(num)s more is in a state that doesn’t allow it.",
            "%(num)s more are in a state that doesn’t allow it.",
        )
        click.echo(ngettext(*words, chosen - able))


def _do(action: str, chosen: list[Task], reason: str) -> None:
    """Each by itself, in the order in which they were chosen; what is refused is told, and the others go on."""
    refused, asker = Counter[str](), command_asker()
    for task in chosen:
        try:
            steer(asker, task, action, reason)
        except (IllegalTransition, AlreadyRunning, StartRefused, Task.DoesNotExist) as error:  # type: ignore[attr-defined]
            refused[_why(error)] += 1
            click.echo(f"{task.id} refused: {_why(error)}", err=True)
    done = len(chosen) - refused.total()
    click.echo(f"{ngettext(*ACTION_WORDS[action].done, done)}.")
    if refused:
        raise SystemExit(SOME_REFUSED)


_WHY: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (OwnerSuspended, lambda _: "its owner is suspended"),
    (IllegalTransition, lambda error: f"it is {error.task.state.words}"),
    (AlreadyRunning, lambda _: "its owner has another one like it that hasn’t finished"),
    (StartRefused, lambda error: f"its owner has reached a limit ({error})"),
)


def _why(error: Exception) -> str:
    return next((words(error) for kind, words in _WHY if isinstance(error, kind)), "it is there no more")
