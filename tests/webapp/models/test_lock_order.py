"""Locks: what people, workers and the sweeper do at once ends in no circle of those who wait for each other.

On PostgreSQL, where rows are locked one by one, and a server that finds a circle ends one of those in it.
"""

import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from peewee import OperationalError, fn

from tasks.act_on_tasks import start
from tasks.count_words import count_words
from tasks.engine import Upload, chain, chord, executor, group
from tasks.engine.kind_sweep import sweep_kinds
from tasks.engine.models.bulk import press
from tasks.engine.models.waiting_users import notify_waiting_users
from tasks.engine.retention import purge
from tasks.send_mail import change, submit
from tests.processes import until
from tests.racing import race
from webapp.db import database, demand_transaction
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_artifact, make_draft, make_notification, make_posts, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.models import (
    AccountMail,
    AlreadyRunning,
    Artifact,
    Blocked,
    Conversation,
    Deletion,
    DraftGone,
    EmailChange,
    FormKey,
    IdempotencyKey,
    IllegalTransition,
    KindControl,
    Made,
    Mailing,
    Message,
    Notification,
    Post,
    Session,
    State,
    StoredAttachment,
    Suspension,
    Task,
    User,
    audit,
    blocking,
    message_changes,
    rename,
    suspension_work,
)
from webapp.models.attached_files import delete_attachments
from webapp.models.audit import Asker, Audited, Via
from webapp.models.bulk_actions import BULK_NAME, act
from webapp.models.bulk_actions.selection import select_some
from webapp.models.bulk_actions.snapshot import take_snapshot
from webapp.models.file_deletion import delete_of_finished_tasks
from webapp.models.idempotency_key import InProgress
from webapp.models.notification_kinds import FAILED
from webapp.models.rate_count import TooMany
from webapp.models.storage_count import stored_by

LEASE = timedelta(seconds=15)
SECONDS = 0.8  # in which acts collide; a wrong order is found in a tenth of that
OLD = timedelta(days=99)

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def no_heartbeat(configure):
    """Workers in threads, of which none has a heartbeat."""
    configure(heartbeat=False)


@pytest.fixture
def app(make_app, emptied_postgres):
    """The app on a PostgreSQL that looks for circles at once, and not after a second."""
    url = emptied_postgres
    with psycopg.connect(url, autocommit=True) as connection:
        [name] = connection.execute("SELECT current_database()").fetchone()
        connection.execute(f'ALTER DATABASE "{name}" SET deadlock_timeout = 20')
    return make_app(database_url=url)


def collide(
    *acts, allowed: tuple[type[Exception], ...] = (IllegalTransition, AlreadyRunning, Task.DoesNotExist)
) -> None:
    """Do each of these in a thread of its own, again and again. Whatever one may not raise fails the test."""
    end, waiting, done, enough = time.monotonic() + SECONDS, list(acts), [], 5 * len(acts)

    def repeat():
        act = waiting.pop()
        while act not in done or len(done) <= enough or time.monotonic() < end:
            with suppress(allowed):
                act()
            done.append(act)

    assert race(len(acts), repeat) == [None] * len(acts)
    assert set(done) == set(acts), "each has come by"
    assert len(done) > enough


def test_whose_row_is_held_for_seconds_their_tasks_start_and_end_all_the_same(app, emptied_postgres):
    ann = make_user("ann")
    with psycopg.connect(emptied_postgres) as other:
        other.execute("SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE", (ann.id,))  # as User.hold does
        database.execute_sql("SET lock_timeout = 200")
        Task.start(ann, "countdown", "Count down", {})
        Task.claim(LEASE).succeed()
    assert [task.state for task in Task.of(ann)] == [State.SUCCEEDED]
    assert User.get_by_id(ann.id).changes > 0


def test_marking_all_as_read_collides_with_what_others_write(app):
    ann, others = make_user("ann"), [make_user() for _ in range(2)]
    collide(
        lambda: Notification.read(ann),
        lambda: Message.send(others[0], ann, "Hello"),
        lambda: Message.send(others[1], ann, "Hello"),
        lambda: Message.read(ann, others[0]),
    )


def test_marking_all_as_read_collides_with_what_is_told_of_tasks_that_change(app):
    ann = make_user("ann")

    def end():
        task = make_task(State.IN_PROGRESS, ann)
        task.fail("It broke.")

    def latest() -> Task:
        return Task.of(ann).order_by(Task.id).get()

    end()
    collide(
        end,
        lambda: latest().dismiss(),
        lambda: latest().retry(),
        lambda: Notification.read(ann),
        lambda: Notification.read(ann, Notification.about(latest().id)),
        lambda: latest().remove(),
    )


def test_people_who_write_to_each_other_at_once(app):
    ann, bob, eve = make_user("ann"), make_user("bob"), make_user("eve")
    collide(
        lambda: Message.send(ann, bob, "Hello"),
        lambda: Message.send(bob, ann, "Hello"),
        lambda: Message.send(bob, eve, "Hello"),
        lambda: Message.send(eve, ann, "Hello"),
    )
    assert Message.select().where(Message.recipient == ann, Message.read_at.is_null()).count() > 1


def test_people_who_write_change_what_they_wrote_and_block_each_other_at_once(app):
    ann, bob = make_user("ann"), make_user("bob")
    Message.send(bob, ann, "Hello")

    def latest() -> Message:
        return Message.select().order_by(Message.id.desc()).get()

    collide(
        lambda: Message.send(ann, bob, "Hello"),
        lambda: Message.send(bob, ann, "Hello"),
        lambda: Message.read(ann, bob),
        lambda: message_changes.edit(ann, Message.select().where(Message.sender == ann).get(), str(utcnow())),
        lambda: message_changes.delete(latest()),
        lambda: blocking.block(ann, bob),
        lambda: blocking.block(bob, ann),
        lambda: (blocking.unblock(ann, bob), blocking.unblock(bob, ann)),
        allowed=(Blocked, message_changes.Changed, message_changes.TooLate, Message.DoesNotExist),
    )
    unread = Message.select().where(Message.recipient == ann, Message.read_at.is_null()).count()
    assert Conversation.get(Conversation.user == ann).unread == unread
    blocking.block(ann, bob)
    assert Notification.unread_messages(ann) == 0
    blocking.unblock(ann, bob)
    assert Notification.unread_messages(ann) == unread


def test_the_sweeper_that_tells_who_waits_collides_with_what_they_write(app):
    people = [make_user() for _ in range(6)]
    for user in reversed(people):
        make_task(State.PENDING, user)
    collide(
        lambda: notify_waiting_users(timedelta(seconds=90), moved=True),
        lambda: notify_waiting_users(timedelta(seconds=90), moved=True),
        lambda: Message.send(people[0], people[5], "Hello"),
        lambda: Message.send(people[4], people[1], "Hello"),
    )


def test_the_purge_collides_with_people_who_read_retry_and_delete(app):
    ann = make_user("ann")

    @database.atomic()
    def begin():
        tasks = [make_task(State.FAILED, ann, finished_at=utcnow() - OLD) for _ in range(4)]
        for task in tasks:
            make_notification(ann, kind=FAILED, task=task)
            make_posts(ann, 2, task=task.id)

    begin()
    collide(
        begin,
        purge,
        lambda: Notification.read(ann),
        lambda: Task.of(ann).get().remove(),
        lambda: Task.of(ann).where(Task.state == State.FAILED).get().retry(),
        lambda: press("cancel", Task.of(ann), most=5),
    )


def test_an_undo_that_deletes_posts_collides_with_the_deletion_of_their_task(app, declare):
    @declare(title="Forget")
    def forget(task):
        for post in task.each(Post.select().where(Post.user == task.user)):
            post.delete_instance()

    ann = make_user("ann")

    @database.atomic()
    def begin():
        time.sleep(0.01)  # else there are ever more to forget
        make_posts(ann, 20, task=make_task(State.SUCCEEDED, ann, title="Import").id)

    begin()
    collide(
        begin,
        lambda: forget.launch(ann) and executor.execute_next(),
        lambda: Task.of(ann).where(Task.title == "Import").get().remove(),
        lambda: Notification.read(ann),
    )
    assert not Task.select().where(Task.state == State.RETRYING).exists(), "no run was ended by the server"


def test_a_press_for_many_collides_with_the_workers_that_have_them(app, declare):
    @declare(title="Work", retries=1)
    def work(task):
        for _ in task.each(range(3)):
            make_artifact(Task.get_by_id(task.id), "a.txt", "x")

    ann = make_user("ann")
    collide(
        lambda: [work.launch(ann) for _ in range(5)],
        executor.execute_next,
        executor.execute_next,
        lambda: press("cancel", Task.of(ann), most=5),
        lambda: press("dismiss", Task.of(ann), most=5),
        lambda: press("remove", Task.of(ann), most=5),
    )
    assert not Task.select().where(Task.state == State.RETRYING).exists(), "no run was ended by the server"


def test_the_cancel_of_a_workflow_collides_with_the_ends_of_its_parts(app, declare):
    @declare(title="Part")
    def part(task):
        task.advance()

    ann = make_user("ann")

    def cancel():
        time.sleep(0.005)  # so that some of them are running by now
        Task.of(ann).where(Task.finished_at.is_null()).get().cancel()

    collide(
        lambda: chord([part.s(), group(part.s(), part.s())], chain(part.s(), part.s())).launch(ann),
        executor.execute_next,
        executor.execute_next,
        cancel,
        lambda: Task.of(ann).where(Task.state == State.CANCELED).get().retry(),
        lambda: press("dismiss", Task.select().where(Task.parent.is_null(False)), most=5),
    )


def test_a_workflow_with_what_must_be_alone_collides_with_its_end(app, declare):
    @declare(title="Alone", one_at_a_time=True)
    def alone(task):
        task.advance()

    @declare(title="Part")
    def part(task):
        task.advance()

    ann = make_user("ann")
    collide(
        lambda: chain(part.s(), alone.s()).launch(ann),
        lambda: alone.launch(ann),
        executor.execute_next,
        executor.execute_next,
        lambda: Task.of(ann).where(Task.state == State.CANCELED).get().retry(),
        lambda: press("cancel", Task.of(ann), most=1),
    )


def test_mails_that_are_written_sent_and_copied_at_once(app):
    ann = make_user("ann", email="ann@example.com")
    later = utcnow() + timedelta(hours=1)

    def send():
        draft = make_draft(ann, send_at=later)
        submit(draft, ["bea@example.com"], 100_000)

    def edit():
        mailing = Mailing.select().where(Mailing.user == ann, Mailing.task.is_null(False)).get()
        draft = Mailing.begin_draft(ann, mailing)
        draft.write(subject="Other", send_at=later)
        change(mailing, draft, ["cem@example.com"], 100_000)

    send()
    collide(
        send,
        edit,
        lambda: Mailing.select().where(Mailing.draft_key.is_null()).get().copy(replacing=True),
        lambda: press("cancel", Task.of(ann), most=2),
        lambda: press("remove", Task.of(ann), most=2),
        allowed=(IllegalTransition, DraftGone, Mailing.DoesNotExist, Task.DoesNotExist),
    )


def test_an_address_is_asked_for_confirmed_removed_and_undone_at_once(app):
    ann = make_user("ann", email="ann@example.com")

    def latest():
        return EmailChange.select().order_by(EmailChange.id.desc()).get()

    def person():
        return User.get_by_id(ann.id)

    collide(
        lambda: EmailChange.request(person(), "new@example.com", send=True),
        lambda: latest().confirm(),
        lambda: latest().confirm(),
        lambda: latest().undo(),
        lambda: EmailChange.remove(person()),
        allowed=(EmailChange.DoesNotExist,),
    )
    assert EmailChange.select().where(EmailChange.settled_at.is_null()).count() <= 1
    confirmed = EmailChange.select().where(EmailChange.confirmed_at.is_null(False), EmailChange.old_address != "")
    told = AccountMail.select().where(AccountMail.kind == "address_changed").count()
    assert told == confirmed.where(EmailChange.address != EmailChange.old_address).count(), "each once"


@pytest.mark.parametrize("end", [Session.end, lambda session: Session.end_all(session.user)])
def test_who_ends_a_session_waits_for_a_new_password_that_ends_it_too(app, emptied_postgres, end):
    session, results = Session.begin(make_user(), "key"), []
    ending = threading.Thread(target=lambda: results.extend(race(1, lambda: end(session))))
    with psycopg.connect(emptied_postgres) as other, psycopg.connect(emptied_postgres, autocommit=True) as third:
        other.execute("SET lock_timeout = 2000")
        other.execute("SELECT 1 FROM users FOR UPDATE")  # as to write `session_key` does
        ending.start()
        until(lambda: third.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone())
        other.execute("UPDATE sessions SET ends_at = now()")
    ending.join()
    assert results in ([False], [0]), "it was over by then"


# What is demanded of callers


@pytest.mark.parametrize(
    "act",
    [
        lambda draft: draft.submit(["bea@example.com"], 10),
        lambda draft: draft.replace_by(draft, ["bea@example.com"], 10),
        lambda draft: draft.plan_test("ann@example.com", 10),
        lambda draft: User.hold(draft.user_id),
        lambda draft: Notification.tell_message(draft.user, draft.user),
        lambda _: demand_transaction(),
    ],
)
def test_functions_that_need_a_transaction_refuse_without(app, act):
    draft = make_draft()
    with pytest.raises(RuntimeError, match="transaction"):
        act(draft)
    assert Mailing.get_by_id(draft.id).is_draft
    assert Mailing.select().count() == 1


def test_hold_blocks_another_hold_but_no_foreign_key(app):
    ann, bob = make_user("ann"), make_user("bob")
    with database.atomic():
        User.hold(ann.id)
        make_notification(bob)

        def refer():
            database.execute_sql("SET lock_timeout = 200")
            Post.create(user=ann, body="Hello")
            with pytest.raises(OperationalError), database.atomic():
                User.hold(ann.id)

        assert race(1, refer) == [None]


def test_storing_and_deleting_files_collide_with_tasks_that_end_and_with_the_purge(make_app, app):
    make_app(quotas={**UNLIMITED, Quota.STORAGE: Most(10**9, 10**9)}, database_url=app.config["SETTINGS"].database_url)
    ann = make_user("ann")

    def store():
        count_words.launch(ann, file=Upload("a.txt", b"some words"))

    def work():
        if task := Task.claim(LEASE):
            make_artifact(task, data="x" * 100)
            task.succeed()

    def age():
        Artifact.update(expires_at=utcnow() - OLD).where(Artifact.expires_at.is_null(False)).execute()

    def write():
        Mailing.begin_draft(ann).write(body="x" * len(Task.of(ann)))
        Mailing.begin_draft(ann).attach("a.txt", "text/plain", b"some words")

    def delete_attached():
        delete_attachments(ann, [stored.file_id for stored in StoredAttachment.select()])

    collide(store, work, purge, age, lambda: delete_of_finished_tasks(ann), write, delete_attached)
    assert stored_by(ann.id) == _all_sizes(ann)


def _all_sizes(user: User) -> int:
    kept = Artifact.select(fn.SUM(Artifact.size)).join(Task).where(Task.user == user, Artifact.expired_at.is_null())
    attached = StoredAttachment.select(fn.SUM(StoredAttachment.size)).where(StoredAttachment.user == user)
    return int((kept.scalar() or 0) + (attached.scalar() or 0) + sum(len(mail.body) for mail in Mailing.select()))


def test_forms_of_somebody_collide_with_their_account_getting_another_name_or_going(app):
    ann, bob = make_user("ann"), make_user("bob")
    names = iter(range(10**6))

    def send():
        FormKey.once(ann.id, f"key {next(names)}", lambda: Made("/", Message.send(ann, bob, "Hello").body))

    def go():
        deletion = Deletion.begin(User.get_by_id(ann.id))
        assert deletion.take_back()

    def be_called():
        rename(User.get_by_id(ann.id), f"ann{next(names)}")

    collide(send, send, go, be_called, allowed=(TooMany,))


def test_what_programs_ask_for_once_collides_with_what_becomes_of_it_and_of_their_account(app):
    ann, bob = make_user("ann"), make_user("bob")
    task, names = make_task(State.FAILED, ann), iter(range(10**6))

    def once(request, make):
        IdempotencyKey.once(ann.id, f"{request} {next(names) // 2}", request, make)

    def retry():
        once("retry", lambda: str(Task.get_by_id(task.id).retry()))

    def send():
        once("send", lambda: Message.send(ann, bob, "Hello").body)

    def cancel():
        Task.get_by_id(task.id).cancel()

    def forget():
        IdempotencyKey.update(at=utcnow() - OLD).where(IdempotencyKey.request == "send").execute()
        IdempotencyKey.purge(10)

    def go():
        assert Deletion.begin(User.get_by_id(ann.id)).take_back()

    def be_called():
        rename(User.get_by_id(ann.id), f"ann{next(names)}")

    collide(retry, retry, send, cancel, forget, go, be_called, allowed=(IllegalTransition, InProgress, TooMany))
    assert {key.request for key in IdempotencyKey if key.answer} >= {"retry"}
    assert all(key.answer for key in IdempotencyKey), "no key is kept without its answer"


def test_bulk_actions_of_operators_on_each_others_tasks_while_their_owners_and_workers_change_them(app, monkeypatch):
    monkeypatch.setattr(act, "PER_SECOND", 10_000)
    operators = ann, bob = make_staff(), make_staff()
    for number in range(12):
        make_task(State.FAILED, operators[number % 2], name="unknown")  # which fails again as soon as it is tried

    def some() -> list[Task]:
        return list(Task.select().where(Task.name == "unknown").order_by(fn.RANDOM()).limit(6))

    def bulk(operator: User, action: str) -> None:
        snapshot = take_snapshot(action, select_some(task.id for task in some()))
        if snapshot.able:  # or others have been there before
            start(operator, action, snapshot, "The service is back.")

    collide(
        lambda: bulk(ann, "retry"),
        lambda: bulk(bob, "retry"),
        executor.execute_next,
        executor.execute_next,
        executor.execute_next,
        lambda: some()[0].retry(),
        lambda: some()[0].dismiss(),
        lambda: Notification.read(ann),
    )
    assert not Task.select().where(Task.name == BULK_NAME, Task.rescues > 0).count(), "no run was ended by the database"


def test_what_operators_decide_of_a_kind_and_of_a_person_collides_with_workers_and_sweepers(app):
    operator, bob, eve = make_staff(), make_user("bob"), make_user("eve")

    @database.atomic()
    def begin():
        for user in (bob, eve):
            make_task(State.PENDING, user, name="unknown")  # which fails as soon as a worker takes it
            make_task(State.SCHEDULED, user)

    def decide(action: Audited, change):
        asker = Asker(user=operator, via=Via.PAGE)
        with audit.audit(asker, action, "kind unknown"):
            change()

    def pause():
        decide(Audited.PAUSE_KIND, lambda: KindControl.pause("unknown", utcnow() + LEASE, "It broke.", True))
        decide(Audited.RESUME_KIND, lambda: KindControl.resume("unknown"))

    def limit():
        decide(Audited.LIMIT_KIND, lambda: KindControl.limit("unknown", 2, 1, 1000.0))

    def suspend():
        for act_on in (partial(Suspension.begin, reason="Spam."), Suspension.lift):
            decide(Audited.SUSPEND_PERSON, partial(act_on, bob))
            for suspension in Suspension.select().where(Suspension.user == bob):
                suspension_work.carry_out(suspension)

    def force():
        Task.select().where(Task.state == State.IN_PROGRESS).order_by(fn.RANDOM()).get().force_end("It hangs.")

    limit()
    collide(
        begin, begin, pause, limit, suspend, force, sweep_kinds, purge, executor.execute_next, executor.execute_next
    )
    KindControl.resume("unknown")
    make_task(State.PENDING, eve, name="unknown")
    assert executor.execute_next(), "what is decided no more holds nothing"
    assert not Task.select().where(Task.rescues > 0).exists(), "no run was ended by the database"
