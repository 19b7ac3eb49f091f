"""The small world of `make demo`: it is made whole or not at all, its pages live, and a worker goes on with it."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from tasks.engine import wakeup
from tasks.engine.models.state import LEASED
from tasks.queue import huey
from tests.browsing import Browser, browse, words
from tests.processes import ROOT, Site, until
from tests.surfing import Surfer
from webapp import db
from webapp.app import create_app
from webapp.dev.demo import people, programs, town, work, world
from webapp.dev.demo.fake_smtp import FakeSmtp
from webapp.dev.factories import PASSWORD, make_user
from webapp.dev.mailbox.store import list_mails
from webapp.lib.kept_words import read_words
from webapp.lib.times import utcnow
from webapp.models import (
    MODELS,
    AccountMail,
    Artifact,
    AuditEntry,
    KindControl,
    Notification,
    Post,
    Report,
    SecondFactor,
    State,
    Task,
    TaskEvent,
    User,
    failure_list,
    statistics,
)
from webapp.models.api_token import ApiToken
from webapp.models.bulk_actions.selection import select_some
from webapp.models.bulk_actions.snapshot import take_snapshot
from webapp.models.permissions import Action, may
from webapp.settings import Settings

STORAGES = {"sqlite": {}, "postgres": {"DATABASE_URL": "postgres_url"}}
DEMO = ("python", "-m", "webapp.dev.demo")


@pytest.fixture(scope="module", params=STORAGES)
def site(request, tmp_path_factory, new_storage):
    """A site on which nothing runs, after `make demo`; what that said is in `said`."""
    variables = {name: new_storage(kind) for name, kind in STORAGES[request.param].items()}
    quick = {"TASK_LEASE_SECONDS": "2", "TASK_SWEEP_SECONDS": "1", "WORKER_CONCURRENCY": "6"}
    site = Site(tmp_path_factory.mktemp("demo"), **quick, **variables)
    site.said = site.run(*DEMO)
    yield site
    site.close()


@pytest.fixture
def app(site, _compiled):
    """The site in this process."""
    app = create_app(Settings.from_env(site.env))
    app.jinja_env.bytecode_cache = _compiled
    yield app
    db.database.close()
    huey.storage.close()


def _sign_in(app, username: str) -> Browser:
    browser = browse(app)
    answer = browser.submit("/login", username=username, password=PASSWORD)
    assert answer.status_code == 303
    return browser


def _everything() -> dict[str, list]:
    return {model.__name__: sorted(map(str, model.select().tuples())) for model in MODELS}


# What is there


def test_a_newcomer_meets_empty_pages(app):
    """Before anybody else signs in as them, of which they would be told."""
    nina = _sign_in(app, people.NEWCOMER)
    for address in ("/tasks", "/messages", "/notifications"):
        assert nina.get(address).one("main .empty"), address


def test_the_demo_ends_with_seven_lines_that_say_how_to_sign_in(site):
    lines = site.said.strip().splitlines()
    assert len(lines) == 7
    assert f"{len(people.PEOPLE) + len(town.TOWN) + 4} people" in lines[0]
    assert f'Sign in as ann, with the password "{PASSWORD}"' in lines[1]
    assert "everybody but the guests" in lines[1]
    assert "The desk is for olga (operator), hana (admin) and tomas (viewer)" in lines[2]
    code = r"  \d{6} is the code of olga, hana and tomas for \d+ seconds. make demo-code says the next one"
    assert re.match(code, lines[3])
    assert lines[4].strip() == f"otpauth://totp/Errand:olga?secret={people.TOTP_SECRET}&issuer=Errand"
    assert lines[5].startswith("  4 tasks were left halfway")
    assert "make run" in lines[6]
    assert f"{site.port}; sign in there, then open /desk" in lines[6]


def test_those_who_look_after_the_site_are_there_and_the_code_that_is_printed_signs_them_in(app, site):
    olga, hana, tomas = map(User.by_username, people.ROLES)
    can = {name: [action for action in Action if may(User.by_username(name), action)] for name in people.ROLES}
    assert can == {"olga": [Action.VIEW_DESK, Action.STEER], "hana": list(Action), "tomas": [Action.VIEW_DESK]}
    code = site.run("python", "-m", "webapp.dev.demo.code")[:6]
    assert all(SecondFactor(each).accept(code) for each in (olga, hana, tomas))
    assert not AccountMail.select().exists()


def test_every_state_of_a_task_is_there(app):
    assert {task.state for task in Task.select()} == set(State)
    assert {task.composition for task in Task.select()} == {"single", "chain", "group", "chord"}


def test_what_tasks_say_is_kept_as_phrases(app):
    single = Task.select().where(Task.name != "")
    said = TaskEvent.select().where(TaskEvent.kind == "log", TaskEvent.task.in_(single))
    assert [task.title for task in single if read_words(task.title, task.title_phrase) == task.title] == []
    assert [line.text for line in said if read_words(line.text, line.phrase) == line.text] == []
    assert said.count() > 10


def test_its_main_person_has_more_than_a_page_of_everything(app):
    ann = User.by_username("ann")
    assert Task.of(ann).count() > 30
    assert Notification.of(ann).count() > 20
    assert Notification.unread(ann) > 4
    assert ann.posts.count() > 30
    assert Post.select().count() > 120


def test_everybody_who_has_been_here_for_long_has_a_token_that_is_used_and_one_that_expired(app):
    for person in map(User.by_username, people.PEOPLE):
        live, expired = ApiToken.of(person, 5)
        assert (live.is_live, expired.is_live) == (True, False)
        assert person.created_at < expired.created_at < expired.last_used_at < live.last_used_at
    page = _sign_in(app, people.MAIN).get("/settings/tokens").page
    assert all(page.find("strong", string=name) for name in (programs.LIVE, programs.EXPIRED))


def test_the_artifacts_of_the_demo_are_real(app):
    finished = Artifact.select().where(Artifact.completed_at.is_null(False), Artifact.expired_at.is_null())
    starts = {"images.zip": b"PK\x03\x04", "posts.json": b'{"posts": [', "posts.csv": b"body,timestamp\r\n"}
    starts |= {"words.csv": b"word,count\r\n", "not-delivered.csv": b"address,reason\r\n", "errors.csv": b"row,reason"}
    seen = Counter()
    for artifact in finished:
        assert len(artifact.read()) == artifact.size
        if artifact.name in starts and artifact.kind != "upload":
            seen[artifact.name] += 1
            assert artifact.read().startswith(starts[artifact.name])
    assert seen["images.zip"] > 1
    assert seen["posts.json"] > 1


def test_a_scheduled_time_begins_with_a_whole_minute(app):
    times = {task.run_at for task in Task.select().where(Task.state == State.SCHEDULED)}
    assert len(times) == 3
    assert {(at.second, at.microsecond) for at in times} == {(0, 0)}


def test_nothing_lies_in_the_future_but_what_is_scheduled(app):
    now = utcnow()
    for model in MODELS:
        if hasattr(model, "created_at"):
            assert not model.select().where(model.created_at > now).exists(), model
    for task in Task.select().where(Task.finished_at.is_null(False)):
        assert task.created_at <= (task.started_at or task.finished_at) <= task.finished_at <= now
        moments = [event.at for event in task.timeline()]
        assert moments == sorted(moments)


# The desk


def _minutes_and_hours() -> int:
    ended = statistics.series(statistics.Range.MONTH)
    return sum(point.numbers.count for point in ended if point.numbers)


def test_the_desk_says_which_kind_fails_and_why_and_would_retry_all_of_it(app):
    tomas = _desk(app, "tomas")
    overview = words(tomas.get("/desk").page)
    assert "of Export posts failed in the last 10 minutes" in overview
    [latest, *others] = failure_list.FailureFilter().groups()
    assert (latest.group.kind, latest.failed[failure_list.Window.DAY]) == ("export_posts", 34)
    assert {group.group.kind for group in others} >= {"resize_images", "count_words"}
    assert tomas.get(f"/desk/failures/{latest.group.fingerprint}").status_code == 200
    assert latest.group.message.startswith("The file is ready, but we couldn’t email it")
    tasks = Task.select(Task.id).where(Task.fingerprint == latest.group.fingerprint).tuples()
    assert len(take_snapshot("retry", select_some([task for (task,) in tasks])).able) == 34


def test_the_numbers_of_the_desk_are_those_of_the_rows(app):
    since = utcnow() - timedelta(days=29)
    ended = Task.select().where(Task.finished_at > since, Task.name != "", ~Task.hidden)
    assert 1000 < ended.count() < _minutes_and_hours(), "and internal ones, of which only the last hour is kept"
    assert len({point.at for point in statistics.series(statistics.Range.DAY) if point.line}) > 90
    peak = max(point.line.oldest_wait for point in statistics.series(statistics.Range.DAY) if point.line)
    assert 30 < peak < 300
    assert len({point.at for point in statistics.series(statistics.Range.MONTH) if point.line}) > 100


def test_what_was_done_at_the_desk_stands_in_the_audit_in_its_order(app):
    entries = list(AuditEntry.select().order_by(AuditEntry.id))
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    by = Counter((entry.actor and entry.actor.username, entry.outcome) for entry in entries)
    assert by == {(None, "done"): 3, ("olga", "done"): 6, ("hana", "done"): 1, ("tomas", "refused"): 2}
    assert KindControl.of("resize_images").max_running_per_person == 2
    assert Report.open_ones().count() == 1
    assert User.by_username(people.SCAMMER).is_suspended


def _desk(app, username: str) -> Browser:
    return browse(app, User.by_username(username))


def test_every_page_of_the_desk_that_links_lead_to_is_there(app):
    pages = re.compile(r"/desk(?:/(?!tasks\?|tasks/bulk|audit\?|people\?|failures\?)[^?]*)?$")
    found = _walk(_desk(app, "olga"), "/desk", lambda address: bool(pages.match(address)))
    assert {address: status for address, status in found.items() if status != 200} == {}
    assert len(found) > 60


# Every page


def _walk(browser: Browser, start: str, wanted: Callable[[str], bool]) -> dict[str, int]:
    """The status of each address that links and fragments lead to from `start` on, as far as it is wanted."""
    found, ahead = {}, [("href", start)]
    while ahead:
        by, address = ahead.pop()
        if address in found or not wanted(address):
            continue
        answer = browser.get(address, headers={"HX-Request": "true"} if by == "hx-get" else {})
        found[address] = answer.status_code
        assert len(found) < 1000
        if answer.mimetype == "text/html":
            links = re.findall(r'\s(href|src|hx-get)="(/[^"]*)"', answer.text)
            ahead += [(by, urlsplit(unescape(link))._replace(fragment="").geturl()) for by, link in links]
    return found


def _assert_every_page_is_there(app, username: str, least: int) -> None:
    of_the_town = re.compile(rf"/(?:people|messages)/(?:{'|'.join(town.TOWN)})")
    found = _walk(_sign_in(app, username), "/", lambda it: not it.startswith("/mailbox/") and not of_the_town.match(it))
    assert {address: status for address, status in found.items() if status != 200} == {}
    assert len(found) > least


def test_every_page_that_links_lead_to_is_there(app):
    _assert_every_page_is_there(app, "jiwoo", 20)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)  # many pages of the same kinds
@pytest.mark.parametrize(("username", "least"), [("ann", 150), (people.NEWCOMER, 15)])
def test_so_is_every_page_of_who_has_much_and_who_has_nothing(app, username, least):
    _assert_every_page_is_there(app, username, least)


def test_a_mail_of_each_kind_can_be_looked_at(app, site):
    of_each_subject = {mail.message["Subject"]: mail.id for mail in list_mails(site.folder / "data" / "mail")}
    assert len(of_each_subject) == 5
    browser = browse(app)
    for mail_id in of_each_subject.values():
        found = _walk(browser, f"/mailbox/{mail_id}", lambda address, mine=f"/mailbox/{mail_id}": mine in address)
        assert len(found) > 1, "it and its HTML, and what is attached"
        assert set(found.values()) == {200}, found


# Once more, and in other circumstances


def _refusal(site: Site, **variables: str) -> str:
    """The one line with which it ends when it cannot do its work."""
    done = subprocess.run(
        [sys.executable, *DEMO[1:]], cwd=ROOT, env=site.env | variables, capture_output=True, text=True
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert done.stdout == ""
    return line


def test_a_second_run_refuses_and_changes_nothing(site, app):
    before, mails = _everything(), sorted((site.folder / "data" / "mail").iterdir())
    line = _refusal(site)
    assert "nothing was changed" in line
    assert ("another DATABASE_URL" if "DATABASE_URL" in site.env else "DATA_DIR=instance/demo make demo") in line
    assert _everything() == before
    assert sorted((site.folder / "data" / "mail").iterdir()) == mails


def test_where_somebody_is_already_nothing_is_changed(each_database):
    make_user("somebody")
    before = _everything()
    with each_database.app_context(), pytest.raises(world.NotEmpty, match="1 person"):
        world.fill(FakeSmtp(0))
    assert _everything() == before


def test_a_world_that_cannot_be_finished_is_none_at_all(each_database, monkeypatch):
    def stumble(*_) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work, "HISTORY", work.HISTORY[:3])  # enough to leave something behind, if anything does
    monkeypatch.setattr(world, "leave_drafts", stumble)
    with each_database.app_context(), pytest.raises(ZeroDivisionError):
        world.fill(FakeSmtp(0))
    assert not any(_everything().values())
    assert huey.pending_count() == 0


def test_mail_that_would_really_be_sent_is_refused(tmp_path):
    site = Site(tmp_path)
    line = _refusal(site, MAIL_SERVER="mail.example.com")
    assert "mail.example.com" in line
    assert "unset MAIL_SERVER" in line
    assert "unset BASE_URL" in _refusal(site, DEV_MAILBOX="", BASE_URL="https://errand.example")


def test_make_demo_prepares_what_make_run_does():
    make = ["make", "--no-print-directory", "-nB", "demo"]
    said = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "pip install" in said
    assert said.strip().endswith("python -m webapp.dev.demo")


def test_the_demo_can_be_made_while_the_site_runs(tmp_path):
    site = Site(tmp_path)
    del site.env["GUNICORN_CMD_ARGS"]
    try:
        site.start_dev()
        site.run(*DEMO)
        ann = Surfer(site.url)
        ann.submit("/login", username="ann", password=PASSWORD)
        until(lambda: "Resize 6 images finished" in words(ann.visit("/notifications")))
        assert "Traceback" not in site.processes["dev"].output()
    finally:
        site.close()


# With a worker; from here on it is another world


def _title(title: str) -> Task:
    """Ann's latest task of that title."""
    return Task.select().where(Task.title == title).order_by(Task.created_at.desc()).first()


def _is(task: Task, state: State) -> bool:
    return task.reload().state == state


def _let_end_after(seconds: int, parent: Task) -> None:
    """Let the countdown in a whole have so few seconds in all: nobody wants to wait for the others."""
    Task.update(arguments={"seconds": seconds}).where(Task.root == parent, Task.name == "countdown").execute()


def _said(task: Task, text: str) -> bool:
    return any(text in event.text for event in task.timeline())


@pytest.fixture(scope="module")
def worker(site):
    """A worker and the mailbox, from here on; in the end nothing has gone wrong that would have to be looked into."""
    site.start_mailbox()
    worker = site.start_worker()
    yield worker
    site.stop("worker")
    site.stop("mailbox")
    for trouble in ("ERROR", "Traceback"):
        assert trouble not in worker.output()


@pytest.mark.usefixtures("worker")
def test_a_worker_goes_on_with_all_that_is_under_way(app):
    everything_held = list(Task.select().where(Task.state.in_(LEASED), Task.fencing_token.is_null(False)))
    assert len(everything_held) == 4
    pausing, canceling = (Task.get(Task.state == state) for state in (State.PAUSING, State.CANCELING))
    tea, posts = _title("Pictures, a cup of tea, then the programme as posts"), Post.select().count()
    hall = _title("A picture of the hall, and some patience")
    _let_end_after(20, tea)
    _let_end_after(2, hall)
    countdown, paused = _title("Count down from 300"), Task.get(Task.state == State.PAUSED)
    unlucky = Task.get(Task.state == State.FAILED, Task.error.contains("couldn’t email it"))
    later = [Task.get(Task.state == State.SCHEDULED, Task.name == "send_mail"), Task.get(Task.state == State.RETRYING)]
    paused.resume()
    for task in (unlucky, *later, hall):
        task.retry()
    wakeup.send(1)

    until(lambda: _is(_title("Resize 6 images"), State.SUCCEEDED))
    until(lambda: _is(pausing, State.PAUSED) and _is(canceling, State.CANCELED))
    until(lambda: all(_is(task, State.SUCCEEDED) for task in (unlucky, *later)))
    until(lambda: _said(countdown, "Continued by a worker after step 110") and countdown.reload().done > 111)
    until(lambda: _said(paused, "Continued by a worker after step 77") and paused.reload().done > 78)
    until(lambda: _is(hall, State.SUCCEEDED))
    until(lambda: _is(tea, State.SUCCEEDED))
    assert Post.select().count() == posts + 5


@pytest.mark.usefixtures("worker")
def test_an_import_of_the_demo_can_be_undone(app):
    imported = _title("Import posts from diary.csv")
    assert Post.select().where(Post.task == imported).count() == 20
    ann = _sign_in(app, "ann")
    assert ann.submit(f"/tasks/{imported.id}/undo").status_code == 303
    until(lambda: not Post.select().where(Post.task == imported).exists())


@pytest.mark.usefixtures("worker")
def test_a_whole_of_which_a_part_cannot_be_done_fails_again_when_it_is_tried_again(app):
    yearbook = _title("Yearbook: pictures and words, then all my posts")
    failed_at = yearbook.finished_at
    assert _is(yearbook, State.FAILED)
    assert _sign_in(app, "ann").submit(f"/tasks/{yearbook.id}/retry").status_code == 303
    until(lambda: _is(yearbook, State.FAILED) and yearbook.finished_at > failed_at)
