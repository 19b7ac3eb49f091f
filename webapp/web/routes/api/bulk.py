"""One action for many tasks at once, as the list of tasks on the pages offers it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from peewee import ModelSelect

from tasks.engine.models.bulk import MOST_AT_ONCE, BulkResult, press
from webapp.models import OverQuota, Task, User
from webapp.models.scopes import Scope
from webapp.models.task_list import TaskList
from webapp.web import over_quota
from webapp.web.api.call import Call
from webapp.web.api.json_body import pointer, wrong_body
from webapp.web.api.operation import Answer, Rate, operation
from webapp.web.api.parameters import WrongText
from webapp.web.api.problems import Fault
from webapp.web.api.resource import STRING, Schema, array, described
from webapp.web.api.resource import UUID as UUID_SCHEMA
from webapp.web.api.resources.bulk_result import BULK_RESULT
from webapp.web.api.task_query import TASK_FILTER, filter_of
from webapp.web.presenters.action_words import ACTION_WORDS

_ACTIONS: Final = {words.noun: name for name, words in ACTION_WORDS.items()}
_FILTER: Final[Schema] = {
    "type": "object",
    "properties": {each.name: described(each.schema, each.words) for each in TASK_FILTER},
    "additionalProperties": False,
}
BULK: Final[Schema] = {
    "type": "object",
    "properties": {
        "action": described(STRING | {"enum": [*_ACTIONS]}, "The noun that ends the address of the action."),
        "tasks": described(
            array(UUID_SCHEMA) | {"minItems": 1, "maxItems": MOST_AT_ONCE}, "For these tasks, by their ids."
        ),
        "filter": described(_FILTER, "For all tasks in the list that the same query of it has, without children."),
    },
    "required": ["action"],
    "oneOf": [{"required": ["tasks"]}, {"required": ["filter"]}],
    "additionalProperties": False,
}


@operation("POST", "/tasks/bulk", allows=Scope.TASKS_WRITE, answers={200: BULK_RESULT}, body=BULK, rate=Rate.WRITE)
def act_on_tasks(call: Call) -> Answer:
    """Do one thing to many of your tasks.

    To those that you name, or to all that a filter lets through, the latest first: 1,000 at most, and for 8 seconds at
    most. Each goes its own way, as if it were asked alone; those for which it doesn’t work are counted by their state.
    While `left` is not 0, send the same again.
    """
    action = _ACTIONS[call.body["action"]]
    if "filter" in call.body:
        result = press(action, TaskList(owner=call.user, **filter_of(_read_filter(call.body["filter"]))).all())
    else:
        result = _press_for_some(call.user, action, {UUID(each) for each in call.body["tasks"]})
    refused = result.refused
    headers = over_quota.headers(refused) if isinstance(refused, OverQuota) else {}
    return Answer(BULK_RESULT.of(result), headers=headers)


def _press_for_some(user: User, action: str, ids: set[UUID]) -> BulkResult:
    named: ModelSelect[Task] = Task.visible_to(user).where(Task.id.in_(ids))
    result = press(action, named.order_by(Task.created_at.desc(), Task.id.desc()))
    result.passed[None] += len(ids) - result.total
    return result


def _read_filter(said: Mapping[str, str]) -> dict[str, Any]:
    """What a filter says, as a query would. Raises Problem (422) for what it may not say."""
    found, faults = {each.name: each.default for each in TASK_FILTER}, []
    for each in TASK_FILTER:
        if each.name in said:
            try:
                found[each.name] = each.parse(said[each.name])
            except WrongText as error:
                faults.append(Fault(str(error), pointer=pointer("filter", each.name)))
    if faults:
        raise wrong_body(*faults)
    return found
