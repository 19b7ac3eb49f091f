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
    Suppression,
    Task,
)
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.suppression import Reason

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
    assert Mailing.select().count() == 1


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
    assert Delivery.select().count() == 7


def test_the_limit_counts_a_day_and_says_what_is_used_or_planned(app):
    user = make_user()
    MailCount.create(user=user, number=1)
    submit(make_draft(user), _many(2), 4)
    with pytest.raises(OverLimit) as refused:
        submit(make_draft(user), _many(2), 4)
    assert (refused.value.limit, refused.value.used, refused.value.wanted) == (4, 3, 2)
    assert Mailing.draft_of(user), "nothing was done"
    assert Task.select().count() == 1
    MailCount.update(at=utcnow() - timedelta(hours=24, seconds=1)).execute()
    submit(Mailing.draft_of(user), _many(2), 4)


def test_a_mail_for_later_is_held_against_what_goes_on_its_day(app):
    user, day = make_user(), utcnow() + timedelta(days=300)
    MailCount.create(user=user, number=4)
    submit(make_draft(user, send_at=day), _many(3), 4)
    with pytest.raises(OverLimit):
        submit(make_draft(user, send_at=day + timedelta(hours=23)), _many(2), 4)
    submit(Mailing.draft_of(user), _many(1), 4)
    with pytest.raises(OverLimit):
        submit(make_draft(user, send_at=day - timedelta(minutes=30)), _many(1), 4)
    Mailing.draft_of(user).discard()
    submit(make_draft(user, send_at=day - timedelta(hours=25)), _many(4), 4)
    with pytest.raises(OverLimit):
        submit(make_draft(user), _many(1), 4)


def test_what_was_sent_counts_until_a_day_has_passed(app):
    user, now = make_user(), utcnow()
    for hours, number in ((23, 3), (5, 2)):
        MailCount.create(user=user, number=number, at=now - timedelta(hours=hours))
    MailCount.create(user=user, number=9, at=now - timedelta(hours=25))
    assert [number for _, number in MailCount.sent_by(user.id)] == [3, 2]
    assert MailCount.free_at(user.id, 5, 2) == now + timedelta(hours=1)
    assert MailCount.free_at(user.id, 5, 999) == now + timedelta(hours=19), "more than the limit is all of it"


def test_what_the_release_before_has_counted_is_what_was_sent(app):
    mailing = make_mailing()
    MailCount.create(user=mailing.user, mailing=mailing, number=2)
    MailCount.take_over(mailing, 1)
    MailCount.take_over(mailing, 2)
    assert [number for _, number in MailCount.sent_by(mailing.user_id)] == [1]


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
    assert first.begin(mailing.user_id, 10)
    second.settle(Sending.REFUSED, "x" * 999)
    assert Delivery.counts(mailing) == {
        Sending.WAITING: 0,
        Sending.SENDING: 1,
        Sending.SENT: 0,
        Sending.REFUSED: 1,
        Sending.FAILED: 0,
        Sending.SKIPPED: 0,
    }
    assert [delivery.address for delivery in Delivery.unsettled(mailing)] == ADDRESSES[:1]
    assert [len(delivery.error) for delivery in Delivery.not_delivered(mailing)] == [300]


def test_deleting_the_task_deletes_the_mail_but_not_what_was_counted(app):
    mailing = make_mailing(state=State.SUCCEEDED)
    make_mailing_file(mailing)
    MailCount.create(user=mailing.user, mailing=mailing, number=2)
    mailing.task.remove()
    assert not any(model.select().exists() for model in (Mailing, Delivery, MailingFile))
    assert [number for _, number in MailCount.sent_by(mailing.user_id)] == [2]


# Who is not mailed


def test_an_address_is_suppressed_once_for_each_sender_and_for_the_site(app):
    ann, bob = make_user(), make_user()
    for sender in (ann.id, None):
        assert Suppression.add(sender, ["Bea@example.com", "bea@EXAMPLE.com", "cem@example.com"], Reason.ENTERED) == 2
        assert Suppression.add(sender, ["BEA@example.com", "dee@example.com"], Reason.REFUSED) == 1
    assert Suppression.select().count() == 6
    assert Suppression.remove(None, "bea@example.com", [Reason.ENTERED])
    assert not Suppression.remove(None, "cem@example.com", [Reason.REFUSED])
    assert set(Suppression.holding(ann.id, ADDRESSES)) == set(ADDRESSES)
    assert Suppression.holding(bob.id, ADDRESSES) == {"cem@example.com": Reason.ENTERED}
    assert Suppression.add(ann.id, ["bea@example.com"], Reason.UNSUBSCRIBED) == 0
    assert Suppression.standing(ann.id, "bea@example.com") == (Reason.UNSUBSCRIBED, None), "the sender cannot undo it"
    Suppression.update(reason="from_later").execute()
    assert Suppression.holding(bob.id, ADDRESSES) == {"cem@example.com": Reason.OPERATOR}


def test_a_delivery_begins_below_the_limit_and_where_nobody_has_suppressed_it(app):
    mailing = make_mailing()
    first, second = Delivery.unsettled(mailing)
    MailCount.create(user=mailing.user, number=4)
    MailCount.create(user=make_user(), number=99)
    assert not first.begin(mailing.user_id, 4)
    assert (first.state, Delivery.get_by_id(first.id).tries) == (Sending.WAITING, 0)
    Suppression.add(make_user().id, ADDRESSES, Reason.UNSUBSCRIBED)
    assert first.begin(mailing.user_id, 5)
    Suppression.add(None, ADDRESSES[1:], Reason.UNSUBSCRIBED)
    assert not second.begin(mailing.user_id, 5)
    second.skip(Reason.UNSUBSCRIBED)
    assert Delivery.counts(mailing)[Sending.SKIPPED] == 1


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
