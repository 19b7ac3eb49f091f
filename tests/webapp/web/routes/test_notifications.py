"""The notification centre: what happened, what is new of it, and how a person hears of it."""

import pytest

from tasks.engine.sweeper import Sweeper
from webapp.dev.factories import make_notification, make_task
from webapp.lib.times import utcnow
from webapp.models import Message, Notification, State, User
from webapp.models.notification_kinds import KINDS

HTMX = {"HX-Request": "true"}


def _badge(browser, name: str = "notice") -> str:
    badge = browser.get("/").one(f"#{name}-badge")
    return "" if badge.has_attr("hidden") else badge.text.split()[0]


def _new(browser) -> int:
    return len(browser.get("/notifications").page.select("#notices li[data-unread]"))


def _texts(browser) -> list[str]:
    return [
        row.select_one("span").text.removeprefix("New: ")
        for row in browser.get("/notifications").page.select("#notices li")
    ]


@pytest.mark.parametrize(
    ("end", "words"),
    [("succeed", "Count down from 40 finished"), ("fail", "Count down from 40: The disk is full.")],
)
def test_a_task_that_has_ended_is_told_with_its_reason(ann, end, words):
    task = make_task(State.IN_PROGRESS, ann.user)
    getattr(task, end)(*(["The disk is full."] if end == "fail" else []))
    assert _texts(ann) == [words]
    assert _badge(ann) == "1"
    link = ann.get("/notifications").one("#notices li a")
    assert link["href"] == f"/tasks/{task.id}", "a link, which can be opened in another tab"
    page = ann.get(link["href"])
    assert _badge(ann) == "1", "opening a page writes nothing"
    ann.submit(page.one("#main > [hx-post$='/reading'][hx-trigger=load]")["hx-post"])
    assert _badge(ann) == ""
    assert not ann.get(link["href"]).page.select("#main > [hx-post$='/reading']")


def test_what_a_later_release_tells_leads_to_the_list(ann):
    made = make_notification(ann.user)
    Notification.update(name="of a later release", kind_name="of a later release").execute()
    row = ann.get("/notifications").one(f"#notification-{made.id} a")
    assert row["href"] == "/notifications"
    assert "Task number" in row.text


def test_one_notification_is_marked_as_read_where_it_stands(ann):
    for _ in range(2):
        make_task(State.IN_PROGRESS, ann.user).succeed()
    button = ann.get("/notifications").page.select_one("#notices li button")
    answer = ann.submit(button["formaction"])
    assert (answer.status_code, answer.location) == (303, "/notifications")
    assert _badge(ann) == "1"
    after = ann.get("/notifications").one(f"#{button['id']}")
    assert after["aria-disabled"] == "true", "who pressed it is still there"


def test_the_button_that_marks_all_as_read_leaves_a_placeholder(ann):
    assert not ann.get("/notifications").page.select("#read-all"), "there is nothing to read"
    make_task(State.IN_PROGRESS, ann.user).succeed()
    button = ann.get("/notifications").one("#read-all")
    assert not button.has_attr("aria-disabled")
    ann.submit(button["formaction"])
    assert ann.get("/notifications").one("#read-all")["aria-disabled"] == "true"


def test_a_task_is_not_read_by_somebody_else(ann, bob):
    task = make_task(State.IN_PROGRESS, ann.user)
    task.succeed()
    assert bob.submit(f"/tasks/{task.id}/reading").status_code == 404
    assert _badge(ann) == "1"


def test_a_task_canceled_by_its_owner_makes_no_notification(ann):
    make_task(State.CANCELING, ann.user).acknowledge_stop()
    make_task(State.PENDING, ann.user).cancel()
    assert _texts(ann) == []


def test_many_messages_of_one_person_are_one_notification_that_is_told_anew(ann, bob):
    for body in ("one", "two", "three"):
        ann.submit("/messages/bob", body=body)
    assert _texts(bob) == ["ann wrote to you"]
    assert bob.get("/notifications").one("#notices li a")["href"] == "/messages/ann#composer"
    [said] = Notification.of(bob.user)
    assert bob.submit(f"/notifications/{said.id}/reading").status_code == 404, "an id of the release before"
    assert Notification.get_by_id(said.id).read_at is None
    bob.submit(f"/notifications/records/{said.id}/reading")
    assert _new(bob) == 0
    ann.submit("/messages/bob", body="four")
    assert _texts(bob) == ["ann wrote to you"]
    assert _new(bob) == 1
    [now] = Notification.of(bob.user)
    assert now.told_at > said.told_at, "it is at the top"


def test_reading_the_conversation_reads_its_notification(ann, bob):
    ann.submit("/messages/bob", body="Hello")
    bob.submit("/messages/ann/reading")
    assert _new(bob) == 0
    assert _texts(bob) == ["ann wrote to you"]


def test_a_message_is_counted_in_one_badge_and_what_has_ended_in_the_other(ann, bob):
    for body in ("one", "two"):
        ann.submit("/messages/bob", body=body)
    make_task(State.IN_PROGRESS, bob.user).succeed()
    for page in (bob.get("/"), bob.get("/live", headers=HTMX)):
        assert [page.one(f"#{name}-badge").text.split()[0] for name in ("message", "notice")] == ["2", "1"]
    assert bob.get("/").one("title").text.startswith("(2) "), "a message is counted once there, too"
    bob.submit("/notifications/reading")
    assert (_badge(bob), _badge(bob, "message")) == ("", "2"), "it is still to be read, where it stands"
    bob.submit("/messages/ann/reading")
    assert _badge(bob, "message") == ""


def test_a_message_alone_rings_no_bell_and_can_be_marked_as_read(ann, bob):
    ann.submit("/messages/bob", body="Hello")
    page = bob.get("/notifications")
    assert (_badge(bob), _new(bob)) == ("", 1)
    bob.submit(page.one("#read-all")["formaction"])
    assert _new(bob) == 0
    assert bob.get("/notifications").one("#read-all")["aria-disabled"] == "true"


def test_the_newest_is_first_and_the_rest_is_on_further_pages(ann):
    for number in range(25):
        make_notification(ann.user, f"Task {number}")
    assert _texts(ann) == [f"Task {number} finished" for number in range(24, 4, -1)]
    rest = ann.get(ann.get("/notifications").one("a[rel=next]")["href"])
    texts = [row.text for row in rest.page.select("#notices li a span[dir]")]
    assert texts == [f"New: Task {number} finished" for number in range(4, -1, -1)]


def test_hundreds_are_marked_as_read_at_once_and_only_ones_own(ann, bob):
    for _ in range(300):
        make_notification(ann.user)
    make_notification(bob.user)
    assert _badge(ann) == "300"
    ann.submit("/notifications/reading")
    assert (_badge(ann), _badge(bob)) == ("", "1")


def test_somebody_elses_notification_does_not_exist(ann, bob):
    theirs = make_notification(bob.user, "A secret")
    assert ann.submit(f"/notifications/{theirs.id}/reading").status_code == 404
    assert "A secret" not in ann.get("/notifications").text
    assert not Notification.get_by_id(theirs.id).read_at


def test_what_is_not_listed_cannot_be_read(ann):
    make_task(State.IN_PROGRESS, ann.user)
    [record] = Notification.select()
    assert ann.submit(f"/notifications/{record.id}/reading").status_code == 404


@pytest.mark.parametrize("way", ["off", "app"])
def test_who_wants_to_hear_nothing_of_a_kind_does_not(ann, way):
    ann.submit("/notifications/settings", message="app", succeeded=way, failed="app", mail="app")
    me = User.get_by_id(ann.user.id)
    make_task(State.IN_PROGRESS, me).succeed()
    make_task(State.IN_PROGRESS, me).fail("It broke.")
    assert len(_texts(ann)) == (1 if way == "off" else 2)


def test_a_way_that_does_not_exist_is_told_and_changes_nothing(ann):
    answer = ann.submit("/notifications/settings", message="pigeon", succeeded="off", failed="app", mail="app")
    assert answer.status_code == 422
    assert answer.one("#message-error")
    make_task(State.IN_PROGRESS, ann.user).succeed()
    assert len(_texts(ann)) == 1


def test_who_asked_is_mailed_however_short_the_task_was(ann, mailserver, run_tasks):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    ann.submit("/notifications/settings", message="app", succeeded="mail", failed="app", mail="app")
    make_task(State.IN_PROGRESS, ann.user).succeed()
    make_task(State.IN_PROGRESS, ann.user).fail("It broke.")
    Sweeper().look()
    run_tasks()
    [mail] = mailserver.mails
    assert "Count down from 40 finished" in mail.get_body(("plain",)).get_content()


def test_who_asked_is_mailed_what_they_have_not_read_for_a_while(ann, bob, mailserver, run_tasks):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    page = ann.get("/notifications")
    assert "Emails go to ann@example.com" in page.words
    assert [way["value"] for way in page.page.select("#message option")] == ["app", "mail", "only", "off"]
    ann.submit("/notifications/settings", message="mail", succeeded="app", failed="app", mail="app")
    bob.submit("/messages/ann", body="Hello")
    assert _texts(ann) == ["bob wrote to you"], "there, too"
    Message.update(mail_due_at=utcnow()).execute()
    Sweeper().look()
    run_tasks()
    [mail] = mailserver.mails
    assert "You have 1 new message from bob." in mail.get_body(("plain",)).get_content()


ALL = {"message": "app", "succeeded": "app", "failed": "app", "mail": "app"}


def _chosen(page) -> dict[str, str]:
    return {kind: page.one(f"#{kind} option[selected]")["value"] for kind in ALL}


@pytest.mark.parametrize("kind", ALL)
def test_mail_without_an_address_is_refused_where_it_was_chosen_and_the_rest_is_kept(ann, kind):
    chosen = ALL | {"failed": "off", kind: "mail"}
    answer = ann.submit("/notifications/settings", **chosen)
    assert answer.status_code == 422
    assert "Add an email address" in answer.one(f"#{kind}-error").text
    assert len(answer.page.select("#hear .error")) == 1
    assert _chosen(answer) == chosen
    assert answer.one("#hear .hint a")["href"] == "/settings"
    assert User.get_by_id(ann.user.id).hearing is None
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    assert ann.submit("/notifications/settings", **chosen).status_code == 303
    assert _chosen(ann.get("/notifications")) == chosen


@pytest.mark.parametrize(
    ("hearing", "mail_after", "ways"),
    [
        (None, None, ("app", "app")),
        (None, 0, ("mail", "mail")),
        (None, 5, ("mail-5", "mail-5")),
        ({"succeeded": "mail"}, 30, ("mail", "mail-30")),
        ({"succeeded": "off", "failed": "off"}, 1, ("only-1", "only-1")),
        ({"succeeded": "off", "failed": "mail"}, 0, ("only", "mail")),
        ({"succeeded": "of a later release"}, None, ("app", "app")),
        ({"succeeded": "mail-30", "failed": "mail-1"}, 5, ("mail-5", "mail-1")),
    ],
)
def test_two_settings_of_earlier_releases_are_one_channel(ann, hearing, mail_after, ways):
    """As the release before kept it, and goes on to keep it while it runs beside this one."""
    User.update(hearing=hearing, mail_after=mail_after, email="ann@example.com", email_confirmed_at=utcnow()).execute()
    chosen = _chosen(ann.get("/notifications"))
    assert chosen["message"] == "app", "which is about tasks alone"
    assert (chosen["succeeded"], chosen["failed"]) == ways
    user = User.get_by_id(ann.user.id)
    before = {(kind, worked): _told(user, kind, worked) for kind in ALL for worked in (1, 59, 60, 300, 1800)}
    assert ann.submit("/notifications/settings", **chosen).status_code == 303
    user = User.get_by_id(user.id)
    assert {key: _told(user, *key) for key in before} == before, "saving what is shown changes nothing"
    assert user.mail_after is None


def _told(user: User, kind: str, worked: float) -> tuple[bool, bool]:
    return user.hears(KINDS[kind]).here, user.wants_email_about(KINDS[kind], worked)


@pytest.mark.parametrize(("way", "worked", "mails"), [("mail-1", 59, 0), ("mail-1", 61, 1), ("only", 0, 1)])
def test_only_what_took_as_long_as_was_chosen_is_mailed(ann, mailserver, run_tasks, way, worked, mails):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    ann.submit("/notifications/settings", **ALL | {"succeeded": way})
    make_task(State.IN_PROGRESS, User.get_by_id(ann.user.id), run_seconds=worked, started_at=None).succeed()
    Sweeper().look()
    run_tasks()
    assert len(mailserver.mails) == mails
    assert len(_texts(ann)) == (way != "only")


def test_a_way_that_nobody_is_offered_is_refused(ann):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    assert ann.submit("/notifications/settings", **ALL | {"succeeded": "only-5"}).status_code == 422
    assert ann.submit("/notifications/settings", **ALL | {"message": "mail-5"}).status_code == 422


def test_an_open_page_shows_the_count_at_its_next_poll(ann):
    make_task(State.IN_PROGRESS, ann.user).succeed()
    live = ann.get("/live", headers=HTMX)
    assert 'id="notice-badge"' in live.text
    assert "1<span" in live.text
