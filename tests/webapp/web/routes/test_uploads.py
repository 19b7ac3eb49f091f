"""Files that people give a task: chosen in its form, checked before it starts, and kept with it for it alone."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import pytest

from tasks.engine import Accept, Count, Run, TaskError, Undo, Upload
from tasks.engine.config import config
from tasks.engine.models.artifact import CHUNK, Kind
from tasks.engine.retention import purge
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, State, Task

HTMX = {"HX-Request": "true"}


@pytest.fixture
def app(each_database):
    """On both databases: how they keep bytes is their own."""
    return each_database


@pytest.fixture
def read_file(declare):
    """A task function of one file, in the catalogue; it leaves what it read."""

    @declare(title="Read {file}")
    def read_file(task: Run, file: Annotated[Upload, Accept(".txt", ".csv")], times: int = 1):
        """Reads it."""
        task.attach(f"copy of {file.name}", file.read() * times)

    return read_file


@pytest.fixture
def read_files(declare):
    """A task function of up to three files, in the catalogue."""

    @declare(title="Read files")
    def read_files(task: Run, files: Annotated[list[Upload], Count(1, 3)]):
        """Reads them."""
        task.attach("names.txt", "\n".join(f"{file.name} {file.size}" for file in files))

    return read_files


def _file(name: str, data: bytes = b"some text") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def _made(task: Task) -> dict[str, bytes]:
    return {artifact.name: artifact.read() for artifact in Artifact.completed([task])[task]}


# The form


def test_the_form_asks_for_a_file_of_the_right_kind(ann, read_file):
    page = ann.get("/tasks/new/read_file")
    field = page.one("#file")
    assert (field["type"], field["accept"], field.has_attr("multiple")) == ("file", ".txt,.csv", False)
    assert page.one("main form[action]")["enctype"] == "multipart/form-data"
    assert page.one(f"#{field['aria-describedby'].strip()}").text == ".txt or .csv, up to 10 MB."


def test_the_form_asks_for_several_files(ann, read_files):
    page = ann.get("/tasks/new/read_files")
    assert page.one("#files").has_attr("multiple")
    assert page.one("#files-hint").text == "1 to 3 files. Up to 10 MB in total."


def test_a_form_without_files_is_sent_as_ever(ann):
    assert not ann.get("/tasks/new/countdown").one("main form[action]").has_attr("enctype")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (None, "Choose a file."),
        ("just text", "Choose a file."),
        (("", b""), "Choose a file."),
        (("empty.txt", b""), "That file is empty."),
        (("picture.png", b"x"), "picture.png has the wrong file type. Use .txt or .csv."),
        (("csv", b"x"), "csv has the wrong file type"),
        (("large.txt", b"x" * 1025), "That file is too large. The limit is 0.000977 MB."),
    ],
)
def test_a_wrong_file_is_told_at_the_field_and_starts_nothing(ann, read_file, configure, sent, words):
    configure(max_upload=1024)
    fields = {} if sent is None else {"file": sent if isinstance(sent, str) else _file(*sent)}
    answer = ann.submit("/tasks/new/read_file", times="7", **fields)
    assert answer.status_code == 422
    assert words in answer.one("#file-error").text
    assert answer.one("#file")["aria-invalid"] == "true"
    had_file = isinstance(sent, tuple) and bool(sent[0])
    assert ("Please choose it again." in answer.one("#file-hint").text) == had_file
    assert answer.one("#times")["value"] == "7"
    assert not Task.select().exists()
    assert not Artifact.select().exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "Choose at least one file."),
        ([("a.txt", b"a")] * 4, "Choose 1 to 3 files. You chose 4."),
        ([("a.txt", b"a"), ("b.txt", b"")], "b.txt is empty."),
    ],
)
def test_wrong_files_are_named(ann, read_files, files, words):
    answer = ann.submit("/tasks/new/read_files", files=[_file(*file) for file in files])
    assert answer.status_code == 422
    assert words in answer.one("#files-error").text
    assert not Task.select().exists()


@pytest.fixture
def narrow(app):
    """A site that takes hardly anything: a quarter of a megabyte."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], max_upload=256 * 1024)
    app.config["MAX_CONTENT_LENGTH"] = 260 * 1024


TOO_LARGE, WORDS = b"x" * 300 * 1024, "Files can total 0.25 MB. You sent 0.3 MB."


def test_a_file_that_is_much_too_large_meets_the_page_that_says_so(ann, read_file, narrow):
    answer = ann.submit("/tasks/new/read_file", times="1", file=_file("a.txt", TOO_LARGE))
    assert answer.status_code == 413
    assert WORDS in answer.words
    assert answer.one("main form input[name=times]")["value"] == "1", "what was before it is still there"
    assert "Please choose again: a.txt" in answer.words
    fields = {field["name"]: field["value"] for field in answer.page.select("main form input[type=hidden]")}
    again = ann.post("/tasks/new/read_file", data=fields | {"file": _file("a.txt", b"x")})
    assert (again.status_code, Task.get().arguments["times"]) == (303, 1)


def test_a_form_that_htmx_sent_and_that_is_much_too_large_stays_and_says_so(ann, read_file, narrow):
    sent = _file("a.txt", TOO_LARGE)
    answer = ann.submit("/tasks/new/read_file/preview", times="1", file=sent, headers=HTMX)
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (413, False)
    assert WORDS in answer.one("[hx-target='#flashes']").text
    assert answer.one("[hx-target='#preview']").text == "", "what was shown of another file goes"


# What the task gets


def test_a_file_reaches_its_task(ann, read_file, run_waiting):
    data = bytes(range(256)) * 1700
    answer = ann.submit("/tasks/new/read_file", times="2", file=_file("data.TXT", data))
    [task] = Task.select()
    assert (answer.status_code, task.title) == (303, "Read data.TXT")
    [upload] = Artifact.select()
    assert task.arguments["file"] == {"id": str(upload.id), "name": "data.TXT", "size": len(data)}
    assert (upload.kind, upload.size, upload.number) == (Kind.UPLOAD, len(data), -(-len(data) // CHUNK))
    run_waiting()
    assert task.reload().state == State.SUCCEEDED
    assert _made(task) == {"copy of data.TXT": data * 2}, "and the upload is not among what it made"


def test_several_files_reach_their_task_in_order(ann, read_files, run_waiting):
    ann.submit("/tasks/new/read_files", files=[_file("b.txt", b"1"), _file("a.txt", b"22"), _file("b.txt", b"333")])
    run_waiting()
    assert _made(Task.get()) == {"names.txt": b"b.txt 1\na.txt 2\nb.txt 3"}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("C:\\Users\\ann\\a.txt", "a.txt"),
        ("../../etc/a.txt", "a.txt"),
        ("a\r\nb\x00\u202e.txt", "ab.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("Übersicht 名前 👋.txt", "Übersicht 名前 👋.txt"),
    ],
)
def test_the_name_of_a_file_is_no_path_and_can_be_read(sent, name):
    assert Upload(sent, b"x").name == name
    assert Upload("/", b"x").name == "file"


def test_a_task_starts_with_a_file_from_code_too(app, read_file, run_waiting):
    user = make_user()
    for given in (b"bytes", io.BytesIO(b"a stream")):
        task = read_file.launch(user, file=Upload("a.txt", given))
        again = read_file.launch(user, file=Upload("a.txt", given))
        run_waiting()
        assert _made(task) == _made(again) != {}


def test_retry_works_on_the_same_file(declare, app, run_waiting):
    read = []

    @declare(title="Fail once")
    def fail_once(task: Run, file: Upload):
        read.append(file.read())
        if len(read) == 1:
            raise TaskError("Once.")

    task = fail_once.launch(make_user(), file=Upload("a.txt", b"kept"))
    run_waiting()
    assert task.reload().state == State.FAILED
    task.retry()
    run_waiting()
    assert (task.reload().state, read) == (State.SUCCEEDED, [b"kept", b"kept"])


def test_an_artifact_named_like_an_upload_is_another_file(declare, app, run_waiting):
    @declare(title="Copy")
    def copy(task: Run, file: Upload):
        with task.artifact(file.name) as out:
            out.write(file.read().upper())

    task = copy.launch(make_user(), file=Upload("a.txt", b"text"))
    run_waiting()
    assert _made(task) == {"a.txt": b"TEXT"}
    assert Artifact.select().count() == 2


def test_a_file_that_does_not_fit_starts_nothing(app, read_file):
    """It is written in the transaction that writes the task: neither is there without the other."""
    user = make_user()

    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        read_file.launch(user, file=Upload("a.txt", Broken(b"x")))
    assert not Task.select().exists()
    assert not Artifact.select().exists()


# Whose it is, and for how long


def test_an_upload_is_its_owners_alone(ann, bob, read_file):
    ann.submit("/tasks/new/read_file", times="1", file=_file("a.txt", b"<b>mine</b>"))
    upload = Artifact.get()
    answer = ann.get(f"/artifacts/{upload.id}")
    assert (answer.status_code, answer.data) == (200, b"<b>mine</b>")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert bob.get(f"/artifacts/{upload.id}").status_code == 404
    assert str(upload.id) not in ann.get(f"/tasks/{Task.get().id}").get_data(as_text=True)


def test_an_upload_goes_with_its_task(ann, read_file, run_waiting):
    ann.submit("/tasks/new/read_file", times="1", file=_file("a.txt"))
    run_waiting()
    ann.submit(f"/tasks/{Task.get().id}/deletion")
    assert not Artifact.select().exists()
    assert not ArtifactChunk.select().exists()


def test_an_upload_is_purged_with_its_task_and_not_before(ann, read_file, run_waiting):
    ann.submit("/tasks/new/read_file", times="1", file=_file("a.txt"))
    run_waiting()
    assert purge() == 0
    Task.update(finished_at=utcnow() - config().keep_tasks - timedelta(days=1)).execute()
    purge()
    assert not ArtifactChunk.select().exists()


# Once more


def test_a_finished_task_can_be_run_again_with_changes(ann, read_file, run_waiting):
    ann.submit("/tasks/new/read_file", times="5", file=_file("a.txt"))
    task = Task.get()
    assert "Run again" not in ann.get(f"/tasks/{task.id}").words
    run_waiting()
    link = ann.get(f"/tasks/{task.id}").one("a.button[href^='/tasks/new/']")
    page = ann.get(link["href"])
    assert page.one("#times")["value"] == "5"
    assert "Please choose it again." in page.one("#file-hint").text


def test_a_task_without_arguments_has_no_form_to_run_it_with_changes(ann, declare):
    @declare(title="Plain")
    def plain(task):
        """Ask for nothing."""

    task = make_task(State.SUCCEEDED, ann.user, name="plain", arguments={})
    assert "Run again" not in ann.get(f"/tasks/{task.id}").words


def test_nobody_sees_the_values_of_somebody_elses_task(ann, bob):
    task = make_task(State.SUCCEEDED, ann.user, arguments={"seconds": 77})
    assert ann.get(f"/tasks/new/countdown?like={task.id}").one("#seconds")["value"] == "77"
    assert bob.get(f"/tasks/new/countdown?like={task.id}").status_code == 404
    assert ann.get(f"/tasks/new/export_posts?like={task.id}").status_code == 404
    assert ann.get("/tasks/new/countdown?like=nonsense").one("#seconds")["value"] == "60"


# A way back


@pytest.fixture
def undoable(ann, declare):
    """Ann's finished task that can be taken back while `left` says that there is something left."""
    left = [True]

    @declare(title="Undo: {title}", one_at_a_time=("task_id",))
    def take_back(task: Run, task_id: str, title: str):
        left.clear()

    @declare(title="Do it", undo=Undo("Undo this", take_back, lambda _: bool(left)))
    def do_it(task: Run):
        """Does it."""

    return make_task(State.SUCCEEDED, ann.user, name="do_it", title="Do it", arguments={})


def test_a_finished_task_is_taken_back_by_another(ann, undoable, run_waiting):
    button = ann.get(f"/tasks/{undoable.id}").one("button[formaction$=undo]")
    answer = ann.submit(button["formaction"])
    undoing = Task.get(Task.name == "take_back")
    assert (answer.location, undoing.title) == (f"/tasks/{undoing.id}", "Undo: Do it")
    assert undoing.arguments == {"task_id": str(undoable.id), "title": "Do it"}
    run_waiting()
    assert not ann.get(f"/tasks/{undoable.id}").page.select("button[formaction$=undo]")
    ann.submit(button["formaction"])
    assert "nothing left to undo" in ann.get("/").words
    assert Task.select().where(Task.name == "take_back").count() == 1


def test_a_task_that_is_being_undone_links_to_the_undo(ann, undoable, run_waiting):
    ann.submit(f"/tasks/{undoable.id}/undo")
    undoing = Task.get(Task.name == "take_back")
    page = ann.get(f"/tasks/{undoable.id}")
    assert not page.page.select("button[formaction$=undo]")
    assert page.one(".offers a")["href"] == f"/tasks/{undoing.id}"
    assert "every 5s" in page.one("article.task")["hx-trigger"], "the page says by itself when that has ended"
    undoing.cancel()
    page = ann.get(f"/tasks/{undoable.id}")
    assert page.one("button[formaction$=undo]"), "it can be asked for again"
    assert "every 5s" not in page.one("article.task")["hx-trigger"]


def test_a_second_press_of_undo_starts_nothing(ann, undoable):
    ann.submit(f"/tasks/{undoable.id}/undo")
    ann.submit(f"/tasks/{undoable.id}/undo")
    assert "hasn’t finished yet" in ann.get("/").words
    assert Task.select().where(Task.name == "take_back").count() == 1


@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS, State.PAUSED])
def test_an_active_task_is_not_undone(ann, undoable, state):
    task = make_task(state, ann.user, name="do_it", arguments={})
    assert not ann.get(f"/tasks/{task.id}").page.select("button[formaction$=undo]")
    ann.submit(f"/tasks/{task.id}/undo")
    assert not Task.select().where(Task.name == "take_back").exists()


def test_nobody_takes_back_what_is_somebody_elses_or_has_no_way_back(ann, bob, undoable):
    assert bob.submit(f"/tasks/{undoable.id}/undo").status_code == 404
    assert ann.submit(f"/tasks/{make_task(State.SUCCEEDED, ann.user).id}/undo").status_code == 404
    assert ann.get("/tasks/new/take_back").status_code == 404, "nor is the way back one of the things to start"
