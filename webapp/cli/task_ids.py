"""Ids of tasks on the command line: whole, or as much of one as only one task has."""

import re
from collections.abc import Iterable
from uuid import UUID

import click

from webapp.models import Task

LEAST = 8  # hex digits: of a million tasks, one in 4,000 shares them with another
DIGITS = 32
MOST_NAMED = 5  # of those that begin so


class TaskId(click.ParamType[str]):
    """An id, with or without its dashes, or the first LEAST hex digits of one or more. The value is the digits."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digits alone, in lower case."""
        digits = value.strip().lower().replace("-", "")
        if not re.fullmatch(rf"[0-9a-f]{{{LEAST},{DIGITS}}}", digits):
            self.fail(f"{value!r} is no id of a task, nor the first {LEAST} hex digits of one, or more", param, ctx)
        return digits


def find(digits: str) -> Task:
    """The task whose id begins so. One query, by key. Ends the command where there is none, or where several are."""
    first, last = (UUID(digits.ljust(DIGITS, end)) for end in "0f")
    rows = list(Task.select().where(Task.id.between(first, last)).order_by(Task.id).limit(MOST_NAMED + 1))
    if not rows:
        raise click.ClickException(f"there is no task {_spelled(digits)}")
    if len(rows) == 1:
        return rows[0]
    named = ", ".join(str(task.id) for task in rows[:MOST_NAMED])
    more = " and more" if len(rows) > MOST_NAMED else ""
    raise click.ClickException(f"several tasks begin with {digits}: {named}{more}")


def find_all(ids: Iterable[str]) -> list[Task]:
    """The tasks of these ids, in their order, each once. Ends the command as `find` does, before anything is done."""
    try:
        return list({task.id: task for task in map(find, ids)}.values())
    except click.ClickException as error:
        raise click.ClickException(f"{error.message}; nothing was done") from error


def _spelled(digits: str) -> str:
    """With dashes if it is whole, as ids are written everywhere."""
    return str(UUID(digits)) if len(digits) == DIGITS else digits
