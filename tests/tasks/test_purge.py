"""The purge: what is old goes with all that belongs to it, a batch at a time, and never what is still under way."""

from datetime import timedelta

import pytest

from tasks.engine.limits import limits
from tasks.engine.purge import purge
from webapp.factories import make_artifact, make_task, make_user
from webapp.models import Artifact, ArtifactChunk, Notification, Shape, State, Task, TaskEvent, User
from webapp.models.state import FINISHED
from webapp.times import utcnow

DAY = timedelta(days=1)


def _old() -> dict:
    return {"finished_at": utcnow() - limits.keep_tasks - DAY, "created_at": utcnow() - limits.keep_tasks - 2 * DAY}


@pytest.mark.parametrize("state", State)
def test_only_what_ended_long_ago_goes(app, state):
    make_task(state, **_old() if state in FINISHED else {"created_at": utcnow() - timedelta(days=999)})
    recent = make_task(State.SUCCEEDED, finished_at=utcnow() - limits.keep_tasks + DAY)
    assert purge(100) == (state in FINISHED)
    assert Task.select().count() == (1 if state in FINISHED else 2)
    assert Task.get_by_id(recent.id)


@pytest.mark.parametrize("state", sorted(set(State) - FINISHED))
def test_what_is_tried_again_after_long_is_under_way(app, state):
    make_task(state, **_old())
    assert purge(100) == 0


def test_a_task_goes_with_its_parts_its_timeline_its_files_and_its_news(app):
    whole = make_task(State.SUCCEEDED, kind=Shape.GROUP, name="", **_old())
    part = make_task(State.SUCCEEDED, whole.user, parent=whole, root=whole, **_old())
    make_artifact(part, data="x")
    assert purge(100) == 1
    assert not any(model.select().exists() for model in (Task, TaskEvent, Notification, Artifact, ArtifactChunk))


def test_a_part_goes_with_its_whole_and_not_before(app):
    whole = make_task(State.IN_PROGRESS, kind=Shape.GROUP, name="", lease_until=None, owner=None)
    make_task(State.SUCCEEDED, whole.user, parent=whole, root=whole, **_old())
    assert purge(100) == 0


def test_it_goes_a_batch_at_a_time_the_oldest_first(app):
    user = make_user()
    for days in (3, 1, 2):
        make_task(State.FAILED, user, title=f"{days}", finished_at=utcnow() - limits.keep_tasks - days * DAY)
    assert purge(2) == 2
    assert [task.title for task in Task.select()] == ["1"]
    assert (purge(2), purge(2)) == (1, 0)


def test_a_file_leaves_its_name_and_no_content(app):
    expired = make_artifact(name="old.txt", data="x" * 600_000, expires_at=utcnow() - DAY)
    kept = make_artifact(name="new.txt", data="new")
    assert purge(100) == 1
    artifact = Artifact.get_by_id(expired.id)
    assert (artifact.name, artifact.size, artifact.read()) == ("old.txt", 600_000, b"")
    assert artifact.expired_at
    assert Artifact.get_by_id(kept.id).read() == b"new"
    assert purge(100) == 0, "once"


def test_a_file_is_kept_for_as_long_as_the_settings_say(app):
    artifact = make_artifact()
    assert limits.keep_artifacts - DAY < artifact.expires_at - utcnow() <= limits.keep_artifacts


def test_files_expire_a_batch_at_a_time(app):
    for _ in range(3):
        make_artifact(expires_at=utcnow() - DAY)
    assert [purge(2), purge(2), purge(2)] == [2, 1, 0]


def test_the_pages_of_its_owner_hear_of_it_and_nobody_elses(each_database):
    owner, other = make_user(), make_user()
    make_task(State.SUCCEEDED, other)
    make_task(State.SUCCEEDED, owner, **_old())
    artifact = make_artifact(make_task(State.SUCCEEDED, owner), expires_at=utcnow() - DAY)
    before = [User.get_by_id(user.id).changes for user in (owner, other)]
    assert purge(100) == 2
    after = [User.get_by_id(user.id).changes for user in (owner, other)]
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert Artifact.get_by_id(artifact.id).expired_at
