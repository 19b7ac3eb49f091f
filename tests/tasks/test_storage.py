"""Tasks of somebody who has no room left: they fail in words and soon, leave nothing half done, and can be retried."""

import pytest

from tasks.engine import Run, Upload
from tasks.engine.allowance import GRANT
from tasks.export_posts import export_posts
from tasks.import_posts import import_posts
from webapp.dev.factories import make_artifact, make_posts, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.models import Artifact, ArtifactChunk, Post, State, StorageCount, Task, User
from webapp.models.storage_count import stored_by

pytestmark = pytest.mark.usefixtures("no_heartbeat")
MB = 1_000_000
FULL = (
    "You can store 2 MB, and this would be more. Delete some of your files under Settings → Storage, then try again."
    " Settings → Storage lists them."
)


@pytest.fixture
def app(make_app):
    """Where an account may store 2 MB, and import 3 rows; a guest half of that, and 2 rows."""
    return make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(2 * MB, MB), Quota.IMPORT_ROWS: Most(3, 2)})


@pytest.fixture
def execute(declare, run_waiting):
    """A function that executes a task function for somebody; returns the task."""

    def execute(body, user: User, **options) -> Task:
        task = declare(title="A task of a test", **options)(body).launch(user)
        run_waiting()
        return task.reload()

    return execute


def test_a_task_that_makes_too_much_is_stopped_soon_and_leaves_nothing(execute):
    written = []

    def make_much(task: Run):
        """Writes 20 MB."""
        with task.artifact("much.bin") as out:
            for _ in range(200):
                out.write(b"x" * 100_000)
                written.append(1)

    task = execute(make_much, ann := make_user())
    assert (task.state, task.error_words()) == (State.FAILED, FULL)
    assert len(written) == 20, "2 MB, and not a byte more"
    assert not Artifact.select().exists()
    assert stored_by(ann.id) == 0


def test_what_a_step_made_stands_and_a_retry_goes_on_once_there_is_room(execute, run_waiting, checkpoints):
    checkpoints(hold=0)
    other = make_artifact(make_task(State.SUCCEEDED, ann := make_user()), data="x" * MB)

    def make_three(task: Run):
        """Makes three files of 0.6 MB."""
        for number in task.each(range(3), every_step=True):
            task.attach(f"{number}.bin", b"x" * 600_000)

    task = execute(make_three, ann)
    assert (task.state, task.done) == (State.FAILED, 1)
    assert task.error_words() == FULL
    assert [made.name for made in Artifact.completed([task])[task]] == ["0.bin"]
    assert stored_by(ann.id) == 1_600_000
    other.delete_instance()
    task.retry()
    run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert [made.size for made in Artifact.completed([task])[task]] == [600_000] * 3


def test_each_run_asks_about_once_a_megabyte(execute, queries, make_app):
    asked = []

    def make_many(task: Run):
        """Makes many files."""
        with queries() as seen:
            for number in range(50):
                task.attach(f"{number}.txt", "x")
        asked.append([query for query in seen.get_queries() if "storage_counts" in str(query.msg)])

    make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(3 * GRANT, None)})
    assert execute(make_many, make_user()).state == State.SUCCEEDED
    assert len(asked[0]) == 1


def test_what_was_declared_so_may_exceed_it_and_counts(execute):
    def make_all(task: Run):
        """Makes 3 MB."""
        task.attach("all.zip", b"x" * 3 * MB)

    assert execute(make_all, ann := make_user(), may_exceed_storage=True).state == State.SUCCEEDED
    assert stored_by(ann.id) == 3 * MB


def test_what_the_site_does_for_itself_may_exceed_it(execute):
    def make_all(task: Run):
        """Makes 3 MB."""
        task.attach("all.zip", b"x" * 3 * MB)

    assert execute(make_all, make_user(), internal=True).state == State.SUCCEEDED


def test_a_text_and_a_link_count_too(execute):
    def leave(task: Run):
        """Leaves a text and a link."""
        task.attach("note", text="12345")
        task.attach("site", url="https://example.com/")

    execute(leave, ann := make_user())
    assert stored_by(ann.id) == 5 + len("https://example.com/")
    assert [count.kind for count in StorageCount.select()] == ["made"]


def test_a_file_that_its_owner_deleted_is_not_made_again_by_a_retry(run_waiting):
    make_posts(ann := make_user(), 2)
    task = export_posts.launch(ann)
    run_waiting()
    Artifact.update(deleted_at=task.created_at, expired_at=task.created_at).execute()
    Task.update(state=State.FAILED).execute()
    task.reload().retry()
    run_waiting()
    words = "You deleted posts.json, which this task needs. Start a new task instead."
    assert (task.reload().state, task.error_words()) == (State.FAILED, words)


# Rows


def test_a_file_of_more_rows_than_the_quota_is_refused_before_anything_is_imported(run_waiting):
    ann, guest = make_user(), User.register_guest()
    fits, too_many, as_guest = [
        import_posts.launch(user, file=Upload("posts.csv", b"body\n" + b"x\n" * rows))
        for user, rows in ((ann, 3), (ann, 4), (guest, 3))
    ]
    run_waiting()
    assert fits.reload().state == State.SUCCEEDED
    assert too_many.reload().error_words() == "A file can have 3 rows, and this one has more."
    assert as_guest.reload().error_words() == "A file can have 2 rows, and this one has more."
    assert Post.select().count() == 3
    assert not ArtifactChunk.select().join(Artifact).where(Artifact.name == "errors.csv").exists()
