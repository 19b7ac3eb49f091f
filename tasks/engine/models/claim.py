"""The claim: which of the tasks that wait goes to a worker that is free, as one statement.

Usually it is the head of the queue. But while others wait, it is the first of somebody who holds no more than their
share (`tasks/engine/models/fair_share.py`). Where all who wait are at that limit, or the number of processes is
unknown, it is the head of the queue after all: a worker that is free never goes without a task that waits.

Where anything is decided of any kind, that statement takes nothing, and another takes its place, which is slower by
a few steps in an index: it looks at what may be taken alone (`tasks/engine/models/open_kinds.py`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from tasks.engine.models import fair_queue, kind_turns, observers, open_kinds, phrases, signals, transitions
from tasks.engine.models.claim_statements import starts, take_fairly, take_head, take_open
from tasks.engine.models.fair_share import FairShare, is_any_fair
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import LEASED
from webapp.db import CompiledQuery, database, is_postgres, read_model
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow

TRIES = 6
Run = dict[str, object]  # what a claim writes
Places = tuple[dict[str, int], ...]  # from where the line is searched


_share = FairShare()


class Claiming(TaskTrait):
    """How a task comes to a run."""

    @classmethod
    def claim(cls, lease: timedelta, token: str = "", worker: str | None = None) -> Self | None:
        """Take the task whose turn it is for a run, or None when nothing waits.

        However many workers ask, one gets it. The row that comes back carries the fencing token that every later write
        of this run must present, a new one if none is given, and the cursor from which to continue. It keeps the token
        of the `worker`, also after its end.
        """
        task = cls._claim_fairly(lease, token or uuid4().hex, worker)
        if task and task.parent_id:
            with changing(task):
                observers.advanced(task)
        return task

    @classmethod
    def leased_by(cls, token: str) -> Self | None:
        """The task that a run holds by this fencing token, if any. It reads all tasks that workers hold."""
        return cls.get_or_none(cls.state.in_(LEASED), cls.fencing_token == token)

    @classmethod
    def is_any_claimable(cls) -> bool:
        """Whether any task waits that may be taken. One small read, by index; one more while kinds are held."""
        is_any, is_any_held = fair_queue.is_any_waiting()
        return is_any and (not is_any_held or open_kinds.is_any(utcnow()))

    @classmethod
    def seconds_to_start(cls) -> float | None:
        """How long until the next one starts of a kind that may start so many a second; None where none waits.

        One query, and none where the last claim of this process has found that nothing is decided of any kind.
        """
        return kind_turns.seconds_to_start(utcnow()) if _share.is_any_controlled else None

    @classmethod
    def _claim_fairly(cls, lease: timedelta, token: str, worker: str | None) -> Self | None:
        """While kinds are held, from among the others. What the last claim has found of that is tried first."""
        if not _share.is_any_controlled:
            places = starts()
            if not places:
                return None
            if task := cls._claim_of_all(places, lease, token, worker):
                return task
        controls = {control.name: control for control in KindControl.all()}
        was_any, _share.is_any_controlled = _share.is_any_controlled, bool(controls)
        if controls:
            return cls._claim_open(controls, lease, token, worker)
        return cls._claim_of_all(starts(), lease, token, worker) if was_any else None

    @classmethod
    def _claim_open(
        cls, controls: Mapping[str, KindControl], lease: timedelta, token: str, worker: str | None
    ) -> Self | None:
        """As fairly as may be, and within all limits; None also where others were always a moment earlier."""
        for left in reversed(range(TRIES)):
            now = utcnow()
            try:
                with database.transaction():
                    task = cls._take(_run(lease, token, worker, now), take_open)
                    if task and not kind_turns.keeps(task, controls.get(task.name), now):
                        raise _GiveWay
                    if task and left and not _share.keeps(task.party, now, alone=False, others=open_kinds.is_any_fair):
                        raise _GiveWay
                    return task
            except _GiveWay:
                continue
        return None

    @classmethod
    def _claim_of_all(cls, places: Places, lease: timedelta, token: str, worker: str | None) -> Self | None:
        """A claim is rolled back and tried again where it was somebody's one too many; in the end any will do."""
        now = utcnow()
        run = _run(lease, token, worker, now)
        for _ in range(TRIES):
            alone = is_postgres() and not _share.others_wait and not database.in_transaction()
            try:
                with database.transaction():
                    task = cls._take(run, take_head if alone else take_fairly, places)
                    if task and not _share.keeps(task.party, now, alone, others=is_any_fair):
                        raise _GiveWay
                    return task
            except _GiveWay:
                continue
        with database.transaction():
            return cls._take(run, take_fairly, places)

    @classmethod
    def _take(cls, run: Run, taking: CompiledQuery, places: Places = ({},)) -> Self | None:
        """By one of the statements; one that searches the line in parts needs to be told in which `places`."""
        row = next(filter(None, (taking.execute(**run, **place).fetchone() for place in places)), None)
        task = read_model(cls, row[: len(cls._meta.sorted_fields)]) if row else None
        if task:
            transitions.tell(task, "started", task._how_it_starts())
            signals.announce(signals.started, task)
        return task

    def _how_it_starts(self) -> Phrase:
        if self.cursor:
            return phrases.CONTINUED(step=self.cursor["done"])
        return phrases.PICKED_UP_AGAIN(attempt=self.attempts) if self.attempts > 1 else phrases.PICKED_UP()


def _run(lease: timedelta, token: str, worker: str | None, now: datetime) -> Run:
    return {"fencing_token": token, "lease_until": now + lease, "worker": worker, "now": now}


class _GiveWay(Exception):
    """Somebody else is to have this turn."""
