"""Compiled queries: built once, with a place for each value; what would be another value each time is refused."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.db import Param, compiled, database, forget_connection, param_of, params_of, read_model
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task, TaskEvent, User


@pytest.mark.usefixtures("monkeypatch")  # so that it shares nothing with databases before
def test_it_is_built_once_for_each_database(make_app, tmp_path):
    built = []

    @compiled
    def named():
        built.append(database.obj)
        return User.select(User.id).where(User.username == Param("name"))

    for _ in range(2):
        make_app()
        ann = make_user("ann")
        assert [named.execute(name=name).fetchone() for name in ("ann", "bob")] == [(ann.id,), None]
        database.close()
        (tmp_path / "errand.db").unlink()
    assert len(built) == len({id(db) for db in built}) == 2


def test_the_first_row_is_read_again_and_again_by_each_thread_and_on_each_connection(each_database):
    @compiled
    def named():
        return User.select(User.id).where(User.username >= Param("name")).order_by(User.id)

    ann, annie = make_user("ann"), make_user("annie")
    rows = [named.first(name="ann")]
    thread = threading.Thread(target=lambda: (rows.append(named.first(name="annie")), database.close()))
    thread.start()
    thread.join()
    rows += [named.first(name=name) for name in ("anna", "x", "ann")]
    forget_connection()
    rows += [named.first(name=name) for name in ("ann", "x")]
    assert rows == [(ann.id,), (annie.id,), (annie.id,), None, (ann.id,), (ann.id,), None]
    assert named.execute(name="ann").fetchall() == [(ann.id,), (annie.id,)]


def test_a_row_is_read_as_peewee_reads_it(each_database):
    @compiled
    def everyone():
        return User.select()

    @compiled
    def every_task():
        return Task.select()

    ann = make_user("ann", hearing={"message": "mail"}, mail_after=3)
    make_task(State.SUCCEEDED, user=ann, result={"rows": 1}, total=3)
    for model, query in ((User, everyone), (Task, every_task)):
        found, expected = read_model(model, query.first()), model.get()
        assert found.__data__ == expected.__data__
        assert [type(value) for value in found.__data__.values()] == [type(v) for v in expected.__data__.values()]
        assert (found, found.dirty_fields) == (expected, [])


def test_values_are_stored_and_compared_as_those_of_their_fields(each_database):
    @compiled
    def put():
        return Task.update(params_of(Task.result, Task.state, Task.lease_until)).where(Task.id == Param("key"))

    @compiled
    def find():
        return Task.select(Task.id).where(Task.id == Param("key"), Task.state == Param("state"), Task.hidden == False)  # noqa: E712

    @compiled
    def log():
        return TaskEvent.insert(params_of(TaskEvent.task, TaskEvent.at, TaskEvent.kind, TaskEvent.text, TaskEvent.link))

    task, until, link = make_task(State.IN_PROGRESS), utcnow() + timedelta(minutes=1), uuid4()
    given = {"result": {"a": [1, None]}, "state": State.PAUSING, "lease_until": until}
    assert put.execute(key=task.id, **given).rowcount == 1
    assert {name: getattr(task.reload(), name) for name in given} == given
    put.execute(key=task.id, **given | {"result": None})
    assert task.reload().result is None
    assert len(find.execute(key=task.id, state=State.PAUSING).fetchall()) == 1
    assert find.execute(key=uuid4(), state=State.PAUSING).fetchall() == []
    log.execute(task=task.id, at=until, kind="log", text="100%", link=link)
    event = task.timeline()[-1]
    assert (event.at, event.text, event.link) == (until, "100%", link)


def test_what_a_database_plans_by_is_spelled_into_the_sql(each_database):
    @compiled
    def waiting():
        return Task.select(Task.id).where(Task.state == State.PENDING, Task.user == Param("user")).limit(3)

    sql, values = waiting.sql(user=7)
    assert "'pending'" in sql
    assert sql.endswith("LIMIT 3")
    assert values == [7]


def test_one_name_may_have_several_places_and_each_name_needs_a_value(app):
    @compiled
    def seen():
        return User.update({User.seen_at: param_of(User.seen_at)}).where(User.created_at < Param("seen_at"))

    now = utcnow()
    assert [str(value) for value in seen.sql(seen_at=now)[1]] == [str(now), str(now)]  # SQLite keeps times as texts
    with pytest.raises(TypeError, match="a value for 'seen_at' is missing"):
        seen.execute()
    with pytest.raises(TypeError, match="no place for email"):
        seen.execute(seen_at=now, email="")


@pytest.mark.parametrize(
    "build",
    [
        lambda: TaskEvent.insert({TaskEvent.kind: param_of(TaskEvent.kind), TaskEvent.text: ""}),
        lambda: Task.select(Task.id).where(Task.run_at < utcnow()),
        lambda: Task.select(Task.id).where(Task.title == "100%"),
    ],
    ids=["a default of the model's", "the time at which it was built", "what is a placeholder to a driver"],
)
def test_a_constant_that_would_not_stay_the_same_is_refused(app, build):
    with pytest.raises(TypeError, match="use a Param"):
        compiled(build).sql(kind="log")
