"""Everything of an account in one ZIP file: all that is theirs, nothing of anybody else's, and no secret."""

import io
import json
import tracemalloc
import zipfile
from datetime import timedelta
from itertools import count

import pytest
from peewee import CharField, JSONField, TextField
from playhouse.fields import EnumField

from tasks.engine import run
from tasks.engine.models.sealed import sealed
from tasks.export_account import REPLACED, export_account
from tasks.lib import account_zip, streamed_zip
from tasks.lib.exported import EXPORTED, Column, Excused, Exported, Inside, about_how_large
from tests.tasks.conftest import Killed
from webapp.dev.account_factories import make_api_token, make_block, make_email_change, make_picture, make_report
from webapp.dev.desk_factories import make_audit_entry, make_suspension
from webapp.dev.factories import (
    make_artifact,
    make_draft,
    make_form_key,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notification,
    make_post,
    make_posts,
    make_task,
    make_user,
)
from webapp.dev.mail_factories import make_suppression
from webapp.lib.times import utcnow
from webapp.models import (
    MODELS,
    AccountMail,
    Artifact,
    Deletion,
    Delivery,
    ErrorReport,
    FailureGroup,
    ForceEnd,
    FormerName,
    IdempotencyKey,
    KindControl,
    Leader,
    MailCount,
    MailPace,
    Message,
    NoticeCount,
    OutcomeMail,
    PictureUpload,
    RateCount,
    RecoveryCode,
    Session,
    SiteAlert,
    State,
    Task,
    TaskEvent,
    User,
    Worker,
    statistics,
)

OF_NOBODY = {
    Deletion,
    ErrorReport,
    FailureGroup,
    KindControl,
    Leader,
    MailPace,
    RateCount,
    SiteAlert,
    Worker,
    *statistics.MODELS,
}


def _unpacked(task: Task) -> dict[str, bytes]:
    """What is in the ZIP file that a task has made, which is whole."""
    [artifact] = Artifact.completed([task])[task]
    with zipfile.ZipFile(io.BytesIO(artifact.read())) as file:
        assert file.testzip() is None
        assert len(file.namelist()) == len(set(file.namelist()))
        return {name: file.read(name) for name in file.namelist()}


def _json(files: dict[str, bytes]) -> dict[str, object]:
    return {name: json.loads(data) for name, data in files.items() if name.endswith(".json") and "/" not in name}


@pytest.fixture
def export(run_tasks):
    """A function that exports everything of somebody; returns the files in the ZIP file."""

    def export(user: User) -> dict[str, bytes]:
        task = export_account.launch(user)
        run_tasks()
        assert (task.reload().state, task.done) == (State.SUCCEEDED, task.total), task.error
        return _unpacked(task)

    return export


def _everything_of(user: User, other: User) -> None:
    """A row of every model for somebody; where a model is new, add one here."""
    make_post(user)
    make_message(user, other)
    make_message(other, user)
    make_artifact(task := make_task(State.SUCCEEDED, user), data="a file")
    make_task(State.SUCCEEDED, user, parent=task, root=task)
    ForceEnd.create(task=task, fencing_token="t")
    make_notification(user)
    make_mailing_file(mail := make_mailing(user))
    MailCount.begin(mail).add()
    make_suppression(user)
    make_block(user, other)
    make_report(user, make_post(other))
    make_draft(user)
    make_form_key(user)
    IdempotencyKey.create(user=user, key="k", request="r")
    make_email_change(user)
    OutcomeMail.create(user=user, task=task, ended_at=task.finished_at)
    Session.begin(user, f"key of {user.id}")
    AccountMail.put("password_changed", "x", user)
    make_api_token(user)
    RecoveryCode.create(user=user, salt="00", code_hash="00")
    make_audit_entry(user)
    make_suspension(user, task)
    make_picture(user)
    NoticeCount.take(user)
    FormerName.give_up(user.id, f"former-{user.id}")
    PictureUpload.create(user=user, token="x", data=b"x")


_numbers = count(100)


def _mark(model: type, row: object) -> dict[str, str]:
    """Give each text of a row a word that occurs nowhere else; returns the word of each column."""
    words: dict[str, str] = {}
    changes: dict[str, object] = {}
    for name, column in model._meta.fields.items():
        if name.endswith("phrase"):
            changes[name] = None
        elif column.primary_key or isinstance(column, EnumField) or name == "draft_key":
            continue
        elif isinstance(column, JSONField):
            words[name] = f"Zq{next(_numbers)}x"
            changes[name] = {"any": words[name]}
        elif isinstance(column, CharField | TextField):
            words[name] = changes[name] = f"Zq{next(_numbers)}x"
    if model is Task:
        words["secret"] = f"Zq{next(_numbers)}x"
        changes["arguments"] = {"any": words["arguments"], "password": sealed(words["secret"])}
    if changes:
        model.update(changes).where(model._meta.primary_key == _key(model, row)).execute()
    return words


def _key(model: type, row: object) -> object:
    return row.__data__["id"] if "id" in row.__data__ else row.get_id()  # a User gives the key of its sessions


def _rows(model: type) -> dict[str, object]:
    return {str(_key(model, row)): row for row in model.select()}


def test_everything_of_theirs_is_there_and_nothing_of_others_and_no_secret(app, export):
    cem, ann, bob = make_user(), make_user(), make_user()
    _everything_of(cem, make_user())
    before = {model: _rows(model) for model in MODELS}
    _everything_of(ann, bob)
    there, elsewhere = {}, {}
    for model in MODELS:
        rows, row_of_table = _rows(model), EXPORTED[model]
        theirs = {key for key in rows.keys() - before[model].keys()} | ({str(ann.id)} if model is User else set())
        assert theirs or model in OF_NOBODY, f"make a {model.__name__} in _everything_of, above"
        for key, row in rows.items():
            is_theirs = key in theirs and row.__data__.get("user", ann.id) == ann.id
            for name, word in _mark(model, row).items():
                told = not isinstance(row_of_table, Excused) and isinstance(row_of_table.columns.get(name), Column)
                is_named = model is User and name == "username" and row == bob
                place = there if (is_theirs and told) or is_named else elsewhere
                place[word] = f"{model.__name__}.{name} of {key}"
    files = export(User.get_by_id(ann.id))
    all_text = b"\n".join([name.encode() + b"\n" + data for name, data in files.items()]).decode(errors="replace")
    assert not {where for word, where in there.items() if word not in all_text}, "theirs, and missing"
    assert not {where for word, where in elsewhere.items() if word in all_text}, "secret, or of others"
    assert len(there) > 60 < len(elsewhere)
    assert set(_json(files)) == {row.file for row in EXPORTED.values() if isinstance(row, Exported)}
    for row in (*_json(files)["artifacts.json"], *_json(files)["attachments.json"]):
        assert len(files[row["path"]]) == row["size"] > 0


def test_the_readme_tells_every_file_and_every_field(app, export):
    user = make_user("ann")
    files = export(user)
    text = files["README.txt"].decode()
    assert next(iter(files)) == "README.txt"
    assert "Everything in the account ann at Errand" in text
    for name, rows in _json(files).items():
        assert f"\r\n{name}\r\n---" in text
        for field in rows if isinstance(rows, dict) else (rows or [{}])[0]:
            assert f"\r\n  {field}: " in text, f"{name}: {field}"
    for row in EXPORTED.values():
        if isinstance(row, Excused):
            assert row.why in " ".join(text.split()), "what is not here is said"
        elif isinstance(row, Inside):
            assert f"\r\n  {row.name}: {row.words}; a list with\r\n" in text


def test_what_each_file_says(each_database, export):
    ann, bob = make_user("ann", email="ann@example.com"), make_user("bob", email="bob@example.com")
    post = make_post(ann, 'Grüße 👋 \u2028 "so"')
    make_message(ann, bob, "hello")
    make_message(bob, ann, "hello yourself")
    Message.update(read_at=utcnow()).execute()
    task = make_task(State.SUCCEEDED, ann)
    make_mailing(ann, ("x@example.com", "y@example.com"))
    said = _json(export(ann))
    assert said["posts.json"] == [
        {"id": post.id, "body": 'Grüße 👋 \u2028 "so"', "timestamp": f"{post.created_at.isoformat()}Z"}
        | {"edited_at": None, "task": None}
    ]
    told = [(message["sender"], message["recipient"], message["body"]) for message in said["messages.json"]]
    assert told == [("ann", "bob", "hello"), ("bob", "ann", "hello yourself")]
    read = [(message["is_read"], message["read_at"] is not None) for message in said["messages.json"]]
    assert read == [(True, False), (True, True)], "when somebody else read one is theirs to know"
    assert [row["partner"] for row in said["conversations.json"]] == ["bob"]
    [hers, *_] = said["tasks.json"]
    assert (hers["id"], hers["title"], len(hers["timeline"])) == (str(task.id), "Count down from 40", 3)
    [mail] = said["mails.json"]
    assert [delivery["address"] for delivery in mail["deliveries"]] == ["x@example.com", "y@example.com"]
    account = said["account.json"]
    assert (account["username"], account["email"], account["has_password"]) == ("ann", "ann@example.com", True)
    assert "bob@example.com" not in json.dumps(said)


def test_a_guest_who_has_just_come_gets_a_file_of_almost_nothing(app, export):
    user = make_user(guest=True)
    said = _json(export(user))
    assert said["posts.json"] == said["messages.json"] == said["mails.json"] == []
    assert said["account.json"]["has_password"] is False
    assert about_how_large(user) < 10_000


def test_texts_and_links_are_files_as_well_and_what_has_expired_is_told_without_its_content(app, export):
    task = make_task(State.SUCCEEDED, user := make_user())
    made = {kind: make_artifact(task, "../a result", "content", kind=kind) for kind in ("text", "link", "upload")}
    gone = make_artifact(task, "gone", expired_at=utcnow())
    files = export(user)
    paths = {row["id"]: row["path"] for row in _json(files)["artifacts.json"]}
    assert paths[str(made["link"].id)].endswith("/_a result.txt")
    assert files[paths[str(made["text"].id)]] == files[paths[str(made["upload"].id)]] == b"content"
    assert paths[str(gone.id)] is None
    assert all(".." not in name for name in files)


def test_the_file_of_an_earlier_export_is_not_in_it_and_is_let_go_of(app, export, run_tasks):
    user, other = make_user(), make_user()
    kept = export_account.launch(other)
    export(user)
    first = Task.get(Task.user == user)
    files = export(user)
    assert _json(files)["artifacts.json"] == []
    assert not [name for name in files if name.startswith("files/")]
    assert len(_json(files)["tasks.json"]) == 2
    [old] = Artifact.completed([first])[first]
    assert old.expires_at <= utcnow()
    assert Artifact.completed([kept])[kept][0].expires_at > utcnow() + timedelta(days=6), "somebody else's"
    assert Artifact.select().count() == 3, "what a run keeps for itself is gone"


def test_an_export_that_was_left_off_does_not_go_on_after_a_later_one(app, live_on, monkeypatch, export):
    task = export_account.launch(user := make_user())
    with monkeypatch.context() as patch:
        patch.setattr(streamed_zip.StreamedZip, "end", lambda *_: 1 / 0)
        assert live_on(task).state == State.FAILED
        assert live_on(export_account.launch(user)).state == State.FAILED
    gone = {row.task_id: row.expires_at is not None for row in Artifact.select()}
    assert gone[task.id], "however often it is begun anew, one file that is not whole is kept"
    assert set(gone.values()) == {True, False}
    export(user)
    task.retry()
    assert live_on(task).state == State.FAILED
    assert task.error == str(REPLACED())


def _busy(user: User) -> None:
    """More of everything than is written at once."""
    make_posts(user, 7)
    for number in range(3):
        make_message(user, make_user(f"friend-{number}"))
        task = make_task(State.SUCCEEDED, user, title=f"Task {number}")
        for line in range(number * 3):
            TaskEvent.create(task=task, kind="log", text=f"line {line}")
        make_artifact(task, data=b"0123456789" * 70_000 if number else b"")
        mailing = make_mailing(user, tuple(f"{n}@example.com" for n in range(number * 2 + 1)))
        make_mailing_file(mailing)


@pytest.mark.parametrize("where", ["write", "begin", "end_member", "end", "finish"])
def test_runs_that_are_killed_leave_nothing_out_and_write_nothing_twice(app, live_on, monkeypatch, where, checkpoints):
    checkpoints(hold=0, every=0)
    monkeypatch.setattr(account_zip, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(account_zip, "PIECES_AT_ONCE", 1)
    _busy(user := make_user())
    calls, killed = count(), []

    def dying(function):
        def call(*arguments):
            result = function(*arguments)
            if next(calls) % 7 == 3 and len(killed) < 15:
                killed.append(1)
                raise Killed
            return result

        return call

    owner = run.Run if where == "finish" else streamed_zip.StreamedZip
    if where in ("end", "finish"):
        calls = count(3)
    monkeypatch.setattr(owner, where, dying(getattr(owner, where)))
    task = live_on(export_account.launch(user))
    assert task.state == State.SUCCEEDED, task.error
    assert killed
    _is_whole(_unpacked(task), user)
    assert Artifact.select().where(Artifact.task == task).count() == 1


def _is_whole(files: dict[str, bytes], user: User) -> None:
    said = _json(files)
    assert [post["body"] for post in said["posts.json"]] == [f"Post {n}" for n in range(1, 8)]
    assert len(said["messages.json"]) == len(said["conversations.json"]) == 3
    titles = [(row["title"], len(row["timeline"])) for row in said["tasks.json"] if row["title"].startswith("Task ")]
    assert titles == [("Task 0", 3), ("Task 1", 6), ("Task 2", 9)]
    for row in said["tasks.json"]:
        assert len({str(line) for line in row["timeline"]}) == len(row["timeline"])
    addresses = [[each["address"] for each in row["deliveries"]] for row in said["mails.json"]]
    assert addresses == [[f"{n}@example.com" for n in range(number)] for number in (1, 3, 5)]
    sizes = sorted(len(files[row["path"]]) for row in said["artifacts.json"])
    assert sizes == [0, 700_000, 700_000]
    assert len(said["attachments.json"]) == 3


def test_what_is_deleted_in_the_middle_leaves_a_file_that_can_be_read(app, live_on, monkeypatch, kill):
    monkeypatch.setattr(account_zip, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(account_zip, "PIECES_AT_ONCE", 1)
    _busy(user := make_user())
    mailing = make_mailing(user, tuple(f"{n}@example.com" for n in range(9)), subject="Deleted")
    checkpoint = run.Run.checkpoint

    def deletes(self: run.Run) -> None:
        checkpoint(self)
        place = self.cursor
        if place["inside"] and place["inside"][0] == str(mailing.id):
            Delivery.delete().where(Delivery.mailing == mailing.id).execute()
            mailing.delete_instance()
            kill("in a mail")
        if place["file"]:
            Artifact.delete().where(Artifact.name == "posts.json").execute()
            kill("in a file")

    monkeypatch.setattr(run.Run, "checkpoint", deletes)
    task = live_on(export_account.launch(user))
    assert (task.state, task.done) == (State.SUCCEEDED, task.total), task.error
    said = _json(_unpacked(task))
    assert [row["subject"] for row in said["mails.json"]][-1] == "Deleted"
    assert said["mails.json"][-1]["deliveries"]


def test_memory_does_not_grow_with_what_there_is(app, run_tasks):
    def peak(number: int) -> int:
        make_posts(user := make_user(), number, body="x" * 400)
        task = export_account.launch(user)
        tracemalloc.start()
        run_tasks()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert task.reload().state == State.SUCCEEDED
        return most

    peak(1)
    assert peak(5000) < peak(1500) + 400_000, "1.4 MB more of posts, and no more memory"
