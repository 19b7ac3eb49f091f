"""What a task made, as its owner gets it."""

import re
import tracemalloc
from contextlib import suppress
from datetime import timedelta

import pytest
from werkzeug.http import parse_options_header

from tasks.engine.models.artifact import CHUNK, Kind
from tasks.engine.retention import purge
from webapp.dev.factories import make_artifact, make_task
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactChunk, ArtifactWriter, State


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
        ("C:\\windows\\x.exe", "C__windows_x.exe"),
        ("a\r\nSet-Cookie: x=y", "aSet-Cookie_ x=y"),
        ("a\x00b\u202egpj.exe", "abgpj.exe"),
        ("con.txt", "_con.txt"),
        ("名" * 200, "名" * 85),
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


@pytest.mark.parametrize("name", ["名前.csv", "名前", "👋"])
def test_a_program_that_reads_ascii_alone_gets_a_name_that_is_not_hidden(ann, name):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), name)
    disposition = ann.get(f"/artifacts/{artifact.id}").headers["Content-Disposition"]
    [plain] = re.findall(r"filename=\"?([^;\"]*)\"?;", disposition)
    assert plain == name.encode("ascii", "replace").decode().replace("?", "_")


# Parts


@pytest.fixture
def uneven(ann):
    """A file of several chunks, no two of one length, as checkpoints leave them."""
    data = bytes(i * 7 % 251 for i in range(3 * CHUNK + 1000))
    with ArtifactWriter(make_task(State.SUCCEEDED, ann.user), "uneven.bin") as out:
        for start, stop in ((0, 10), (10, CHUNK + 500), (CHUNK + 500, len(data))):
            out.write(data[start:stop])
            out.flush()
    return out.artifact, data


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 1),
        ("bytes=9-10", 9, 11),
        (f"bytes={CHUNK - 1}-{CHUNK + 700}", CHUNK - 1, CHUNK + 701),
        (f"bytes={2 * CHUNK}-", 2 * CHUNK, None),
        (f"bytes={3 * CHUNK}-99999999999999999999", 3 * CHUNK, None),
        ("bytes=-5", -5, None),
    ],
)
def test_a_download_that_was_interrupted_goes_on_where_it_was(ann, uneven, asked, first, stop):
    artifact, data = uneven
    parent = ann.get(f"/artifacts/{artifact.id}")
    assert (parent.status_code, parent.data, parent.headers["Accept-Ranges"]) == (200, data, "bytes")
    part = ann.get(f"/artifacts/{artifact.id}", headers={"Range": asked, "If-Range": parent.headers["ETag"]})
    assert part.status_code == 206
    assert part.data == data[first:stop]
    assert int(part.headers["Content-Length"]) == len(part.data)
    begin = first % len(data)
    assert part.headers["Content-Range"] == f"bytes {begin}-{begin + len(part.data) - 1}/{len(data)}"
    for name in ("Content-Disposition", "Content-Type", "X-Content-Type-Options", "Cache-Control"):
        assert part.headers[name] == parent.headers[name]


def _contents(seen) -> list[str]:
    """The queries that fetched a chunk."""
    return [query.msg[0] for query in seen.get_queries() if re.search(r'SELECT.*"data"(?!\)).*FROM', query.msg[0])]


def test_the_rest_of_a_file_is_read_without_its_beginning(ann, uneven, queries):
    artifact, data = uneven
    with queries() as seen:
        part = ann.get(f"/artifacts/{artifact.id}", headers={"Range": f"bytes={len(data) - 10}-"})
    assert part.data == data[-10:]
    assert len(_contents(seen)) == 1


def test_a_range_of_another_version_is_answered_with_the_whole_artifact(ann, uneven):
    artifact, data = uneven
    other = make_artifact(make_task(State.SUCCEEDED, ann.user), "other.bin")
    version = ann.get(f"/artifacts/{other.id}").headers["ETag"]
    answer = ann.get(f"/artifacts/{artifact.id}", headers={"Range": "bytes=5-", "If-Range": version})
    assert (answer.status_code, answer.data) == (200, data)


def test_an_artifact_in_the_browsers_cache_is_answered_304(ann, uneven):
    artifact, _ = uneven
    version = ann.get(f"/artifacts/{artifact.id}").headers["ETag"]
    answer = ann.get(f"/artifacts/{artifact.id}", headers={"If-None-Match": version})
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize(
    "asked", ["bytes=5-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=0-0,-1" * 500, "pages=1-2", "\xff", "bytes=-999999999"]
)
def test_who_asks_for_no_part_or_for_several_gets_all(ann, uneven, asked):
    artifact, data = uneven
    answer = ann.get(f"/artifacts/{artifact.id}", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (200, data)


@pytest.mark.parametrize("asked", ["bytes=999999999-", f"bytes={3 * CHUNK + 1000}-"])
def test_a_part_behind_the_end_is_refused_in_words(ann, uneven, asked):
    artifact, data = uneven
    answer = ann.get(f"/artifacts/{artifact.id}", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(data)}"
    assert "Content-Disposition" not in answer.headers
    assert answer.one("h1").text


def test_who_asks_only_about_a_file_reads_none_of_it(ann, uneven, queries):
    artifact, data = uneven
    with queries() as seen:
        answer = ann.head(f"/artifacts/{artifact.id}")
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", str(len(data)))
    assert _contents(seen) == []


@pytest.mark.parametrize("headers", [{"Range": "bytes=3-"}, {"If-None-Match": "*"}])
def test_nobody_else_gets_a_part(bob, uneven, headers):
    artifact, _ = uneven
    assert bob.get(f"/artifacts/{artifact.id}", headers=headers).status_code == 404


# Kinds


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
def test_an_expired_artifact_answers_410(ann, bob, kind):
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user), "x", "https://example.com/", kind=kind)
    address = f"/artifacts/{artifact.id}"
    assert ann.get(address).status_code in {200, 303}
    Artifact.update(expires_at=utcnow() - timedelta(seconds=1)).execute()
    purge()
    answer = ann.get(address)
    assert answer.status_code == 410
    assert "expired" in answer.words
    assert bob.get(address).status_code == 404
