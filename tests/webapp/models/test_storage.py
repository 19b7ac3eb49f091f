"""What is stored for a person: the sums that triggers keep are those of a full count, whatever is written and deleted,
and nobody waits for anybody because of them."""

import random
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from peewee import fn

from tasks.engine import Upload
from tasks.engine.models.artifact import CHUNK, Kind
from tasks.engine.retention import purge
from tests.racing import race
from webapp.db import database
from webapp.dev.factories import make_artifact, make_draft, make_mailing, make_mailing_file, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.models import Artifact, ArtifactWriter, Mailing, MailingFile, State, StorageCount, Task, User
from webapp.models.quotas import OverQuota
from webapp.models.storage_count import StorageKind, demand_room, stored_by, stored_by_kind

OLD = timedelta(days=99)


def _full_count(user: User) -> dict[StorageKind, int]:
    sizes = Artifact.select(Artifact.kind, fn.SUM(Artifact.size)).join(Task)
    kept = dict(sizes.where(Task.user == user, Artifact.expired_at.is_null()).group_by(Artifact.kind).tuples())
    files = MailingFile.select(fn.SUM(fn.LENGTH(MailingFile.data))).join(Mailing).where(Mailing.user == user)
    mails = Mailing.select(Mailing.recipients, Mailing.body, Mailing.text, Mailing.html).where(Mailing.user == user)
    return {
        StorageKind.UPLOAD: int(kept.pop(Kind.UPLOAD, 0)),
        StorageKind.MADE: int(sum(kept.values())),
        StorageKind.ATTACHMENT: files.scalar() or 0,
        StorageKind.TEXT: sum(len(text.encode()) for mail in mails.tuples() for text in mail),
    }


def _upload(task: Task) -> None:
    with database.atomic():
        Artifact.keep(task, uuid4(), "a.csv", Upload("a.csv", b"x" * random.randint(0, 900)).chunks())


def _by_a_release_before(task: Task) -> None:
    now = utcnow()
    Artifact.insert(task=task, name="b", size=70, created_at=now, completed_at=now, expires_at=now + OLD).execute()


def _unfinished(task: Task) -> None:
    with suppress(KeyboardInterrupt), ArtifactWriter(task, uuid4().hex) as out:
        out.write("x" * (CHUNK + 1))
        out.flush()
        raise KeyboardInterrupt


ACTS = [
    lambda task: make_artifact(task, uuid4().hex, "ü" * random.randint(0, 900)),
    lambda task: make_artifact(task, uuid4().hex, "x", kind=Kind.TEXT, expires_at=utcnow() - OLD),
    _upload,
    _by_a_release_before,
    _unfinished,
    lambda task: task.remove(),
    lambda task: Task.update(finished_at=utcnow() - OLD).where(Task.id == task.id).execute(),
    lambda task: Artifact.delete().where(Artifact.task == task).execute(),
    lambda task: purge(),
    lambda task: make_mailing_file(make_mailing(task.user), data=b"x" * random.randint(0, 900)),
    lambda task: Mailing.begin_draft(task.user).write(recipients="ü@example.com", body="x" * random.randint(0, 900)),
    lambda task: Mailing.begin_draft(task.user).attach("a.txt", "text/plain", b"x" * random.randint(0, 900)),
    lambda task: Mailing.begin_draft(task.user).discard(),
    lambda task: [mail.keep("text", "html") for mail in Mailing.select().where(Mailing.user == task.user).limit(1)],
    lambda task: MailingFile.delete().where(MailingFile.mailing.in_(Mailing.visible_to(task.user))).execute(),
]


def test_the_sums_are_those_of_a_full_count_whatever_happens(each_database):
    people = [make_user(), make_user()]
    for turn in range(150):
        random.choice(ACTS)(make_task(State.SUCCEEDED, random.choice(people)))
        if turn % 10 == 0:
            assert [stored_by_kind(user.id) for user in people] == [_full_count(user) for user in people], turn
    counted = [stored_by_kind(user.id) for user in people]
    assert counted == [_full_count(user) for user in people]
    assert all(sum(count.values()) for count in counted)
    assert StorageCount.select().count() <= len(people) * len(StorageKind), "a row each, as they came one by one"
    people[0].delete_instance()
    assert not stored_by(people[0].id)
    assert stored_by_kind(people[1].id) == counted[1]


def test_whoever_counts_for_somebody_waits_for_nobody(make_app, emptied_postgres):
    make_app(database_url=emptied_postgres)
    ann = make_user("ann")
    make_artifact(make_task(State.SUCCEEDED, ann), data="12345")
    with psycopg.connect(emptied_postgres) as other:
        other.execute("UPDATE artifacts SET size = 6")
        database.execute_sql("SET lock_timeout = 200")
        make_artifact(make_task(State.SUCCEEDED, ann), data="123")
        make_artifact(make_task(State.SUCCEEDED, ann), data="1234")
    assert StorageCount.select(StorageCount.size).order_by(StorageCount.id).tuples()[:] == [(6,), (7,)]
    assert stored_by(ann.id) == 13


@pytest.mark.parametrize("url", ["", "emptied_postgres"], ids=["sqlite", "postgres"])
def test_two_at_once_do_not_both_get_the_last_room(request, make_app, url):
    on = {"database_url": request.getfixturevalue(url)} if url else {}
    make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(1000, 10)}, **on)
    ann = make_user("ann")

    def store():
        with database.atomic():
            demand_room(ann, 600)
            _upload_of(600, ann)

    assert sorted(map(str, race(4, store))) == ["None", *["more than 1000 of storage"] * 3]
    assert stored_by(ann.id) == 600


def _upload_of(size: int, user: User) -> None:
    task = Task.start(user, "countdown", "Count down", {})
    Artifact.keep(task, uuid4(), "a.csv", [b"x" * size])


def test_a_guest_has_less_room(make_app):
    make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(20, 10)})
    guest, ann = User.register_guest(), make_user("ann")
    with database.atomic():
        demand_room(ann, 20)
        demand_room(guest, 10)
        with pytest.raises(OverQuota) as refused:
            demand_room(guest, 11)
    assert refused.value.most == 10


def test_what_is_unlimited_costs_no_query(app, queries):
    with queries() as seen, database.atomic():
        demand_room(User(id=1), 10**12)
    assert seen.count == 0


def test_a_draft_of_somebody_else_counts_for_them_alone(app):
    ann, bob = make_user(), make_user()
    make_draft(ann, body="1234", recipients="")
    assert (stored_by_kind(ann.id)[StorageKind.TEXT], stored_by(bob.id)) == (4, 0)
