"""Mailings: drafts, deliveries, and the daily limit, on both databases and by several at once."""

from datetime import timedelta

import pytest

from tasks.send_mail import change, submit
from tests.racing import race
from webapp.db import database
from webapp.dev.factories import make_draft, make_mailing, make_mailing_file, make_user
from webapp.lib.times import utcnow
from webapp.models import (
    Delivery,
    DraftGone,
    IllegalTransition,
    MailCount,
    Mailing,
    MailingFile,
    OverLimit,
    State,
    Task,
)
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.quota import GUEST_DAILY_LIMIT, daily_limit

ADDRESSES = ["bea@example.com", "cem@example.com"]


@pytest.fixture
def app(each_database):
    """All of this holds on both databases."""
    return each_database


def _many(number: int) -> list[str]:
    return [f"p{n}@example.com" for n in range(number)]


def test_a_person_has_one_draft_also_when_two_requests_begin_it(app):
    user = make_user()
    drafts = race(4, lambda: Mailing.begin_draft(user))
    assert len({draft.id for draft in drafts}) == 1
    assert Mailing.begin_draft(make_user()).id != drafts[0].id


def test_a_draft_of_changes_has_all_that_the_mail_has_and_is_another(app):
    mailing = make_mailing(body="Hi", template="free")
    make_mailing_file(mailing, "a.bin", bytes(range(256)))
    draft = Mailing.begin_draft(mailing.user, mailing)
    assert draft.id != mailing.id
    assert (draft.subject, draft.body, draft.template, draft.send_at) == (
        mailing.subject,
        "Hi",
        "free",
        mailing.send_at,
    )
    [file] = draft.files()
    assert (file.name, file.read()) == ("a.bin", bytes(range(256)))
    assert Mailing.draft_of(mailing.user) is None


def test_sent_mailing_is_no_draft_and_cannot_be_changed(app):
    draft = make_draft()
    task = submit(draft, ADDRESSES, 10)
    assert (task.arguments, task.title) == ({"mailing": draft.id}, "Email to 2 people: Hello")
    assert not draft.write(subject="Later")
    sent = Mailing.get_by_id(draft.id)
    assert (sent.task, sent.subject, sent.is_draft) == (task, "Hello", False)
    assert [delivery.address for delivery in Delivery.unsettled(sent)] == ADDRESSES
    assert len({delivery.message_id for delivery in Delivery.unsettled(sent)}) == 2


def test_one_draft_is_sent_once_however_many_send_it(app):
    draft = make_draft(form_key="key")
    tasks = race(4, lambda: submit(Mailing.get_by_id(draft.id), ADDRESSES, 10))
    assert len({task.id for task in tasks}) == 1
    assert Delivery.select().count() == 2
    assert MailCount.used(draft.user_id) == 2


def test_two_mails_at_once_do_not_get_by_the_limit(app):
    user = make_user()
    first = make_draft(user)
    submit(first, _many(2), 10)
    mailings = [make_mailing(user, state=State.SCHEDULED, addresses=()) for _ in range(2)]
    drafts = iter([Mailing.begin_draft(user, mailing) for mailing in mailings])
    pairs = [(mailing, next(drafts)) for mailing in mailings]

    def send():
        mailing, draft = pairs.pop()
        draft.write(send_at=utcnow() + timedelta(days=1))
        return change(mailing, draft, _many(5), 10)

    results = race(2, send)
    assert sorted(type(result).__name__ for result in results) == ["OverLimit", "Task"]
    assert MailCount.used(user.id) == 7
    assert Delivery.select().count() == 7


def test_the_limit_counts_a_day_and_says_what_is_used(app):
    user = make_user()
    submit(make_draft(user), _many(3), 4)
    with pytest.raises(OverLimit) as refused:
        submit(make_draft(user), _many(2), 4)
    assert (refused.value.limit, refused.value.used, refused.value.wanted) == (4, 3, 2)
    assert Mailing.draft_of(user), "nothing was done"
    assert Task.select().count() == 1
    MailCount.update(at=utcnow() - timedelta(hours=24, seconds=1)).execute()
    submit(Mailing.draft_of(user), _many(2), 4)
    assert MailCount.select().count() == 1, "what counts no more is forgotten"


def test_guest_or_account_without_email_has_a_low_daily_limit(app):
    assert daily_limit(make_user(guest=True, email="a@example.com"), 5000) == GUEST_DAILY_LIMIT
    assert daily_limit(make_user(), 5000) == GUEST_DAILY_LIMIT
    assert daily_limit(make_user(email="a@example.com"), 5000) == 5000
    assert daily_limit(make_user(), 5) == 5


def test_a_change_replaces_all_or_nothing(app):
    mailing = make_mailing()
    make_mailing_file(mailing, "old.txt")
    draft = Mailing.begin_draft(mailing.user, mailing)
    MailingFile.delete().where(MailingFile.mailing == draft.id).execute()
    make_mailing_file(draft, "new.txt")
    draft.write(subject="Changed", send_at=utcnow() + timedelta(days=1))
    Task.update(state=State.PENDING).execute()
    with pytest.raises(IllegalTransition):
        change(mailing, draft, ["dee@example.com"], 10)
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    assert [file.name for file in mailing.files()] == ["old.txt"]
    Task.update(state=State.SCHEDULED).execute()
    task = change(mailing, draft, ["dee@example.com"], 10)
    assert (task.title, task.run_at) == ("Email to 1 person: Changed", draft.send_at)
    assert [file.name for file in mailing.files()] == ["new.txt"]
    assert [delivery.address for delivery in Delivery.select()] == ["dee@example.com"]
    assert Mailing.select().count() == 1
    assert "Changed by you" in [event.text for event in task.timeline()]


def test_an_address_gets_a_mail_once(app):
    mailing = make_mailing()
    with pytest.raises(Exception, match=r"(?i)unique"), database.atomic():
        Delivery.plan(mailing, ADDRESSES[:1])


def test_deliveries_are_counted_by_their_state(app):
    mailing = make_mailing()
    first, second = Delivery.unsettled(mailing)
    first.begin()
    second.settle(Sending.REFUSED, "x" * 999)
    assert Delivery.counts(mailing) == {
        Sending.WAITING: 0,
        Sending.SENDING: 1,
        Sending.SENT: 0,
        Sending.REFUSED: 1,
        Sending.FAILED: 0,
    }
    assert [delivery.address for delivery in Delivery.unsettled(mailing)] == ADDRESSES[:1]
    assert [len(delivery.error) for delivery in Delivery.not_delivered(mailing)] == [300]


def test_deleting_the_task_deletes_the_mail_but_not_what_was_counted(app):
    mailing = make_mailing(state=State.SUCCEEDED)
    make_mailing_file(mailing)
    mailing.task.remove()
    assert not any(model.select().exists() for model in (Mailing, Delivery, MailingFile))
    assert MailCount.used(mailing.user_id) == 2


# Several presses at once


def _change_of(mailing: Mailing, **written: str) -> Mailing:
    draft = Mailing.begin_draft(mailing.user, mailing)
    draft.write(subject="Changed", **written)
    return draft


def test_a_second_press_of_change_changes_nothing_more_and_keeps_the_files(app):
    mailing = make_mailing()
    make_mailing_file(mailing, "a.txt")
    drafts = [_change_of(mailing), _change_of(mailing)]
    for draft in drafts:
        change(Mailing.get_by_id(mailing.id), draft, ADDRESSES, 10)
    changed = Mailing.get_by_id(mailing.id)
    assert (changed.subject, [file.name for file in changed.files()]) == ("Changed", ["a.txt"])
    assert Delivery.select().count() == 2


def test_other_changes_from_a_draft_that_is_gone_are_refused_and_change_nothing(app):
    mailing = make_mailing()
    first, second = _change_of(mailing), _change_of(mailing)
    change(Mailing.get_by_id(mailing.id), first, ADDRESSES, 10)
    second.write(body="Other words")
    with pytest.raises(DraftGone):
        change(Mailing.get_by_id(mailing.id), second, ADDRESSES, 10)
    assert Mailing.get_by_id(mailing.id).body == ""


def test_a_draft_that_a_copy_has_replaced_or_that_was_sent_from_another_form_is_not_sent(app):
    draft = make_draft(form_key="one")
    make_mailing(draft.user).copy(replacing=True)
    with pytest.raises(DraftGone):
        submit(draft, ADDRESSES, 10)
    draft = Mailing.draft_of(draft.user)
    other = Mailing.get_by_id(draft.id)
    draft.write(form_key="one")
    submit(draft, ADDRESSES, 10)
    other.form_key = "two"
    with pytest.raises(DraftGone):
        submit(other, ADDRESSES, 10)
    assert Task.select().count() == 2
