"""The totals of a workflow: how far its children are, taken together."""

import json
from typing import NamedTuple

from peewee import Case, StringExpression, fn

from tasks.engine.models.composition import Composition
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import LEASED, State
from webapp.db import Row
from webapp.lib.json_types import Json

_APART = "\x1f"  # the unit separator


class Totals(NamedTuple):
    """Of all children: their steps, the share that is done, from 0 to 1, and what one that runs says it is doing."""

    done: int
    total: int
    share: float
    stage: dict[str, Json]


def totals_of(parent: TaskRow) -> Totals:
    """How far the children are. One query.

    A child weighs as many steps as it was started with; where that was unknown for one, each weighs the same. A child
    of unknown length counts as one step more than it has done, and as nothing of the share until it has ended.
    """
    model = type(parent)
    total = Case(None, [(model.total.is_null(False), model.total)], model.done + 1)
    total = Case(None, [(model.state == State.SUCCEEDED, fn.COALESCE(model.total, model.done))], total)
    own = model.done.cast("FLOAT") / model.total
    ended, is_workflow = model.state == State.SUCCEEDED, model.composition != Composition.SINGLE
    shares = [(ended, 1.0), (is_workflow, fn.COALESCE(model.share, 0.0)), (model.done > model.total, 1.0)]
    share = Case(None, [*shares, (model.total > 0, own)], 0.0)
    stage = Case(None, [(model.state.in_(sorted(LEASED)), _both(model))], "")
    weights = (fn.COUNT(model.id) - fn.COUNT(model.expected), fn.SUM(model.expected), fn.SUM(share * model.expected))
    query = model.select(fn.SUM(model.done), fn.SUM(total), fn.AVG(share), fn.MAX(stage), *weights)
    row: Row = query.where(model.parent == parent.id).tuples().get()
    done, all_steps, mean, said, unknown, expected, weighted = row
    is_weighted = expected and not unknown
    return Totals(int(done), int(all_steps), float(weighted) / float(expected) if is_weighted else mean, _apart(said))


def stage_of(task: TaskRow) -> dict[str, Json]:
    """What a task says it is doing, as its columns have it."""
    return {"stage": task.stage, "stage_phrase": task.stage_phrase}


def _both(model: type[TaskRow]) -> StringExpression:
    """The text and the phrase of a stage as one text: an aggregate of each alone might give those of two children."""
    return model.stage.concat(_APART).concat(fn.COALESCE(model.stage_phrase.cast("TEXT"), ""))


def _apart(both: str | None) -> dict[str, Json]:
    text, _, phrase = (both or "").rpartition(_APART)
    return {"stage": text, "stage_phrase": json.loads(phrase) if phrase else None}
