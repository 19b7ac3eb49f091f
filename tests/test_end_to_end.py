"""The whole site as real processes, over HTTP, on every storage it can have."""

import email.policy
import json
import os
import re
import signal
import smtplib
import socket
from contextlib import suppress
from email.message import EmailMessage

import psutil
import pytest
from huey.storage import SqliteStorage

from tests.processes import PATIENCE, Site, is_answering, until
from tests.surfing import Surfer
from webapp.dev.mailbox.store import list_mails

STORAGES = {
    "sqlite": {},
    "sqlite and redis": {"REDIS_URL": "redis_url"},
    "postgres and redis": {"DATABASE_URL": "postgres_url", "REDIS_URL": "redis_url"},
    "postgres": {"DATABASE_URL": "postgres_url"},
}


@pytest.fixture(scope="module", params=STORAGES)
def site(request, tmp_path_factory, new_storage):
    """A site whose web and mailbox run; its worker runs whenever a test begins that has `worker`."""
    variables = {variable: new_storage(name) for variable, name in STORAGES[request.param].items()}
    site = Site(tmp_path_factory.mktemp("site"), TASK_SWEEP_SECONDS="1", **variables)
    try:
        site.start_mailbox()
        site.start_web()
        yield site
    finally:
        site.close()


@pytest.fixture
def worker(site):
    """The site's worker, running."""
    running = site.processes.get("worker")
    if running is None or running.popen.poll() is not None:
        running = site.start_worker()
    return running


@pytest.fixture
def guest(site) -> Surfer:
    """Somebody who came as a guest."""
    surfer = Surfer(site.url)
    surfer.submit("/guest")
    assert surfer.status == 200
    return surfer


def _until_state(surfer: Surfer, path: str, *states: str) -> None:
    until(lambda: surfer.state_of(path) in states)


# Stories


def test_an_export_is_watched_downloaded_and_mailed(site, worker):
    ann = Surfer(site.url)
    ann.submit("/register", username="ann", email="ann@example.com", password="correct horse")
    [asked] = until(lambda: list_mails(site.folder / "data" / "mail"))
    link = re.search(f"{site.url}(/email/confirmation/.*)", asked.body("plain"))[1]
    assert "is confirmed" in Surfer(site.url).submit(link).text, "in a browser that nobody is signed in with"
    for body in ("first", "second <b>", "third"):
        ann.submit("/posts", body=body)
    task = ann.start("export_posts", format="json")

    def finished_alert():
        live = ann.visit("/live", HX_Request="true")
        return live.select_one(f"#{task.strip('/').replace('tasks/', 'task-')}[data-state=succeeded]")

    link = until(finished_alert).select_one('a[href^="/artifacts/"]')

    def nothing_new() -> bool:
        ann.read("/live", HX_Request="true", If_None_Match=ann.headers["ETag"])
        return ann.status == 304

    until(nothing_new)
    content = ann.read(link["href"])
    assert [post["body"] for post in json.loads(content)["posts"]] == ["first", "second <b>", "third"]
    assert "attachment" in ann.headers["Content-Disposition"]

    mail, _ = until(lambda: len(mails := list_mails(site.folder / "data" / "mail")) == 2 and mails)
    [attachment] = mail.attachments
    assert (mail.message["To"], attachment.get_filename()) == ("ann@example.com", "posts.json")
    assert attachment.get_payload(decode=True) == content
    assert link["href"] in mail.body("plain")


def test_a_countdown_is_canceled_and_stops(guest, worker):
    task = guest.start("countdown", seconds="60")
    _until_state(guest, task, "in_progress")
    guest.submit(f"{task}/cancellation")
    assert guest.state_of(task) in {"canceling", "canceled"}
    _until_state(guest, task, "canceled")


def test_progress_is_seen_while_it_is_made(guest, worker):
    task = guest.start("countdown", seconds="60")
    until(lambda: guest.visit(task).select_one("article.task progress[max='60'][value='1']"))
    until(lambda: guest.visit(task).select_one("article.task progress[max='60'][value='2']"))
    guest.submit(f"{task}/cancellation")
    _until_state(guest, task, "canceled")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_gives_its_task_back_for_the_next(site, guest, worker, signum):
    task = guest.start("countdown", seconds="60")
    _until_state(guest, task, "in_progress")
    assert site.stop("worker", signum) == 0
    assert guest.state_of(task) == "pending"

    site.start_worker()
    _until_state(guest, task, "in_progress")
    guest.submit(f"{task}/cancellation")
    _until_state(guest, task, "canceled")
    assert [line["data-kind"] for line in guest.visit(task).select("[data-kind]")] == [
        "launched", "started", "pending", "started", "canceling", "canceled",
    ]  # fmt: skip


def test_a_killed_worker_takes_its_children_along(site, guest, worker):
    task = guest.start("countdown", seconds="600")
    _until_state(guest, task, "in_progress")
    family = worker.family()
    assert len(family) > 2
    site.processes.pop("worker")
    worker.popen.kill()
    worker.popen.wait()
    _, left = psutil.wait_procs(family, timeout=PATIENCE)
    assert not left


def test_a_task_started_while_no_worker_runs_is_done_by_the_next(site, guest, worker):
    site.stop("worker")
    task = guest.start("countdown", seconds="1")
    assert guest.state_of(task) == "pending"
    site.start_worker()
    _until_state(guest, task, "succeeded")


def test_many_tasks_at_once_are_each_done_once(site, guest, worker):
    paths = [guest.start("countdown", seconds="1") for _ in range(4)]
    for path in paths:
        _until_state(guest, path, "succeeded")
        kinds = [line["data-kind"] for line in guest.visit(path).select("[data-kind]")]
        assert kinds == ["launched", "started", "succeeded"]


def test_nothing_went_wrong_that_nobody_saw(site, worker):
    """Last of the file's stories on each storage: what the processes said meanwhile."""
    for process in site.processes.values():
        assert "Traceback" not in process.output()
    said = site.processes["worker"].output()
    assert said.count(" tasks.worker: The worker starts") > said.count("The worker has stopped") > 0


# The embedded site by itself


@pytest.fixture
def own_site(tmp_path):
    """A site of its own on the embedded storage, with nothing running."""
    site = Site(tmp_path)
    del site.env["GUNICORN_CMD_ARGS"]
    yield site
    site.close()


def test_a_forged_message_does_not_stop_the_worker(own_site):
    own_site.env["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{own_site.port}"
    own_site.start_web()
    worker = own_site.start_worker()
    queue = SqliteStorage("errand", filename=own_site.folder / "data" / "queue.db")
    for forged in (b"garbage", b"", b"\x80\x04."):
        queue.enqueue(forged)
    until(lambda: queue.queue_size() == 0)
    queue.close()
    guest = Surfer(own_site.url)
    guest.submit("/guest")
    _until_state(guest, guest.start("countdown", seconds="1"), "succeeded")
    assert worker.popen.poll() is None


def _everybody_is_there(site: Site, mails: int = 1) -> Surfer:
    """Somebody for whom web, worker and mailbox have done their part; so many mails are there by then."""
    guest = Surfer(site.url)
    guest.submit("/guest")
    guest.submit("/settings/email", email="guest@example.com")
    _until_state(guest, guest.start("export_posts", format="csv"), "succeeded")
    until(lambda: len(guest.visit("/mailbox").select('main a[href^="/mailbox/"]')) == mails)
    assert "guest@example.com" in guest.visit("/mailbox").text
    return guest


def test_make_run_starts_everything_and_stops_it_again_and_again(own_site):
    own_site.env["TASK_SWEEP_SECONDS"] = "1"
    for number, stop in enumerate([_term, _ctrl_c, _term], 1):
        dev = own_site.start_dev()
        _everybody_is_there(own_site, mails=number)  # those of before are kept
        assert own_site.url in dev.output()
        family = dev.family()
        assert len(family) >= 7
        stop(dev)
        assert dev.popen.wait(25) == 0
        _, left = psutil.wait_procs(family, timeout=PATIENCE)
        assert not left
        assert "Traceback" not in dev.output()
        until(lambda: not is_answering(own_site.port))


def test_make_run_starts_again_what_was_killed_and_the_task_goes_on(own_site):
    own_site.env |= {"TASK_LEASE_SECONDS": "2", "TASK_SWEEP_SECONDS": "1"}
    dev = own_site.start_dev()
    guest = Surfer(own_site.url)
    guest.submit("/guest")
    task = guest.start("countdown", seconds="60")
    until(lambda: guest.visit(task).select_one("article.task progress[value='2']"))
    for keeper in [process for process in dev.family() if "webapp.dev.respawn" in process.cmdline()]:
        keeper.children()[0].kill()

    def goes_on() -> bool:
        with suppress(OSError):  # for a moment nobody answers
            return "by a worker after step" in guest.visit(task).text
        return False

    until(goes_on)
    assert dev.output().count("It was killed") == 2
    assert own_site.stop("dev") == 0


def _term(process) -> None:
    process.popen.send_signal(signal.SIGTERM)


def _ctrl_c(process) -> None:
    """A terminal sends INT to the process and to all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.popen.pid, signal.SIGINT)


def test_make_run_says_in_one_line_that_its_port_is_taken(own_site):
    with socket.create_server(("127.0.0.1", own_site.port)):
        dev = own_site.start_dev()
        assert dev.popen.wait(20) == 1
    [line] = dev.output().splitlines()
    assert str(own_site.port) in line
    assert "taken" in line
    dev = own_site.start_dev()
    assert Surfer(own_site.url).visit("/").title
    assert own_site.stop("dev") == 0


def test_make_run_is_for_this_machine_alone(own_site):
    dev = own_site.start_dev()
    listening = {
        connection.laddr.ip
        for process in dev.family()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert own_site.stop("dev") == 0


def test_the_web_alone_stops_without_leaving_anybody(own_site):
    own_site.env["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{own_site.port}"
    own_site.start_web()
    assert own_site.stop("web") == 0


def test_the_mailbox_keeps_a_mail_whole(own_site):
    own_site.start_mailbox()
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Subject"], mail["From"], mail["To"] = "Grüße", "a@example.com", "b@example.com"
    mail.set_content("Hello\n.\n..two dots")
    mail.add_attachment(bytes(range(256)), "application", "octet-stream", filename="Übersicht.bin")
    with smtplib.SMTP("127.0.0.1", int(own_site.env["MAIL_PORT"])) as smtp:
        smtp.send_message(mail)
    [kept] = list_mails(own_site.folder / "data" / "mail")
    assert kept.message["Subject"] == "Grüße"
    assert kept.body("plain").splitlines() == ["Hello", ".", "..two dots"]
    [attachment] = kept.attachments
    assert (attachment.get_filename(), attachment.get_payload(decode=True)) == ("Übersicht.bin", bytes(range(256)))
    assert own_site.stop("mailbox") == 0


def test_the_mailbox_says_in_one_line_that_its_port_is_taken(own_site):
    with socket.create_server(("127.0.0.1", int(own_site.env["MAIL_PORT"]))):
        mailbox = own_site.start_mailbox()
        assert mailbox.popen.wait(20) == 1
    assert len(mailbox.output().splitlines()) == 1
    own_site.processes.pop("mailbox")
