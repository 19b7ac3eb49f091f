"""Artifacts of runs that are killed: the next one goes on behind what counts, without a gap and without a duplicate."""

import pytest

from tasks.engine.models.artifact import CHUNK
from webapp.dev.factories import make_user
from webapp.models import Artifact, ArtifactChunk, Post, State

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture(params=[0.0, 60.0], ids=["a checkpoint after each step", "one at the end"])
def hold(request, checkpoints):
    """For how long steps that write share a transaction."""
    checkpoints(hold=request.param, every=request.param)


@pytest.fixture
def each_step(checkpoints):
    checkpoints(every=0.0)


def _contents() -> list[tuple[str, bytes]]:
    """Everything that its owner sees."""
    made = Artifact.select().where(Artifact.completed_at.is_null(False)).order_by(Artifact.created_at)
    return [(artifact.name, artifact.read()) for artifact in made]


@pytest.mark.parametrize(
    "size", [1, CHUNK // 3, CHUNK, 2 * CHUNK + 1], ids="a byte|a third|a chunk|two and a bit".split("|")
)
def test_a_file_is_whole_whenever_its_writer_was_killed(declare, live_on, hold, kill, size):
    @declare(title="Write")
    def write(task):
        with task.artifact("numbers.txt") as out:
            if out.size == 0:
                out.write("begin\n")
            for number in task.each(range(6)):
                if number in (0, 3):
                    kill(number)
                out.write(str(number) * size)
                if number in (3, 4):
                    kill(f"after {number}")
            out.write("end\n")

    task = live_on(write.launch(make_user()))
    parent = "begin\n" + "".join(str(number) * size for number in range(6)) + "end\n"
    assert task.state == State.SUCCEEDED
    assert _contents() == [("numbers.txt", parent.encode())]
    [artifact] = Artifact.select()
    assert artifact.size == len(parent)
    assert artifact.number == ArtifactChunk.select().count()


def test_a_complete_artifact_is_not_written_again(declare, live_on, each_step, kill):
    ids = []

    @declare(title="Write")
    def write(task):
        with task.artifact("first.txt") as out:
            for number in task.each(range(3)):
                out.write(str(number))
            out.write("." if not ids else "again?")
        ids.append(out.artifact.id)
        task.attach("note", text="once" if len(ids) == 1 else "twice")
        for number in task.each(range(3)):
            Post.create(user=task.user, body=str(number))
            kill(number)

    live_on(write.launch(make_user()))
    assert _contents() == [("first.txt", b"012."), ("note", b"once")]
    assert len(set(ids)) == 1


def test_artifacts_of_the_same_name_are_kept_apart(declare, live_on, each_step, kill):
    @declare(title="Write")
    def write(task):
        for letter in "ab":
            with task.artifact("same.txt") as out:
                for number in task.each(range(3)):
                    out.write(f"{letter}{number} ")
                    kill(letter) if number == 1 else None
        task.attach("same.txt", "c")

    live_on(write.launch(make_user()))
    assert _contents() == [("same.txt", b"a0 a1 a2 "), ("same.txt", b"b0 b1 b2 "), ("same.txt", b"c")]


def test_steps_that_each_leave_one_of_the_same_name_leave_all_of_them(declare, live_on, hold, kill):
    @declare(title="Write")
    def write(task):
        task.attach("same.txt", "before")
        for letter in "ab":
            for number in task.each(range(3)):
                task.attach("same.txt", f"{letter}{number}")
                if number == 1:
                    kill(letter)
        task.attach("same.txt", "after")

    live_on(write.launch(make_user()))
    assert [content for _, content in _contents()] == [b"before", b"a0", b"a1", b"a2", b"b0", b"b1", b"b2", b"after"]


def test_a_checkpoint_within_a_step_does_not_count_what_the_step_left(declare, live_on, each_step, kill):
    @declare(title="Write")
    def write(task):
        for number in task.each(range(3), every_step=True):
            task.attach("same.txt", str(number))
            task.checkpoint()
            if number == 1:
                kill("after a checkpoint of its own, and so it is made again")

    live_on(write.launch(make_user()))
    assert [content for _, content in _contents()] == [b"0", b"1", b"2"]


def test_a_run_that_begins_anew_makes_everything_anew(declare, live_on, kill):
    @declare(title="Write")
    def write(task):
        task.attach("note", text="before")
        kill("before any checkpoint")
        task.attach("note", text="after")

    live_on(write.launch(make_user()))
    assert _contents() == [("note", b"before"), ("note", b"after")]
    assert Artifact.select().count() == ArtifactChunk.select().count() == 2


def test_a_file_that_was_not_finished_is_kept_for_the_next_try_and_shown_to_nobody(declare, live_on, each_step):
    failing = [True]

    @declare(title="Write")
    def write(task):
        with task.artifact("numbers.txt") as out:
            for number in task.each(range(4)):
                if number == 2 and failing:
                    raise LookupError
                out.write(str(number))

    task = live_on(write.launch(make_user()))
    assert task.state == State.FAILED
    assert Artifact.completed([task]) == {task: []}
    failing.clear()
    task.retry()
    live_on(task)
    assert _contents() == [("numbers.txt", b"0123")]


def test_attach_leaves_a_file_a_link_or_a_text(execute):
    def leave_things(task):
        task.attach("a.bin", b"\x00\xff")
        task.attach("there", url="https://example.com/?q=1")
        task.attach("note", text="Grüße")

    task = execute(leave_things)
    made = {artifact.name: (artifact.kind, artifact.read()) for artifact in Artifact.completed([task])[task]}
    assert made == {
        "a.bin": ("file", b"\x00\xff"),
        "there": ("link", b"https://example.com/?q=1"),
        "note": ("text", "Grüße".encode()),
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//example.com", ""])
def test_attach_refuses_a_link_that_is_not_to_the_web(execute, url):
    def link(task):
        task.attach("link", url=url)

    assert execute(link).state == State.FAILED
    assert not Artifact.select().exists()


def test_attach_takes_one_thing(execute):
    def attach_two(task):
        task.attach("two", "data", text="text")

    def attach_none(task):
        task.attach("none")

    assert execute(attach_two).state == execute(attach_none).state == State.FAILED
    assert not Artifact.select().exists()


def test_a_file_for_the_tasks_own_use_goes_on_in_the_next_run_and_is_never_seen(declare, live_on, each_step, kill):
    read = []

    @declare(title="Write")
    def write(task):
        with task.artifact("notes", is_shown=False) as notes:
            for number in task.each(range(4)):
                notes.write(str(number))
                if number == 2:
                    kill(number)
            task.checkpoint()
            read.append(b"".join(notes.artifact.chunks()))

    live_on(write.launch(make_user()))
    assert read == [b"0123"]
    assert _contents() == []
