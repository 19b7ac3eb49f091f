"""The sweep of kinds: ends pauses whose time is over, tells the owners of tasks that wait, and pauses what is to stop.

All of it is resumed by the next look, of whichever sweeper leads: what is left to do stands in the row of the kind.
"""

import logging

from peewee import ModelSelect, Select, fn

from tasks.engine.config import config
from tasks.engine.models import IllegalTransition, KindControl, Task, observers
from tasks.engine.models.actor import by_operator
from tasks.engine.models.fair_share import waits
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from tasks.engine.models.waiting_users import people_who_wait
from webapp.db import Param, compiled, database
from webapp.lib.times import utcnow

log = logging.getLogger(__name__)

TOLD_AT_ONCE = 200  # owners of tasks that wait, in one look, each of which costs a write


def sweep_kinds() -> bool:
    """Do what is due for all kinds of which anything is decided. Whether there are any.

    One small query where nothing is. Else one for each kind with something to do, and a write for each owner who is
    told and each run that is paused, TOLD_AT_ONCE and `Config.tasks_per_look` at most.
    """
    now, controls = utcnow(), KindControl.all()
    for control in controls:
        if control.end(now):
            log.info("The pause of %s has ended", control.name)
        if control.told_until is not None:
            _tell(control, control.told_until)
        if control.stops_running:
            _stop_running(control)
        control.forget_if_idle()
    return bool(controls)


def _tell(control: KindControl, told_until: int) -> None:
    """Let the pages of the next owners with tasks of this kind in line ask again."""
    owners = _owners.execute(after=told_until, name=control.name).fetchall()
    with database.transaction():
        if control.tell(until=owners[-1][0] if len(owners) == TOLD_AT_ONCE else None):
            for owner, has_some in owners:
                if has_some:
                    observers.refreshed(owner)


def _stop_running(control: KindControl) -> None:
    """Ask for a pause of some that run; whoever has just ended, or may not pause, is passed over."""
    some = list(_running_of(control.name))
    with by_operator(control.reason):
        for task in some:
            try:
                task.pause()
            except IllegalTransition as error:
                log.debug("Task %s was not paused: %s", task.id, error)
    if not some:
        control.has_stopped()


def _running_of(name: str) -> "ModelSelect[Task]":
    runs = Task.fencing_token.is_null(False), Task.state == State.IN_PROGRESS, Task.name == name
    return Task.select().where(*runs).limit(config().tasks_per_look)


@compiled
def _owners() -> Select:
    """The next people who wait, by their ids, and whether they see any task of this kind that does."""
    people, theirs = people_who_wait(TOLD_AT_ONCE), TaskRow.alias("theirs")
    of_kind = (theirs.user == people.c.person) & (theirs.name == Param("name")) & (theirs.hidden == False)  # noqa: E712
    query = Select([people], [people.c.person, fn.EXISTS(theirs.select(theirs.id).where(waits(theirs), of_kind))])
    return query.with_cte(people).where(people.c.person.is_null(False)).order_by(people.c.person)
