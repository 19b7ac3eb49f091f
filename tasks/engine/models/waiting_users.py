"""Waiting users: who is told that what their pages say of a wait has changed, though nothing happened to their tasks.

Every page that is told renders anew. So however many wait, a sweep tells a bounded number: those near the front, whose
place is shown as it is, and of the others, whose place is shown in round numbers, as many as can take turns.
"""

from datetime import timedelta

from peewee import CTE, Select, fn

from tasks.engine.models import observers
from tasks.engine.models.fair_share import waits
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.db import Param, compiled, database
from webapp.lib.times import utcnow

EXACT_BELOW = 50  # tasks ahead: a place that is shown as it is
FRONT = 2 * EXACT_BELOW  # tasks at the head of the line, whose owners are told whenever it moves; some share a place
IN_TURN = 100  # of the other people, each time
SOON_AT_ONCE = 200  # people whose next attempt is soon


def notify_waiting_users(soon: timedelta, moved: bool, after: int = 0) -> int:
    """Let the pages of people who wait ask again: for their place in a line that `moved`, or an attempt that is `soon`.

    Those who are not near the front take turns, from the one that follows `after`; returns what the next call is to be
    given. A hundred wait no longer for theirs than those in front. Three queries, and one write for each person who is
    told: at most FRONT, IN_TURN and SOON_AT_ONCE.
    """
    people = {user_id for (user_id,) in _soon.execute(until=utcnow() + soon)}
    if moved:
        people.update(user_id for (user_id,) in _in_front.execute())
        turns = list(_in_turn.execute(after=after))
        people.update(user_id for user_id, is_shown in turns if is_shown)
        after = turns[-1][0] if len(turns) == IN_TURN else 0
    with database.transaction():
        for user_id in people:
            observers.refreshed(user_id)
    return after


@compiled
def _soon() -> Select:
    """Whose next attempt comes until then, the earliest first."""
    coming = (TaskRow.state == State.RETRYING) & (TaskRow.run_at < Param("until")) & (TaskRow.hidden == False)  # noqa: E712
    return TaskRow.select(TaskRow.user).where(coming).order_by(TaskRow.run_at).limit(SOON_AT_ONCE)


@compiled
def _in_front() -> Select:
    """Who has a task that is near the head of the line."""
    front = TaskRow.select(TaskRow.user.alias("person"), TaskRow.hidden.alias("hidden")).where(waits(TaskRow))
    near = front.order_by(TaskRow.queue_key).limit(FRONT).alias("near")
    return Select([near], [near.c.person]).where(near.c.hidden == False).distinct()  # noqa: E712


@compiled
def _in_turn() -> Select:
    """The next people who wait, by their ids, and whether they see any of it."""
    people, shown = people_who_wait(IN_TURN), TaskRow.alias("shown")
    visible = shown.select(shown.id).where(waits(shown), shown.user == people.c.person, shown.hidden == False)  # noqa: E712
    query = Select([people], [people.c.person, fn.EXISTS(visible)]).with_cte(people)
    return query.where(people.c.person.is_null(False)).order_by(people.c.person)


def people_who_wait(at_once: int) -> CTE:
    """The next so many who wait after the one `after`, found by stepping from one to the next in the index."""
    waiting = TaskRow.alias("waiting")
    first = (
        waiting.select(waiting.user)
        .where(waits(waiting))
        .order_by(waiting.user, waiting.name, waiting.queue_key)
        .limit(1)
    )
    start = first.where(waiting.user > Param("after"))
    people = Select(columns=[start, 1]).cte("people", recursive=True, columns=("person", "number"))
    following = Select([people], [first.where(waiting.user > people.c.person), people.c.number + 1])
    return people.union_all(following.where(people.c.person.is_null(False), people.c.number < at_once))
