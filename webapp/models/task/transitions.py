"""Moves: how a task changes its state. The verbs of Task say which move is made; these say how any is."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from peewee import Database, IntegrityError, JSONField, Node

from webapp.db import database
from webapp.lib.i18n import number
from webapp.lib.times import utcnow
from webapp.models.notice import Notice
from webapp.models.notification import TASK_PROGRESS, Notification
from webapp.models.notification_preferences import NoticeKind
from webapp.models.outcome_mail import OutcomeMail
from webapp.models.task import fair_queue, signals, workflow
from webapp.models.task.event import TaskEvent
from webapp.models.task.state import FINISHED, LEASED, ON_RELEASE, OWNER_ACTIONS, State, sources_of
from webapp.models.user import User

if TYPE_CHECKING:
    from webapp.models.task.task import Task

# What the timeline says of what its owner asked for, by the state that it comes to by that.
_ASKED = {
    State.CANCELED: "Canceled by you",
    State.CANCELING: "Canceled by you; stopping after the current step",
    State.PAUSED: "Paused by you",
    State.PAUSING: "Paused by you; stopping after the current step",
}
# The same of a part that stops because the rest does.
_WITH_THE_REST = {
    State.CANCELED: "Canceled with the other parts",
    State.CANCELING: "Canceled with the other parts; stopping after the current step",
}
_ON_RELEASE = {State.PAUSED: "Paused", State.CANCELED: "Canceled"}
NO_TOKEN = "-"  # noqa: S105 - what no run has
TRIES_FOR_KEY = 3  # at taking a unique key


class IllegalTransition(Exception):
    """The task is not in a state from which it could go there. `task` is as the database has it now."""

    def __init__(self, task: "Task", target: str) -> None:
        super().__init__(f"a task that is {task.state} cannot become {target}")
        self.task = task


class AlreadyRunning(Exception):
    """Only one such task may be under way at a time. `task` is the one that is."""

    def __init__(self, task: "Task") -> None:
        super().__init__(f"{task.title} is already under way")
        self.task = task


class Transitions:
    """What Task's verbs are made of. Each move is one conditional UPDATE, which succeeds for one caller or for none."""

    if TYPE_CHECKING:

        def __getattr__(self, column: str) -> Any:
            """Task's columns."""

    @property
    def _task(self) -> Any:
        return self

    @property
    def _model(self) -> Any:
        return type(self)

    def reschedule(self, run_at: datetime, title: str) -> None:
        """Give a task that is scheduled another time and title, in one transaction with its timeline.

        Raises IllegalTransition once it is not scheduled any more.
        """
        changes = {"run_at": run_at, "title": title[:200], "updated_at": utcnow()}
        with database.transaction():
            scheduled = self._model.id == self.id, self._model.state == State.SCHEDULED
            if not self._model.update(**changes).where(*scheduled).execute():
                raise IllegalTransition(self._fresh(), State.SCHEDULED)
            self.__data__.update(changes)
            self._tell("scheduled", "Changed by you")

    def _fresh(self) -> Any:
        """The row as it is now; this one keeps its token, with which it can do no more harm."""
        return self._model.get_by_id(self.id)

    def _holding_unique_key(self, act: Callable[[], None]) -> None:
        """Do what takes the unique key. Raises AlreadyRunning when another active task holds it.

        And IntegrityError when it was something else that could not be, or TURNS others took the key and gave it back.
        """
        for turn in range(1, TRIES_FOR_KEY + 1):
            try:
                with database.atomic():
                    return act()
            except IntegrityError as error:
                if self.unique_key is None:
                    raise
                if holder := self._model.get_or_none(self._model.active_unique_key == self.unique_key):
                    raise AlreadyRunning(holder) from error
                if turn == TRIES_FOR_KEY:
                    raise
                # Whoever held the key has finished between the two queries, so now it is free.

    def _ask(self, request: str, seen: State | None = None, **changes: Any) -> None:
        """What its owner asks for, from whatever state the table allows, or only from the one that this row has seen.

        Raises IllegalTransition where it allows none.
        """
        asked = _ASKED | (_WITH_THE_REST if workflow.is_being_canceled(self.parent_id) else {})
        wanted, shown = OWNER_ACTIONS[request], self._model.hidden == self.hidden  # else it is being purged
        for target in dict.fromkeys(wanted.values()):
            sources = [source for source, to in wanted.items() if to == target and seen in (None, source)]
            text = asked.get(target, self._on_again(request))
            given = {} if target in LEASED else changes
            if self._try_move(target, text, self._model.state.in_(sources) & shown, **given):
                return
        raise IllegalTransition(self._fresh(), next(iter(wanted.values())))

    def _on_again(self, request: str) -> str:
        """What the timeline says of what its owner lets go on; what has never run is not tried again by that."""
        return "Resumed by you" if request == "resume" else "Retried by you" if self.started_at else "Started by you"

    def _end(self, target: State, text: str, **changes: Any) -> None:
        changes = self._letting_go_of_lease() | {"done": self.done, "total": self.total} | _changes_of(target) | changes
        fields = {self._model._meta.fields[name]: value for name, value in changes.items()}
        values = [_as_parameter(field, value) for field, value in fields.items()]
        with workflow.changing(self._task):
            sql = _end_sql(database.obj, target, *(field.column_name for field in fields))
            key = self._model.id.db_value(self.id), self.fencing_token or NO_TOKEN
            if not database.execute_sql(sql, (*values, *key)).rowcount:
                raise IllegalTransition(self._fresh(), target)
            self._has_moved(target, text, changes)

    def _give_up(self, target: State | None, text: str, **changes: Any) -> None:
        """A worker lets go before the end; what the owner asked for meanwhile goes before what the worker wants."""
        leaving = self._letting_go_of_lease() | {"done": self.done, "total": self.total}
        with workflow.changing(self._task):
            if target and self._try_move(target, text, self._is_mine(State.IN_PROGRESS), **leaving | changes):
                if target == State.RETRYING:
                    signals.announce(signals.retried, self)
                return
            for source, instead in ON_RELEASE.items():
                text = f"{_ON_RELEASE[instead]}: {why}" if (why := changes.get("error")) else _ON_RELEASE[instead]
                unused = {name: changes[name] for name in {"attempts"} & changes.keys() if instead == State.PAUSED}
                if self._try_move(instead, text, self._is_mine(source), **leaving | unused):
                    return
        raise IllegalTransition(self._fresh(), target or State.CANCELED)

    def _demand(self, target: State, text: str, **changes: Any) -> None:
        if not self._try_move(target, text, True, **changes):
            raise IllegalTransition(self._fresh(), target)

    def _try_move(self, target: State, text: str, condition: Any, **changes: Any) -> bool:
        changes = _changes_of(target) | changes
        with database.transaction():
            moved = (
                self._model.update(**changes)
                .where(self._model.id == self.id, self._model.state.in_(sources_of(target)), condition)
                .execute()
            )
            if moved:
                self._has_moved(target, text, changes)
        return bool(moved)

    def _has_moved(self, target: State, text: str, changes: dict[str, Any]) -> None:
        self.__data__.update({name: value for name, value in changes.items() if not isinstance(value, Node)})
        self._tell(target, text)
        self._announce(target)
        workflow.update_parent(self._task)

    def _record(self, condition: Any, tell: bool = True, **changes: Any) -> bool:
        with workflow.changing(self._task) if tell else database.transaction():
            changes["updated_at"] = utcnow()
            written = self._model.update(**changes).where(self._is_mine(), condition).execute()
            if written:
                self.__data__.update(changes)
            if written and tell:
                self._notify()
                signals.announce(signals.progressed, self)
                workflow.update_parent(self._task)
        return bool(written)

    def _announce(self, target: State) -> None:
        if target in FINISHED:
            self._give_notice(target)
            signals.announce(signals.stopped, self)
        elif target == State.PENDING and self.queue_key is not None:
            signals.announce(signals.enqueued, self)

    @property
    def notice_kind(self) -> NoticeKind:
        """What a notice, or a mail, of how it has ended is about."""
        is_mail = self.name == "send_mail" and self.state == State.SUCCEEDED
        return NoticeKind.MAIL if is_mail else NoticeKind(self.state)

    def _give_notice(self, outcome: State) -> None:
        """What its owner finds in the notification centre, and what they are to be mailed if they asked for that.

        Not about what they canceled, and not about each part of a whole.
        """
        if self.is_shown and outcome != State.CANCELED:
            kind, owner = self.notice_kind, User.listening(self.user_id)
            sent = f" was sent{f': {self.result}' if self.result else ''}"
            outcomes = {NoticeKind.FAILED: f": {self.error}", NoticeKind.MAIL: sent}
            words = f"{self.title}{outcomes.get(kind, ' finished')}"
            Notice.put(owner, kind, words, task_id=self.id)
            OutcomeMail.put(owner, self, kind)

    def _is_mine(self, state: State | None = None) -> Any:
        """This run has it; nobody's token is no token."""
        mine = (self._model.id == self.id) & (self._model.fencing_token == (self.fencing_token or NO_TOKEN))
        return mine & (self._model.state == state) if state else mine

    def _enqueueing(self) -> dict[str, Any]:
        return {"queue_key": self._next_turn(), "run_at": None}

    def _next_turn(self) -> int | None:
        return (
            fair_queue.next_queue_key(self._model, self.user_id, self.priority)
            if self.composition == "single"
            else None
        )

    def _letting_go_of_lease(self, at: datetime | None = None) -> dict[str, Any]:
        """What changes whenever no run has the task any more."""
        run = ((at or utcnow()) - self.started_at).total_seconds() if self.started_at else 0.0
        return {
            "fencing_token": None,
            "lease_until": None,
            "stage": "",
            "run_seconds": self.run_seconds + max(0.0, run),
        }

    def _one_more_crash(self) -> dict[str, Any]:
        return {"rescues": self._model.rescues + 1, "crashes": self._model.crashes + 1}

    def _resumption(self) -> dict[str, Any]:
        """How far it is where the next run goes on."""
        saved = self.cursor or {}
        return {"done": saved.get("done", 0), "total": saved.get("total", self.expected)}

    def _nothing(self) -> float | None:
        """The share of a whole of which nothing is done; what does its own work has none."""
        return None if self.composition == "single" else 0.0

    def _how_it_starts(self) -> str:
        if self.cursor:
            return f"Continued by a worker after step {number(self.cursor['done'])}"
        return "Picked up by a worker" + (f" (attempt {self.attempts})" if self.attempts > 1 else "")

    def _tell(self, kind: str, text: str, link: UUID | None = None) -> None:
        TaskEvent.write(self.id, kind, text, link=link)
        self._notify()

    def _notify(self) -> None:
        if self.is_shown:  # a part's news come with those of its whole
            payload = {"state": self.state, "done": self.done, "total": self.total}
            Notification.put(self.user_id, TASK_PROGRESS, payload, self.id)


def _changes_of(target: State) -> dict[str, Any]:
    """What changes with every move to a state."""
    now = utcnow()
    return {"state": target, "updated_at": now} | (
        {"finished_at": now, "active_unique_key": None} if target in FINISHED else {}
    )


def _as_parameter(field: Any, value: Any) -> Any:
    """A column's value for a query that is spelled beforehand; JSON by its text, where Peewee would wrap it in SQL."""
    return json.dumps(value) if isinstance(field, JSONField) and value is not None else field.db_value(value)


@cache
def _end_sql(db: Database, target: State, *columns: str) -> str:
    """How a run ends its task: these columns' values, the task's id and the run's token.

    Spelled once, since it comes with every task: building it anew would cost more than running it.
    """
    changes = ", ".join(f"{column} = {db.param}" for column in columns)
    sources = ", ".join(f"'{source}'" for source in sources_of(target))
    return f"UPDATE tasks SET {changes} WHERE id = {db.param} AND owner = {db.param} AND state IN ({sources})"  # noqa: S608 - nothing in it comes from anybody
