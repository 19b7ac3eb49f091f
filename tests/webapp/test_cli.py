"""Commands for operators."""

from datetime import timedelta

from webapp.dev.factories import make_artifact, make_task
from webapp.lib.times import utcnow
from webapp.models import Artifact, State, Task


def _run(app, *command: str) -> str:
    result = app.test_cli_runner().invoke(args=command)
    assert result.exit_code == 0, result.output
    return result.output


def test_purging_deletes_all_that_is_old_and_says_how_much(app):
    old, new = make_task(State.SUCCEEDED), make_task(State.SUCCEEDED)
    Task.update(finished_at=utcnow() - timedelta(days=31)).where(Task.id == old.id).execute()
    artifact = make_artifact(new)
    Artifact.update(expires_at=utcnow() - timedelta(hours=1)).where(Artifact.id == artifact.id).execute()
    assert "Purged 2 " in _run(app, "tasks", "purge")
    assert [task.id for task in Task.select()] == [new.id]
    assert "Purged 0 " in _run(app, "tasks", "purge")
