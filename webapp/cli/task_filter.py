"""The options by which commands choose tasks: those of the filter at the desk."""

from collections.abc import Callable, Iterator
from functools import reduce, wraps
from itertools import islice
from typing import Any

import click

from webapp.models import Task
from webapp.models.desk_filter import DeskFilter
from webapp.models.desk_query import STATES, BadFilter, parse

MOST = 10_000  # tasks of one command
_OPTIONS = (
    click.option("--state", help=f"Only in these states, with commas between: {', '.join(STATES)}."),
    click.option("--kind", help="Only of this kind, like send_mail; or workflow."),
    click.option("--owner", help="Only of the person with this user name."),
    click.option("--worker", help="Only those that this worker ran, by its token."),
    click.option("--failure", "fingerprint", help="Only those that failed by this cause, by its fingerprint."),
    click.option("--rescued", is_flag=True, help="Only those of which a run crashed or was interrupted."),
    click.option("--text", "q", help="Only with these words in the title or the error."),
    click.option("--argument", "arguments", multiple=True, metavar="NAME=VALUE", help="Only with this argument."),
    click.option("--created-after", help="Only created then or later, like 2026-11-21T09:30Z."),
    click.option("--created-before", help="Only created earlier."),
    click.option("--ended-after", help="Only ended then or later."),
    click.option("--ended-before", help="Only ended earlier."),
    click.option("--internal", is_flag=True, help="Also internal tasks."),
    click.option("--children", is_flag=True, help="Also the children of workflows."),
)


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, which it takes as `said`; see `asked`."""

    @wraps(command)  # with the options that it has already
    def call(**given: Any) -> None:
        said = {option: given.pop(option) for option in _NAMES}
        command(said=said, **given)

    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), call)


_NAMES = (
    *("state", "kind", "owner", "worker", "fingerprint", "rescued", "q", "arguments"),
    *("created_after", "created_before", "ended_after", "ended_before", "internal", "children"),
)


def asked(said: dict[str, Any]) -> DeskFilter:
    """The filter that the options say. Ends the command, as a wrong use of it, where they say what they may not."""
    texts = {name: "1" if value is True else value for name, value in said.items() if value and name != "arguments"}
    for typed in said["arguments"]:
        name, _, value = typed.partition("=")
        texts[f"arg.{name}"] = value
    try:
        return parse(texts, may_steer=True)
    except BadFilter as error:
        raise click.UsageError(str(error)) from error


def found(filter_: DeskFilter, most: int) -> Iterator[Task]:
    """The latest tasks that it lets through, at most so many. Queries for each 500 of them."""
    return islice((task for tasks, _ in filter_.walk() for task in tasks), most)
