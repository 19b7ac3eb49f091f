"""What a task made, as its owner gets it."""

import tracemalloc
from contextlib import suppress
from datetime import timedelta

import pytest
from werkzeug.http import parse_options_header

from tasks.engine.retention import purge
from webapp.dev.factories import make_artifact, make_task
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, ArtifactWriter, State
from webapp.models.task.artifact import CHUNK, Kind


def _filename(answer) -> str:
    """The name under which a browser would keep the answer."""
    assert answer.headers["Content-Disposition"].isascii(), "gunicorn sends no other header"
    return parse_options_header(answer.headers["Content-Disposition"])[1]["filename"]


def test_a_file_is_downloaded_as_it_was_written(ann):
    data = bytes(range(256)) * 5000
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "data.bin", data)
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert answer.status_code == 200
    assert answer.data == data
    assert int(answer.headers["Content-Length"]) == artifact.size == len(data)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("posts.json", "posts.json"),
        ("my posts.json", "my posts.json"),
        ("Übersicht 名前 👋.csv", "Übersicht 名前 👋.csv"),
        ("50%25.txt", "50%25.txt"),
        ("a'b;c=d.txt", "a'b;c=d.txt"),
        ('a"b.txt', "a_b.txt"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\windows\\x.exe", "C:_windows_x.exe"),
        ("a\r\nSet-Cookie: x=y", "a__Set-Cookie: x=y"),
        ("a\x00b\u202egpj.exe", "a_b_gpj.exe"),
        (".htaccess", "htaccess"),
        ("...", "download"),
    ],
)
def test_a_hostile_name_breaks_no_header_and_no_path(ann, name, kept):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), name)
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert _filename(answer) == kept
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "script.js", "feed.xml"])
def test_a_file_that_could_run_is_only_ever_downloaded(ann, name):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), name, "<script>alert(1)</script>")
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_text_is_read_as_text(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "note.html", "<b>Grüße</b>", kind=Kind.TEXT)
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == "<b>Grüße</b>"
    assert "Content-Disposition" not in answer.headers


def test_a_link_is_followed(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "there", "https://example.com/?q=1", kind=Kind.LINK)
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert (answer.status_code, answer.location) == (303, "https://example.com/?q=1")


def test_an_unfinished_file_is_not_there(ann):
    task = make_task(State.IN_PROGRESS, ann.user)
    with ArtifactWriter(task, "posts.json") as out:
        out.write(b"x" * (CHUNK + 1))
        path = f"/artifacts/{out.artifact.id}"
        assert ann.get(path).status_code == 404
        assert path not in ann.get(f"/tasks/{task.id}").text
    assert ann.get(path).status_code == 200
    assert path in ann.get(f"/tasks/{task.id}").text


def test_an_empty_file_is_a_file(ann):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "empty.txt", "")
    answer = ann.get(f"/artifacts/{artifact.id}")
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "0")


def test_a_visitor_is_asked_to_sign_in(visitor):
    artifact = make_artifact()
    assert visitor.get(f"/artifacts/{artifact.id}").location == f"/login?next=/artifacts/{artifact.id}"


def test_a_big_file_is_written_and_served_a_piece_at_a_time(ann):
    piece = b"x" * 10_000
    tracemalloc.start()
    with ArtifactWriter(make_task(State.SUCCEEDED, ann.user), "big.bin") as out:
        for _ in range(1000):
            out.write(piece)
    answer, size, largest = ann.get(f"/artifacts/{out.artifact.id}", buffered=False), 0, 0
    for chunk in answer.response:
        size, largest = size + len(chunk), max(largest, len(chunk))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 10_000_000
    assert largest <= CHUNK
    assert peak < 4_000_000


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_content_is_kept_in_pieces_without_a_gap(app, size):
    data = bytes(i % 251 for i in range(size))
    artifact = make_artifact(data=data)
    assert artifact.read() == data
    assert artifact.size == size
    numbers = [chunk.number for chunk in ArtifactChunk.select().order_by(ArtifactChunk.number)]
    assert numbers == list(range(-(-size // CHUNK)))


def test_a_failed_write_leaves_nothing_that_anybody_sees_and_goes_with_the_next_start(app):
    task = make_task(State.IN_PROGRESS)
    with suppress(KeyboardInterrupt), ArtifactWriter(task, "x") as out:
        out.write(b"x" * (CHUNK + 1))
        assert ArtifactChunk.select().exists()
        raise KeyboardInterrupt
    assert Artifact.completed([task]) == {task: []}
    Artifact.discard(task)
    assert not Artifact.select().exists()
    assert not ArtifactChunk.select().exists()


@pytest.mark.parametrize("kind", Kind)
def test_what_has_expired_says_so(ann, bob, kind):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "x", "https://example.com/", kind=kind)
    address = f"/artifacts/{artifact.id}"
    assert ann.get(address).status_code in {200, 303}
    Artifact.update(expires_at=utcnow() - timedelta(seconds=1)).execute()
    purge()
    answer = ann.get(address)
    assert answer.status_code == 410
    assert "expired" in answer.words
    assert bob.get(address).status_code == 404
