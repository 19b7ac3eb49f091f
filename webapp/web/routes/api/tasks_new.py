"""Tasks that programs start: one, or a workflow as a tree of them; and what takes one back."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from tasks.catalogue import CATALOGUE
from tasks.engine import TaskError
from tasks.engine.workflow_tree import LONGEST_TITLE, InvalidWorkflow, Leaf, WorkflowTree, read_workflow
from webapp.lib.json_types import Json
from webapp.models import Task
from webapp.models.scopes import Scope
from webapp.web.api.acting import find_own
from webapp.web.api.call import Call
from webapp.web.api.json_body import wrong_body
from webapp.web.api.multipart import sent_files
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.problems import (
    ALREADY_RUNNING,
    FORBIDDEN,
    ILLEGAL_TRANSITION,
    OVER_QUOTA,
    QUOTA_EXCEEDED,
    Fault,
    Problem,
)
from webapp.web.api.resource import STRING, TIME, Schema, array, described
from webapp.web.api.resources.seen_task import see
from webapp.web.api.resources.task import TASK
from webapp.web.api.start_time import read_start_time
from webapp.web.api_paths import ROOT
from webapp.web.presenters.task_preview import field_of, preview_of

OBJECT: Final[Schema] = {"type": "object"}
NODES: Final[Schema] = array(OBJECT) | {"minItems": 1}
NEW_TASK: Final[Schema] = {
    "type": "object",
    "properties": {
        "kind": described(STRING, "The name of a kind, for a task that does its own work."),
        "arguments": described(OBJECT, "What it is given, as the schema of the kind says."),
        "chain": described(NODES, "For a workflow: its children, one after the other. Each is like this, in turn."),
        "group": described(NODES, "Or its children, side by side."),
        "chord": described(
            {
                "type": "object",
                "properties": {"header": NODES, "body": OBJECT},
                "required": ["header", "body"],
                "additionalProperties": False,
            },
            "Or children side by side, and one more when all of these have succeeded.",
        ),
        "title": described(STRING | {"minLength": 1, "maxLength": LONGEST_TITLE}, "What the workflow is called."),
        "run_at": described(TIME, "When it is to start, within the next year; now, if nothing is said."),
    },
    "additionalProperties": False,
    "examples": [{"kind": "countdown", "arguments": {"seconds": 60}}],
}


@operation(
    "POST",
    "/tasks",
    allows=Scope.TASKS_WRITE,
    answers={201: TASK},
    body=NEW_TASK,
    takes_files=True,
    problems=(ALREADY_RUNNING, OVER_QUOTA, QUOTA_EXCEEDED),
    rate=Rate.LAUNCH,
    once=Once.LATER,
)
def create_task(call: Call) -> Callable[[], Answer]:
    """Start a task, or schedule it.

    Either of one `kind`, or a workflow: a `chain`, a `group` or a `chord` of such objects, of up to 100 tasks in 5
    levels. A kind that takes files is sent as multipart/form-data: the part `arguments` is the JSON, and each file is a
    part that is named by its parameter, several of one name for a list. A workflow takes no files.
    """
    run_at = read_start_time(call.body["run_at"]) if "run_at" in call.body else None
    signature = _read(call).signature
    return lambda: _started(call, signature.launch(call.user, run_at=run_at))


@operation(
    "POST",
    "/tasks/{task_id}/undo",
    allows=Scope.TASKS_WRITE,
    answers={201: TASK},
    problems=(ALREADY_RUNNING, ILLEGAL_TRANSITION, FORBIDDEN, OVER_QUOTA, QUOTA_EXCEEDED),
    rate=Rate.LAUNCH,
    once=Once.ALL,
)
def undo_task(call: Call, task_id: UUID) -> Answer:
    """Undo what a finished task did.

    By another task, which is the answer. Few kinds can be undone.
    """
    task = find_own(call, task_id)
    function = CATALOGUE.get(task.name)
    if not (function and function.undo and function.undo.can_undo(task)):
        (seen,) = see(call.user, [task])
        more: dict[str, Json] = {"state": task.state, "allowed": seen.actions}
        raise Problem(ILLEGAL_TRANSITION, f"“{task.title_words()}” has nothing to undo.", more=more)
    return _started(call, function.undo.launch(task, call.user))


def _started(call: Call, task: Task) -> Answer:
    """The task as GET has it. At most two queries."""
    (seen,) = see(call.user, [task.fresh()])  # its children may have moved it on
    headers = {"Location": f"{ROOT}/tasks/{task.id}", **seen.retry_after}
    return Answer(TASK.of(seen), 201, headers, seen.etag)


def _read(call: Call) -> WorkflowTree:
    """What is to be started. Raises Problem (422), also for what a preview finds wrong."""
    tree = {name: value for name, value in call.body.items() if name != "run_at"}
    try:
        read = read_workflow(tree, CATALOGUE, call.user, sent_files())
        faults = [fault for leaf in read.leaves if (fault := _found_by_preview(leaf))]
    except InvalidWorkflow as refused:
        faults = [Fault(words, pointer=pointer) for pointer, words in refused.errors.items()]
    if faults:
        raise wrong_body(*faults)
    return read


def _found_by_preview(leaf: Leaf) -> Fault | None:
    try:
        preview_of(leaf.function, leaf.arguments)
    except TaskError as error:
        field = field_of(leaf.function, error)
        return Fault(str(error), pointer=f"{leaf.pointer}/arguments/{field}" if field else f"{leaf.pointer}/arguments")
    return None
