"""What is too much is refused at every door, with the number and when it ends; nothing is made or lost."""

import pytest

from tasks.countdown import countdown
from tasks.engine import chain
from tests.browsing import browse
from tests.racing import race
from tests.webapp.web.routes.mail.desk import send
from webapp.dev.factories import make_message, make_post, make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.models import FormKey, Mailing, Message, OverQuota, Post, Report, State, Task, User

HTMX = {"HX-Request": "true", "HX-Source": "button#retry"}
ONE_TASK = "You can have 1 task at a time."
ONE_A_MINUTE = "You can start 1 task a minute. Try again in"


def _wait(answer) -> int:
    return int(answer.headers["Retry-After"])


def test_a_post_too_many_is_refused_at_its_field(ann, allow, written):
    allow(Quota.POSTS, 1)
    ann.submit("/posts", body="First")

    lines = written("json")
    refused = ann.submit("/posts", body="Second")

    [said] = lines.objects("errand.security")
    assert (said["event"], said["quota"], said["endpoint"]) == ("over quota", "posts", "posts.create")
    assert (refused.status_code, 1 <= _wait(refused) <= 60) == (429, True)
    assert "You can post 1 time a minute. Try again in" in refused.one("#body-error").text
    assert refused.one("textarea#body").text == "Second"
    assert [post.body for post in Post.select()] == ["First"]


def test_a_form_that_comes_again_counts_once_and_what_is_refused_may_come_again(ann, allow):
    allow(Quota.POSTS, 2)
    for _ in range(3):
        assert ann.submit("/posts", body="First", form_key="a" * 32).status_code == 303
    assert ann.submit("/posts", body="Second", form_key="b" * 32).status_code == 303
    assert ann.submit("/posts", body="Third", form_key="c" * 32).status_code == 429
    assert FormKey.select().count() == 2, "nothing holds the key of a form that made nothing"

    allow(Quota.POSTS, 3)
    assert ann.submit("/posts", body="Third", form_key="c" * 32).status_code == 303


def test_a_message_too_many_is_refused_at_its_field(ann, bob, allow):
    allow(Quota.MESSAGES, 1)
    ann.submit("/messages/bob", body="First")

    refused = ann.submit("/messages/bob", body="Second")

    assert (refused.status_code, _wait(refused) > 0) == (429, True)
    assert "You can send 1 message a minute." in refused.one("#body-error").text
    assert refused.one("textarea#body").text == "Second"
    assert bob.get("/").one("#message-badge").text.split()[0] == "1"


def test_only_people_who_are_new_today_count(app, ann, bob, allow):
    carl, dora = browse(app, make_user("carl")), make_user("dora")
    dora_writes = browse(app, dora)
    dora_writes.submit("/messages/ann", body="I’d like to hear from you")
    allow(Quota.PEOPLE_MESSAGED, 1)
    for body in ("Hello", "Are you there?"):
        assert ann.submit("/messages/bob", body=body).status_code == 303

    refused = ann.submit("/messages/carl", body="And you?")

    assert (refused.status_code, _wait(refused) > 3600) == (429, True)
    assert "You can write to 1 new person a day. Try again in 24 hours, or write to somebody" in refused.words
    assert not Message.select().where(Message.recipient == carl.user).exists()
    assert ann.submit("/messages/bob", body="Still here").status_code == 303
    assert ann.submit("/messages/dora", body="Hello, Dora").status_code == 303, "who has written to them is nobody new"
    carl.submit("/messages/ann", body="Hello, Ann")
    assert ann.submit("/messages/carl", body="And you?").status_code == 303


@pytest.mark.parametrize("noun", ["post", "message"])
def test_an_edit_too_many_is_refused_at_its_field(ann, bob, allow, noun):
    post, message = make_post(ann.user, "As it was"), make_message(ann.user, bob.user, "As it was")
    allow(Quota.POSTS, 1)
    allow(Quota.MESSAGES, 1)
    path = f"/posts/{post.id}" if noun == "post" else f"/messages/bob/{message.id}"
    version = {"post": post, "message": message}[noun].version
    assert ann.submit(path, body="Once", version=version, form_key="a" * 32).status_code == 303
    changed = (Post if noun == "post" else Message).get()

    refused = ann.submit(path, body="Twice", version=changed.version, form_key="b" * 32)

    assert (refused.status_code, _wait(refused) > 0) == (429, True)
    assert "1 time a minute" in refused.one("#body-error").text or "1 message a minute" in refused.words
    assert refused.one("textarea#body").text.strip() == "Twice"
    assert refused.one("form:has(#body) input[name=version]")["value"] == changed.version
    assert type(changed).get().body == "Once"


def test_a_report_too_many_is_refused_above_its_form(ann, bob, allow):
    allow(Quota.REPORTS, 1)
    for post in (make_post(bob.user), make_post(bob.user)):
        refused = ann.submit(f"/posts/{post.id}/report", reason="spam", words="Again and again")

    assert (refused.status_code, _wait(refused) > 3600) == (429, True)
    assert "You can report 1 post or message a day." in refused.one("form p.error[autofocus]").text
    assert refused.one("#words").text.strip() == "Again and again"
    assert refused.one("input[name=reason][checked]")["value"] == "spam"
    assert Report.select().count() == 1


@pytest.mark.parametrize("quota", [Quota.ACTIVE_TASKS, Quota.LAUNCHES])
def test_a_task_too_many_is_refused_above_its_form(ann, allow, quota):
    allow(quota, 1)
    assert ann.submit("/tasks/new/countdown", seconds=5).status_code == 303

    refused = ann.submit("/tasks/new/countdown", seconds=7)

    said = ONE_TASK if quota is Quota.ACTIVE_TASKS else ONE_A_MINUTE
    assert said in refused.one("form p.error[autofocus]").text
    assert refused.status_code == (422 if quota is Quota.ACTIVE_TASKS else 429)
    assert ("Retry-After" in refused.headers) == (quota is Quota.LAUNCHES)
    assert refused.one("input[name=seconds]")["value"] == "7"
    assert Task.select().count() == 1


def test_what_ends_makes_room(ann, allow):
    allow(Quota.ACTIVE_TASKS, 1)
    first = ann.submit("/tasks/new/countdown", seconds=5).location
    assert ann.submit("/tasks/new/countdown", seconds=5).status_code == 422
    ann.submit(f"{first}/cancellation")
    assert ann.submit("/tasks/new/countdown", seconds=5).status_code == 303


def test_a_guest_may_have_less(app, allow):
    allow(Quota.ACTIVE_TASKS, 5, 1)
    guest = browse(app, make_user("guest", guest=True))
    guest.submit("/tasks/new/countdown", seconds=5)
    assert ONE_TASK in guest.submit("/tasks/new/countdown", seconds=5).words


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_retrying_what_has_ended_is_a_start(ann, allow, state):
    allow(Quota.ACTIVE_TASKS, 1)
    ended, _ = make_task(state, ann.user), make_task(State.PAUSED, ann.user)

    answer = ann.submit(f"/tasks/{ended.id}/retry")

    assert (answer.status_code, answer.location) == (303, "/")
    assert ONE_TASK in ann.get(answer.location).words
    pressed = ann.submit(f"/tasks/{ended.id}/retry", headers=HTMX)
    assert pressed.status_code == 422
    assert ONE_TASK in pressed.one("hx-partial[hx-target='#flashes'] p.flash").text
    assert ended.reload().state == state


@pytest.mark.parametrize(("verb", "state"), [("resumption", State.PAUSED), ("retry", State.RETRYING)])
def test_what_is_active_goes_on_whatever_else_is(ann, allow, verb, state):
    allow(Quota.ACTIVE_TASKS, 1)
    allow(Quota.LAUNCHES, 1)
    task, _ = make_task(state, ann.user), make_task(State.PENDING, ann.user)
    ann.submit("/tasks/new/countdown", seconds=5)  # is refused

    ann.submit(f"/tasks/{task.id}/{verb}")

    assert task.reload().state == State.PENDING


def test_many_are_retried_as_far_as_there_is_room(ann, allow):
    allow(Quota.ACTIVE_TASKS, 4)
    for state in [State.RETRYING, *[State.FAILED] * 5]:  # the oldest takes no room
        make_task(state, ann.user)

    answer = ann.submit("/tasks/bulk", action="retry", all="yes")

    said = "Retried 4 tasks. 2 are left. You can have 4 tasks at a time."
    assert said in ann.get(answer.location).words
    assert Task.select().where(Task.state == State.PENDING).count() == 4


def test_the_other_doors_are_the_same_one(ann, allow, mailserver, run_tasks):
    post = make_task(State.SUCCEEDED, ann.user, name="import_posts")
    make_post(ann.user, task=post)
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    allow(Quota.LAUNCHES, 1)
    ann.submit("/tasks/new/countdown", seconds=5)
    before = Task.select().count()

    mail = send(ann)
    undo = ann.submit(f"/tasks/{post.id}/undo")
    assert ONE_A_MINUTE in ann.get(undo.location).words
    export = ann.submit("/tasks/new/export_posts", format="csv")

    assert (mail.status_code, undo.status_code, export.status_code) == (429, 303, 429)
    assert ONE_A_MINUTE in mail.one("#mail p.error[autofocus]").text
    assert mail.one("#subject")["value"] == "Hello"
    assert Task.select().count() == before
    assert Mailing.draft_of(ann.user), "what was to be sent is still a draft"
    test = send(ann, "/mail/test", subject="A test")
    assert (test.status_code, test.one("#subject")["value"]) == (429, "A test")
    assert ONE_A_MINUTE in test.one("#mail p.error[autofocus]").text
    allow(Quota.LAUNCHES, None)
    assert send(ann).status_code == 303


def test_one_network_does_not_take_the_accounts_of_the_whole_site(app, visitor, allow):
    allow(Quota.NETWORK_ACCOUNTS, 1)
    other = browse(app)
    visitor.environ_base["REMOTE_ADDR"] = "2001:db8:5:1::1"
    visitor.submit("/guest")

    other.environ_base["REMOTE_ADDR"] = "2001:db8:5:2::1"
    form = other.submit("/register", username="carl", email="", password="a long enough one")

    assert (form.status_code, _wait(form) > 3600) == (429, True)
    said = "1 account has been created from your network today, which is the limit. Try again in 24 hours."
    assert said in form.one("form p.error[autofocus]").text
    assert User.select().count() == 1
    other.environ_base["REMOTE_ADDR"] = "2001:db8:6::1"
    other.submit("/guest")
    assert User.select().count() == 2


def test_a_site_that_has_had_its_accounts_says_so(app, visitor, allow):
    allow(Quota.SITE_ACCOUNTS, 1)
    visitor.submit("/guest")
    other = browse(app)

    form = other.submit("/register", username="carl", email="", password="a long enough one")
    guest = other.submit("/guest")

    said = "This site has reached its limit of new accounts for today. Try again in 24 hours."
    assert (form.status_code, _wait(form) > 3600) == (429, True)
    assert said in form.one("form p.error[autofocus]").text
    assert form.one("#username")["value"] == "carl"
    assert (guest.status_code, guest.location) == (303, "/")
    assert said in other.get("/").words
    assert User.select().count() == 1


def test_what_was_typed_comes_back_where_no_form_says_so(app, ann, allow):
    allow(Quota.POSTS, 1)

    @app.post("/notes")
    def write():
        Post.write(ann.user, "One")
        return Post.write(ann.user, "Another").body

    refused = ann.submit("/notes", body="A long text")

    assert (refused.status_code, _wait(refused) > 0) == (429, True)
    assert "You’ve reached a limit You can post 1 time a minute." in refused.words
    assert refused.one("input[name=body]")["value"] == "A long text"


def test_a_workflow_is_as_many_as_its_children_and_the_sites_own_work_is_none(app, declare, allow):
    @declare(title="Sweep", internal=True)
    def sweep(task):
        """The site's own."""

    allow(Quota.ACTIVE_TASKS, 3)
    allow(Quota.LAUNCHES, 3)
    ann = make_user("ann")
    steps = [countdown.s(seconds=5) for _ in range(3)]
    parent = chain(*steps).launch(ann)
    for _ in range(3):
        sweep.launch(ann)
    with pytest.raises(OverQuota):
        countdown.launch(ann)
    assert Task.of(ann).count() == 1

    parent.cancel()
    allow(Quota.LAUNCHES, None)
    Task.get_by_id(parent.id).retry()

    assert Task.get_by_id(parent.id).state == State.PENDING
    assert sorted(child.state for child in parent.children()) == [State.PENDING, State.WAITING, State.WAITING]


def test_of_two_tabs_at_once_one_is_refused(each_database, allow):
    allow(Quota.ACTIVE_TASKS, 3)
    ann = make_user("ann")
    ended = make_task(State.FAILED, ann)
    for _ in range(2):
        countdown.launch(ann)

    results = race(4, lambda: countdown.launch(ann)) + race(2, lambda: Task.get_by_id(ended.id).retry())

    assert len([result for result in results if isinstance(result, Exception)]) == 5
    assert Task.select().where(Task.finished_at.is_null()).count() == 3
