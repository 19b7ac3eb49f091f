"""Deleting an account: what ends at once, what can be taken back, and that nothing of it is left in the end."""

from datetime import timedelta

import pytest
from peewee import SqliteDatabase

from tasks.engine.retention import purge
from webapp.db import database, fulltext
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
    make_task,
    make_user,
)
from webapp.dev.mail_factories import make_suppression
from webapp.lib.times import utcnow
from webapp.models import (
    MODELS,
    AccountMail,
    Block,
    Conversation,
    Deletion,
    EmailChange,
    FormerName,
    FormKey,
    IdempotencyKey,
    MailCount,
    Mailing,
    Message,
    NoticeCount,
    Notification,
    OutcomeMail,
    Picture,
    PictureUpload,
    Post,
    RecoveryCode,
    Session,
    State,
    Task,
    User,
    UsernameTaken,
    idle_guests,
)
from webapp.models.account_contents import contents_of
from webapp.models.deletion_batches import delete_some
from webapp.models.deletion_table import FATES
from webapp.models.hiding import hide_or_show
from webapp.models.password_reset import PasswordReset, change_password, reset_token
from webapp.models.reset_request import answer_requests, request_reset
from webapp.models.search import newest
from webapp.models.stopping import stop, stop_some

NAME, ADDRESS = "quillon", "quillon.mail@example.org"


def make_everything() -> User:
    """Somebody with something in each table that can have something of theirs, and their name wherever it may stand."""
    person = make_user(NAME, email=ADDRESS, about=f"I am {NAME}", totp_secret="sealed", role="admin")
    make_post(person, f"{NAME} was here")
    task = make_task(State.SUCCEEDED, person, title=f"Of {NAME}", result=NAME, arguments={"to": ADDRESS})
    make_artifact(task, f"{NAME}.json", f"{NAME} <{ADDRESS}>")
    make_suspension(person, make_task(State.PAUSED, person, title=f"For {NAME}"), f"Not {NAME}")
    OutcomeMail.create(user=person, task=task, ended_at=task.finished_at)
    make_notification(person, f"About {NAME}")
    make_mailing_file(make_mailing(person, (ADDRESS,), subject=NAME), f"{NAME}.txt", NAME.encode())
    make_draft(person, recipients=ADDRESS, subject=NAME)
    make_form_key(person, location=f"/messages/{NAME}")
    IdempotencyKey.create(user=person, key="k", request="r")
    Session.begin(person, "key", browser=NAME)
    AccountMail.put("password_changed", ADDRESS, person)
    request_reset(ADDRESS)
    make_api_token(person, name=f"Phone of {NAME}")
    RecoveryCode.create(user=person, salt="00", code_hash="00")
    make_audit_entry(person, about=person)
    FormerName.give_up(person.id, f"old-{NAME}")
    make_picture(person)
    PictureUpload.create(user=person, token="x", data=NAME.encode())
    NoticeCount.take(person)
    MailCount.begin(Mailing.get(Mailing.draft_key.is_null())).add()
    make_suppression(person, f"to.{ADDRESS}")
    make_block(person)
    make_report(somebody := make_user(), make_post(person, f"by {NAME}"), "It is spam.")
    make_report(person, make_post(somebody))
    make_email_change(person, ADDRESS)
    make_email_change(
        person, f"not.{ADDRESS}", old_address=f"old.{ADDRESS}", confirmed_at=utcnow(), settled_at=utcnow()
    )
    return person


def texts() -> str:
    """All that stands in any column of any table; of SQLite's full-text indexes, the words by which rows are found."""
    found, indexes = [], tuple(f"{table}_{index}" for table in fulltext.INDEXED for index in ("terms", "search"))
    for table in database.get_tables():
        if not table.startswith(indexes):
            rows = database.execute_sql(f"SELECT * FROM {table}").fetchall()
            found += [str(bytes(each) if isinstance(each, memoryview) else each) for row in rows for each in row]
    if isinstance(database.obj, SqliteDatabase):
        for table in fulltext.INDEXED:
            create, _ = fulltext.vocabulary(table)
            database.execute_sql(create)
            name = create.split(" USING ")[0].split()[-1]
            found += [str(row[0]) for row in database.execute_sql(f"SELECT term FROM {name}").fetchall()]
    return "\n".join(found).lower()


def due_now(deletion: Deletion) -> None:
    """The days to return are over."""
    past = utcnow() - timedelta(seconds=1)
    Deletion.update(due_at=past, look_at=past).where(Deletion.id == deletion.id).execute()


def purge_all(deletion: Deletion) -> None:
    """Purge as often as it takes, with the hours between."""
    for _ in range(4):
        purge()
        Deletion.update(look_at=utcnow()).where(Deletion.id == deletion.id).execute()


def test_every_model_has_its_fate():
    assert set(FATES) == set(MODELS)  # `complete` says it in words, where a model is missing


def test_nothing_of_a_deleted_account_is_left_anywhere(each_database):
    other, person = make_user("other"), make_everything()
    make_message(person, other, "Good morning")
    make_message(other, person, "And to you")
    FormKey.create(user=other, key="sent", location=f"/messages/{NAME}#composer")
    assert NAME in texts(), "or this test finds nothing"
    assert ADDRESS in texts()
    assert {model for model in FATES if FATES[model].theirs and not model.select().exists()} == set()
    assert (contents_of(person).posts, contents_of(person).active, contents_of(person).messages) == (2, 1, 1)
    deletion = Deletion.begin(person)
    stop(deletion)
    assert [task.state for task in Task.select().where(Task.state.in_([State.PAUSED, State.SCHEDULED]))] == []
    due_now(deletion)
    purge_all(deletion)
    found = texts()
    assert NAME not in found
    assert ADDRESS not in found
    kept = list(Message.select(Message.body).order_by(Message.id).tuples())
    assert kept == [("Good morning",), ("And to you",)], "the other person keeps what was said"
    assert [each.partner.shown_name for each in Message.inbox(other)] == ["a deleted account"]
    assert not Deletion.select().exists()
    assert not any(model.select().exists() for model in (Task, Mailing, Block, Picture, FormerName))
    assert not Post.select().where(Post.user == person.id).exists()
    tombstone = User.get(User.id == person.id)
    assert (tombstone.about, tombstone.email, tombstone.totp_secret, tombstone.role) == ("", "", None, None)
    assert User.register(NAME, "correct horse battery staple"), "the name is free again"


def test_a_conversation_goes_once_both_accounts_are_deleted(each_database):
    ann, bob, cem = make_user(), make_user(), make_user()
    make_message(ann, bob)
    make_message(cem, bob)
    for person in (ann, bob):
        deletion = Deletion.begin(person)
        due_now(deletion)
        purge_all(deletion)
    assert [(message.sender_id, message.recipient_id) for message in Message.select()] == [(cem.id, bob.id)]
    assert {user.id for user in User.select()} == {bob.id, cem.id}, "nobody needs the row of the other any more"
    assert {(each.user_id, each.partner_id) for each in Conversation.select()} == {(cem.id, bob.id), (bob.id, cem.id)}


def test_a_conversation_goes_as_both_accounts_are_deleted_at_once(each_database):
    ann, bob = make_user(), make_user()
    make_message(ann, bob)
    make_message(bob, ann)
    for person in (ann, bob):
        due_now(Deletion.begin(person))
    make_post(bob)
    while delete_some(1):
        pass
    assert not any(model.select().exists() for model in (Message, Conversation, Post, Deletion, User))


def test_a_batch_deletes_no_more_than_it_is_told_to_and_goes_on_where_another_ended(each_database):
    person = make_user()
    for number in range(7):
        make_post(person, f"Post {number}")
    due_now(Deletion.begin(person))
    with database.atomic():
        assert delete_some(3) == 3
    assert Post.select().count() == 4
    with database.atomic() as batch:
        delete_some(3)
        batch.rollback()  # as where its process is killed before the commit
    assert Post.select().count() == 4
    while delete_some(3):
        pass
    assert not Post.select().exists()
    assert not User.select().where(User.id == person.id).exists()


def test_what_has_begun_to_go_cannot_be_taken_back(app):
    deletion = Deletion.begin(make_user())
    due_now(deletion)
    delete_some(1)
    assert deletion.take_back() is None


def test_an_account_that_is_taken_back_is_as_it_was_but_for_what_was_canceled(each_database):
    person = make_everything()
    before = {name: value for name, value in User.get_by_id(person.id).__data__.items() if name != "session_key"}
    deletion = Deletion.begin(person)
    stop(deletion)
    away = User.get_by_id(person.id)
    assert (away.is_guest, away.email, NAME in away.username) == (True, "", False), "so a release before lets nobody in"
    assert [User.by_username(name) for name in (NAME, away.username)] == [None, None]
    assert [session.ends_at <= utcnow() for session in Session.select()] == [True]
    kept = deletion.take_back()
    assert kept.__data__ | {"session_key": ""} == before | {"session_key": "", "role": None}
    assert [task.state for task in Task.of(person).where(Task.title == f"For {NAME}")] == [State.CANCELED]
    assert not User.select().where(User.deletion_due_at.is_null(False)).exists()


def test_posts_are_hidden_a_few_at_a_time_and_shown_and_found_again(each_database):
    person = make_user("ann")
    for number in range(5):
        make_post(person, f"Mountain {number}")
    deletion = Deletion.begin(person)
    assert not list(Post.timeline()), "at once"
    for hidden in (2, 4, 5, 5):
        hide_or_show(2)
        assert Post.select().where(Post.hidden).count() == hidden
    assert not newest(Post, "mountain", 9).ids
    assert hide_or_show(2) == 0
    assert deletion.take_back()
    while hide_or_show(2):
        pass
    assert len(list(Post.timeline())) == len(newest(Post, "mountain", 9).ids) == 5
    assert not Deletion.select().exists()


def test_who_has_returned_can_go_once_more_while_posts_are_still_hidden(app):
    person = make_user("ann")
    make_post(person)
    deletion = Deletion.begin(person)
    hide_or_show()
    assert deletion.take_back()
    again = Deletion.begin(User.get_by_id(person.id))
    assert again.take_back().username == "ann"
    while hide_or_show():
        pass
    assert list(Post.timeline())


def test_the_timeline_is_in_the_order_of_an_index(each_database):
    sql, values = Post.timeline().limit(21).sql()
    is_sqlite = isinstance(database.obj, SqliteDatabase)
    if not is_sqlite:
        database.execute_sql("SET enable_sort = off")
    plan = str(database.execute_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{sql}", values).fetchall())
    assert "posts_shown" in plan
    assert "TEMP B-TREE" not in plan


def test_the_name_stays_reserved_until_the_account_is_gone(app):
    Deletion.begin(make_user("ann"))
    for name in ("ann", "A-n-n", "deleted-5"):
        with pytest.raises(UsernameTaken):
            User.register(name)


def test_tokens_of_an_account_die_with_its_deletion(app):
    person = make_user(email="ann@example.com")
    token = reset_token(person, "key")
    change = make_email_change(person, confirmed_at=utcnow(), settled_at=utcnow())
    Deletion.begin(person)
    assert not PasswordReset.by_token(token, "key").is_good
    assert not change.undo()
    assert User.get_by_id(person.id).email == ""


def test_what_was_under_way_while_an_account_was_deleted_does_not_open_it(app):
    person = make_user("ann", email="ann@example.com")
    change = make_email_change(person)
    Deletion.begin(person)
    Session.begin(person, "key")
    assert User.by_session_key("key") is None
    assert not change_password(person, "correct horse battery staple")
    EmailChange.update(settled_at=None).where(EmailChange.id == change.id).execute()
    assert not change.confirm()


def test_who_has_forgotten_the_password_is_told_how_to_keep_the_account(app):
    deletion = Deletion.begin(make_user("ann", email="Ann@example.com"))
    AccountMail.delete().execute()
    for _ in range(2):
        request_reset("ann@Example.com")
    answer_requests(10)
    told = [(mail.kind, mail.address, mail.arguments) for mail in AccountMail.select()]
    assert told == [("deletion_requested", "Ann@example.com", {"deletion": deletion.id})]


def test_the_address_of_a_few_days_ago_is_told_too(app):
    person = make_user(email="thief@example.com")
    make_email_change(person, old_address="ann@example.com", confirmed_at=utcnow(), settled_at=utcnow())
    Deletion.begin(person)
    assert {mail.address for mail in AccountMail.select()} == {"thief@example.com", "ann@example.com"}


def test_others_are_not_told_any_more_who_wrote_to_them(app):
    ann, bob = make_user("ann"), make_user("bob")
    make_message(ann, bob)
    assert "ann" in str(Notification.get(Notification.sender == ann))
    before = User.get_by_id(bob.id).changes
    stop(Deletion.begin(ann))
    assert not Notification.select().where(Notification.sender == ann).exists()
    assert User.get_by_id(bob.id).changes > before, "so his open pages look again"


def test_what_a_press_does_not_reach_the_sweeper_cancels(app):
    person = make_user()
    for _ in range(3):
        make_task(State.SCHEDULED, person)
    deletion = Deletion.begin(person)
    assert not stop(deletion, most=1)
    for active in (1, 0, 0):
        stop_some(1)
        assert Task.select().where(Task.state == State.SCHEDULED).count() == active
    make_task(State.SCHEDULED, person)  # by a request that began before
    Deletion.update(requested_at=utcnow() - timedelta(minutes=2)).execute()
    stop_some(1)
    assert not Task.select().where(Task.state == State.SCHEDULED).exists()
    assert Deletion.get().stopped_at


# Guests


@pytest.fixture
def guest(app):
    """A guest who has not been here for 31 days, on a site that keeps guests for 30."""
    return make_user(guest=True, seen_at=utcnow() - timedelta(days=31))


def test_guests_who_have_gone_are_deleted_without_delay(guest):
    here, person = make_user(guest=True), make_user(seen_at=utcnow() - timedelta(days=31))
    writer = make_user("calm-owl-1", guest=True, email=ADDRESS, seen_at=utcnow() - timedelta(days=31))
    make_message(writer, here)
    purge()
    assert {user.id for user in User.select()} == {here.id, person.id, writer.id}
    assert "calm-owl-1" not in texts()
    assert ADDRESS not in texts()
    assert not Deletion.select().exists()


def test_a_guest_whose_task_is_not_over_stays(guest):
    task = make_task(State.SCHEDULED, guest)
    purge()
    assert not User.get_by_id(guest.id).is_deleted
    Task.update(state=State.CANCELED, finished_at=utcnow()).where(Task.id == task.id).execute()
    purge()
    assert User.get_by_id(guest.id).is_deleted


def test_guests_stay_where_the_site_keeps_them(make_app):
    make_app(guest_days=0)
    make_user(guest=True, seen_at=utcnow() - timedelta(days=999))
    purge()
    assert User.select().exists()


def test_guests_who_have_gone_are_found_by_index(each_database):
    sql, values = idle_guests.idle_guests(10).sql()
    is_sqlite = isinstance(database.obj, SqliteDatabase)
    if not is_sqlite:
        database.execute_sql("SET enable_seqscan = off")
    plan = database.execute_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{sql}", values).fetchall()
    assert "users_idle_guests" in str(plan)


def test_a_guest_cannot_return(app):
    deletion = Deletion.begin(make_user(guest=True))
    assert deletion.due_at <= utcnow()
    assert deletion.take_back() is None
