"""Acting on a task: whose it may be, under which conditions, and in whose name."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from uuid import UUID

from flask import abort, request

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.locks import alone_with
from webapp.lib import logs
from webapp.models import IllegalTransition, Task
from webapp.models.audit import Asker, Via, entered, record_refusal
from webapp.models.permissions import Action, may
from webapp.models.scopes import Scope
from webapp.models.steering import STEERING, noted, target_of
from webapp.web.api.authentication import insufficient_scope, reaches_others
from webapp.web.api.call import Call
from webapp.web.api.finding import find_task
from webapp.web.api.operation import Answer
from webapp.web.api.problems import FORBIDDEN, STALE_ATTEMPT, Problem
from webapp.web.api.resources.seen_task import see
from webapp.web.api.resources.task import TASK
from webapp.web.api_paths import ROOT
from webapp.web.clients import coarse_network
from webapp.web.security_log import Event, record


def find_own(call: Call, task_id: UUID) -> Task:
    """This person's own task, for what nobody else may ask for. One query; two for somebody else's.

    Answers 403 for one that their role lets them see, and 404 for any other.
    """
    task = find_task(call, task_id, _desk(call))
    if task.user_id != call.user.id:
        raise Problem(FORBIDDEN, "Only its owner may ask for this.")
    return task


def find_to_act(call: Call, task_id: UUID, action: str, reason: str = "") -> Task:
    """A task, for what operators may ask for as well: one's own by `tasks:write`, anybody's by `desk:write`.

    Answers 403 for one that token or role let them do no more than see, and 404 for any other. As many queries. If the
    task is somebody else's, whatever the call fails by is in the audit.
    """
    task = find_task(call, task_id, _desk(call))
    if task.user_id == call.user.id:
        return task
    asker, asked, target = _asker(call), STEERING[action], target_of(task)
    call.refused = lambda why: record_refusal(asker, asked, target, why, about=task.user_id, reason=reason)
    if reaches_others(call.token, Scope.DESK_WRITE):
        return task
    if may(call.user, Action.STEER):
        raise insufficient_scope(Scope.DESK_WRITE)
    record(Event.PERMISSION_REFUSED, call.user, action=Action.STEER.value)
    raise Problem(FORBIDDEN, "Only its owner and operators may ask for this.")


@contextmanager
def acting_on(task: Task, call: Call, action: str = "", attempt: int | None = None, reason: str = "") -> Iterator[None]:
    """What this block does to the task is done by whoever asks: its owner, or else an operator, which is logged.

    An operator's act is audited, and its owner reads the reason, if there is one.

    If the request is only for one version of the task (If-Match), or only for that `attempt`, nobody else changes it
    until the end of the block, and there is a Problem (412, 409) before it for any other. What the state of the task
    does not allow is no error where it is so already what the `action` asks for. Answers 404 where the task is deleted
    meanwhile. No query without a condition.
    """
    is_conditional = bool(request.if_match) or attempt is not None
    by_others = task.user_id != call.user.id
    try:
        alone = alone_with(task, to_remove=action == "remove") if is_conditional else nullcontext()
        with alone, _audited(task, call, action, reason) if by_others else nullcontext():
            if is_conditional:
                _demand(task, call, attempt)
            yield
    except Task.DoesNotExist:  # type: ignore[attr-defined]
        abort(404)
    except IllegalTransition as error:
        if action and OWNER_ACTIONS[action].is_met_by(error.task):
            if call.refused:
                call.refused(str(error))
            return
        raise
    if by_others:
        record(Event.STEERED, account_id=task.user_id, task_id=task.id, operation=call.operation.name)


@contextmanager
def _audited(task: Task, call: Call, action: str, reason: str) -> Iterator[None]:
    what = _asker(call), STEERING[action], target_of(task)
    with entered(*what, about=task.user_id, reason=reason) as entry, noted(entry, task, reason):
        yield


def _asker(call: Call) -> Asker:
    token_id = call.token.id if call.token else None
    return Asker(user=call.user, via=Via.API, token_id=token_id, network=coarse_network(), request_id=logs.request_id())


def task_answer(call: Call, task: Task) -> Answer:
    """The task as it is by now, as GET gives it to this person; 202 while what was asked for has yet to happen.

    At most two queries, and one more if it belongs to somebody else.
    """
    now = Task.find_anybodys(task.id) or abort(404)  # the end of its children may have moved it on
    (seen,) = see(call.user, [now])
    headers = seen.retry_after
    if not (now.is_stopping and 202 in call.operation.answers):
        return Answer(TASK.of(seen), headers=headers, etag=seen.etag)
    return Answer(TASK.of(seen), 202, {"Location": f"{ROOT}/tasks/{now.id}", **headers}, seen.etag)


def _desk(call: Call) -> Scope:
    """By which scope of the desk this request sees what is somebody else's: who may act may see."""
    return Scope.DESK_WRITE if reaches_others(call.token, Scope.DESK_WRITE) else Scope.DESK_READ


def _demand(task: Task, call: Call, attempt: int | None) -> None:
    if task.hidden:  # it is being deleted
        abort(404)
    if request.if_match:
        (seen,) = see(call.user, [task])
        call.demand_match(seen.etag)
    if attempt not in (None, task.attempts):
        words = f"It is at attempt {task.attempts}." if task.attempts else "Its first attempt hasn’t begun."
        raise Problem(STALE_ATTEMPT, words, more={"state": task.state, "attempt": task.attempts})
