"""A backup that is made while a worker writes, and a site that goes on from it."""

import sqlite3
from contextlib import closing

import pytest

from tests.guarantees.sites import Workshop, assert_stamped_once, assert_written_once, is_under_way
from tests.guarantees.worker import stamp, write_lines
from tests.processes import until
from webapp.models import Post, Task, TaskEvent


@pytest.mark.parametrize("shared_site", ["sqlite"], indirect=True)
def test_a_backup_of_a_busy_site_has_all_that_was_committed_and_can_be_gone_on_with(site, user, tmp_path):
    site.worker()
    tasks = [stamp.launch(user, steps=100, pause=0.2), write_lines.launch(user, lines=100, pause=0.2)]
    until(lambda: all(map(is_under_way, tasks)))
    posts, events = Post.select().count(), TaskEvent.select().count()
    site.run("flask", "--app", "webapp.wsgi", "backup", str(tmp_path / "data"))
    assert Post.select().count() > posts, "its worker writes meanwhile"
    site.kill_worker()
    for task in tasks:
        task.cancel()

    with closing(sqlite3.connect(f"file:{tmp_path / 'data' / 'errand.db'}?mode=ro", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT count(*) FROM posts").fetchone() >= (posts,)
        assert copy.execute("SELECT count(*) FROM task_events").fetchone() >= (events,)

    restored = Workshop(tmp_path)
    try:
        with restored.entered():
            for task in tasks:
                assert is_under_way(task), "as it was then"
                Task.update(arguments=task.arguments | {"pause": 0}).where(Task.id == task.id).execute()
            restored.start_worker()
            assert_stamped_once(tasks[0])
            assert_written_once(tasks[1])
    finally:
        restored.close()
