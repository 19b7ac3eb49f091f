"""What tasks made, as programs of their owner get it."""

import tracemalloc
from datetime import timedelta
from uuid import uuid4

import pytest

from tasks.engine.models.artifact import CHUNK, Kind
from tasks.engine.retention import purge
from tasks.export_account import export_account
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, State, Task
from webapp.models.permissions import Role
from webapp.models.scopes import Scope


@pytest.fixture
def task(anns) -> Task:
    """One of Ann's that has succeeded."""
    return make_task(State.SUCCEEDED, anns.user)


def _names(answer) -> list[str]:
    return [item["name"] for item in answer.json["items"]]


def _content(artifact: Artifact) -> str:
    return f"/artifacts/{artifact.id}/content"


def test_an_artifact_says_what_it_is_and_where_its_content_is(anns, task):
    artifact = make_artifact(task, "posts.json", "[1, 2]")
    said = anns.get(f"/artifacts/{artifact.id}").json
    assert said["name"] == "posts.json"
    assert (said["kind"], said["content_type"], said["size"]) == ("file", "application/json", 6)
    assert (said["task"], said["expired"], said["url"], said["text"]) == (str(task.id), False, None, None)
    assert said["expires_at"].endswith("Z")
    assert anns.get(said["links"]["content"]).json == [1, 2]
    assert anns.get(said["links"]["self"]).json == said
    assert said["links"]["task"].endswith(f"/tasks/{task.id}")


def test_short_links_and_texts_are_told_at_once_and_long_ones_are_fetched(anns, task):
    make_artifact(task, "A link", "https://example.com/x", kind=Kind.LINK)
    make_artifact(task, "A text", "Grüße", kind=Kind.TEXT)
    long = make_artifact(task, "A long text", "x" * 5000, kind=Kind.TEXT)
    told = {each["name"]: (each["url"], each["text"]) for each in anns.get("/artifacts").json["items"]}
    assert told == {"A link": ("https://example.com/x", None), "A text": (None, "Grüße"), "A long text": (None, None)}
    answer = anns.get(_content(long))
    assert answer.mimetype == "text/plain"
    assert answer.text == "x" * 5000
    assert "Content-Disposition" not in answer.headers


def test_a_link_is_told_and_not_followed(anns, task):
    artifact = make_artifact(task, "A link", "https://example.com/x", kind=Kind.LINK)
    answer = anns.get(_content(artifact))
    assert (answer.status_code, answer.json) == (200, {"url": "https://example.com/x"})
    assert anns.get(_content(artifact), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_lists_are_newest_first_and_go_on_where_a_page_ended(anns, task):
    for number in range(5):
        make_artifact(task, f"{number}", created_at=utcnow() - timedelta(hours=5 - number))
    make_artifact(make_task(State.SUCCEEDED, anns.user), "of another", created_at=utcnow() - timedelta(days=1))
    make_artifact(name="of somebody else")
    for path, names in (
        ("/artifacts", ["4", "3", "2", "1", "0", "of another"]),
        (f"/tasks/{task.id}/artifacts", ["4", "3", "2", "1", "0"]),
    ):
        found, url = [], f"{path}?limit=4"
        while url:
            answer = anns.get(url)
            found += _names(answer)
            url = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert found == names


def test_a_cursor_is_good_for_its_list_alone(anns, task):
    for number in range(3):
        make_artifact(task, f"{number}")
    cursor = anns.get("/artifacts?limit=1").json["next"]
    assert anns.get(f"/tasks/{task.id}/artifacts?cursor={cursor}").status_code == 422


def test_what_a_task_was_given_is_among_all_files_as_on_the_page_of_storage(anns):
    task = make_task(State.SUCCEEDED, anns.user)
    upload = Artifact.keep(task, uuid4(), "posts.csv", [b"body\n"])
    assert _names(anns.get(f"/tasks/{task.id}/artifacts")) == []
    [said] = anns.get("/artifacts").json["items"]
    assert (said["kind"], said["expires_at"]) == ("upload", None)
    assert anns.get(_content(upload)).data == b"body\n"


def test_what_is_no_longer_kept_says_so(anns, task):
    artifact = make_artifact(task, expires_at=utcnow() - timedelta(minutes=1))
    purge()
    [said] = anns.get(f"/tasks/{task.id}/artifacts").json["items"]
    assert said["expired"]
    assert said["links"]["content"] is None
    answer = anns.get(_content(artifact))
    assert (answer.status_code, answer.json["type"]) == (410, "/developers/problems/gone")
    assert _names(anns.get("/artifacts")) == []


def test_a_copy_of_an_account_is_left_to_its_page_as_no_token_can_prove_who_asks(anns):
    task = make_task(State.SUCCEEDED, anns.user, name=export_account.name)
    artifact = make_artifact(task, "everything.zip")
    make_artifact(task, "Secret", "words", kind=Kind.TEXT)
    said = anns.get(f"/artifacts/{artifact.id}").json
    assert said["links"]["content"] is None
    for method in ("GET", "HEAD"):
        answer = anns.ask(method, _content(artifact))
        assert answer.status_code == 403
    assert f"/artifacts/{artifact.id}" in anns.get(_content(artifact)).json["detail"]
    assert not any(each["text"] for each in anns.get("/artifacts").json["items"])


def test_nobody_but_the_owner_gets_anything_whatever_their_role(anns, task, program_of):
    artifact = make_artifact(task)
    for role in Role:
        program = program_of(make_user(f"some_{role}", role=role))
        for path in (f"/artifacts/{artifact.id}", _content(artifact), f"/tasks/{task.id}/artifacts"):
            assert program.get(path).status_code == 404
        assert _names(program.get("/artifacts")) == []
    narrow = program_of(anns.user, *(set(Scope) - {Scope.ARTIFACTS_READ}))
    assert narrow.get(_content(artifact)).status_code == 403


# Parts


@pytest.fixture
def uneven(task) -> tuple[str, bytes]:
    """The path of a file of several chunks, and its content."""
    data = bytes(number * 7 % 251 for number in range(3 * CHUNK + 1000))
    return _content(make_artifact(task, "Übersicht.bin", data)), data


def test_a_download_goes_on_where_it_was_cut_off(anns, uneven):
    path, data = uneven
    whole = anns.get(path)
    assert whole.data == data
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "filename*=UTF-8''%C3%9Cbersicht.bin" in whole.headers["Content-Disposition"]
    etag = whole.headers["ETag"]
    half = CHUNK + 7
    rest = anns.get(path, headers={"Range": f"bytes={half}-", "If-Range": etag})
    assert (rest.status_code, rest.data) == (206, data[half:])
    assert rest.headers["Content-Range"] == f"bytes {half}-{len(data) - 1}/{len(data)}"
    assert anns.get(path, headers={"Range": "bytes=-5"}).data == data[-5:]
    assert anns.get(path, headers={"Range": f"bytes={half}-", "If-Range": '"another"'}).data == data
    assert anns.get(path, headers={"If-None-Match": etag}).status_code == 304
    answer = anns.get(path, headers={"Range": f"bytes={len(data)}-"})
    assert (answer.status_code, answer.json["type"]) == (416, "/developers/problems/range-not-satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(data)}"


def test_head_tells_the_size_and_reads_nothing(anns, uneven, queries):
    path, data = uneven
    anns.get("/user")  # which records that the token is used
    with queries() as seen:
        answer = anns.ask("HEAD", path)
    assert (answer.status_code, answer.data, answer.content_length) == (200, b"", len(data))
    assert seen.count == 3, "the token, the artifact, and where its chunks begin"


def test_a_large_file_takes_little_memory(anns, task):
    artifact = make_artifact(task, "large.bin", bytes(40 * CHUNK))
    tracemalloc.start()
    answer = anns.get(_content(artifact), buffered=False)
    size = sum(len(piece) for piece in answer.response)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 40 * CHUNK
    assert peak < 12 * CHUNK


def test_a_list_takes_as_many_queries_for_fifty_as_for_one(anns, task, queries):
    anns.get("/user")  # which records that the token is used
    counts = []
    for number in (1, 49):
        for _ in range(number):
            make_artifact(task, "A text", "words", kind=Kind.TEXT)
        with queries() as seen:
            anns.get("/artifacts")
        counts.append(seen.count)
    assert counts == [3, 3], "the token, the list, and the contents of texts"
