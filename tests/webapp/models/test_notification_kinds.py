"""The table of notification kinds: a row is all that a kind needs, and this names what a row lacks."""

import re
from dataclasses import replace

import pytest

from tasks.engine.models.actor import by_operator
from tests.processes import ROOT
from webapp.dev.factories import make_message, make_notification, make_task
from webapp.models import Notification, State, kind_of_end
from webapp.models.notification_kinds import (
    CONVERSATION,
    DELETED_TASK,
    KINDS,
    SIGN_INS,
    SITE_ALERTS,
    SUCCEEDED,
    TASK_PROGRESS,
)
from webapp.models.notification_preferences import CHANNELS
from webapp.web.forms.notification_preferences import NotificationPreferencesForm
from webapp.web.presenters import notifications

DRAWN = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "webapp" / "static" / "icons.svg").read_text()))


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_lacks_nothing(kind):
    columns = Notification._meta.fields["kind_name"], Notification._meta.fields["name"]
    assert 0 < len(kind.name) <= columns[0].max_length, "its name does not fit"
    assert kind.label, f"{kind.name} has no label for the settings"
    assert kind.icon in DRAWN, f"{kind.name} has an icon that is not drawn"
    assert set(kind.channels) <= set(CHANNELS), f"{kind.name} offers a channel that does not exist"
    assert "app" in kind.channels, f"{kind.name} does not offer what people have who chose nothing"
    assert kind.subject in notifications._ADDRESSES, f"{kind.name} leads nowhere: write @leads_to({kind.subject!r})"
    assert not kind.detail or kind.detailed, f"{kind.name} has a detail and no words of it"
    assert bool(kind.mailed) == (kind.subject == TASK_PROGRESS), (
        f"{kind.name} is about a task without an email about it, or names no other subject"
    )
    words = str(kind.phrase("The subject", "the detail"))
    assert "The subject" in words, f"{kind.name} does not say what it is about"
    assert ("the detail" in words) == bool(kind.detailed)


def test_no_kind_is_named_like_something_that_a_form_has():
    assert not {*KINDS} & {*dir(NotificationPreferencesForm.__mro__[1])}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_is_listed_with_its_icon_and_words_and_leads_to_its_subject(ann, bob, kind):
    if kind.subject == CONVERSATION:
        make_message(bob.user, ann.user)
        subject, address = "bob", "/messages/bob#composer"
    elif kind.subject == SIGN_INS:
        subject, address = "Firefox on Linux", "/settings/sessions"
        Notification.tell(ann.user, kind, kind.phrase(subject))
    elif kind.subject == DELETED_TASK:
        subject, address = "Count to ten", "/tasks"
        with by_operator("It broke."):
            make_task(State.FAILED, ann.user, title=subject).remove()
    elif kind.subject == SITE_ALERTS:
        subject, address = "No worker takes tasks", "/desk"
        Notification.tell(ann.user, kind, kind.phrase(subject))
    else:
        task = make_notification(ann.user, "Count to ten", kind).task
        subject, address = "Count to ten", f"/tasks/{task.id}"
    page = ann.get("/notifications")
    row = page.one(f"#notices li[data-kind={kind.name}][data-unread]")
    assert row.a["href"] == address
    assert row.a.use["href"].endswith(f"#{kind.icon}")
    assert str(kind.phrase(subject, "It broke.")) in row.a.text
    assert page.one("#notice-badge").has_attr("hidden") == kind.has_own_badge


def test_a_kind_of_a_later_release_is_shown(ann):
    """After a rollback: with the words that it was told in."""
    later = replace(SUCCEEDED, name="answered", words=SUCCEEDED.words)
    make_notification(ann.user, "Count to ten", later)
    assert "Count to ten finished" in ann.get("/notifications").one("#notices li a").text
    assert ann.get("/notifications").one("#notice-badge").text.split() == ["1", "new"]


def test_the_kind_of_an_end_comes_from_beside_the_task_function(app):
    ends = {name: make_task(State.SUCCEEDED, name=name) for name in ("countdown", "send_mail")}
    assert {name: kind_of_end(task).name for name, task in ends.items()} == {
        "countdown": "succeeded",
        "send_mail": "mail",
    }
    assert kind_of_end(make_task(State.FAILED, name="send_mail")).name == "failed"
