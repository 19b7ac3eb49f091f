"""Run: what a task function says by it of its task."""

from datetime import timedelta

import pytest

from tasks.engine import executor
from webapp.dev.factories import make_user
from webapp.models import Task

LEASE = timedelta(seconds=15)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


def _claim(number: int = 1) -> list[Task]:
    return [task for _ in range(number) if (task := Task.claim(LEASE))]


def test_a_task_can_rename_itself(ann, declare):
    @declare(title="Import {name}")
    def bring(task, name: str):
        task.rename(f"Import 12 posts from {name}")
        titles.append(ann.get("/").one(f"#task-{task.id} .title").text)

    titles = []
    task = bring.launch(ann.user, name="a.csv")
    executor.execute_next()
    assert titles == ["Import 12 posts from a.csv"]
    assert task.reload().title == titles[0]
    assert "Import 12 posts from a.csv finished" in ann.get("/notifications").words


def test_a_run_that_lost_its_lease_cannot_rename_its_task(app, declare):
    @declare()
    def bring(task):
        pass

    bring.launch(make_user())
    [lost] = _claim()
    Task.update(fencing_token="another").where(Task.id == lost.id).execute()
    lost.rename("Mine")
    assert Task.get_by_id(lost.id).title == "Bring"
