"""Mail servers that hang or drip at any step: what that costs the mail's sender, and everybody else."""

from datetime import datetime, timedelta
from itertools import count

import pytest

from tasks.countdown import countdown
from tasks.export_posts import export_posts
from tasks.send_mail import submit
from tests.guarantees.mail import mail_server
from tests.guarantees.sites import BOOT, is_done, state_of
from tests.guarantees.worker import TIMEOUT
from tests.mailserver import SELF_SIGNED
from tests.processes import until
from tests.tarpit import Tarpit, Trouble, message_ids
from webapp.dev.factories import make_posts, make_user
from webapp.lib.times import utcnow
from webapp.models import Delivery, Mailing, State, Task, User
from webapp.models.mailing.delivery import Sending

TROUBLES = [
    Trouble("BANNER", "silence"),
    Trouble("BANNER", "lines"),
    Trouble("EHLO", "drip"),
    Trouble("STARTTLS", "lines"),
    Trouble("HANDSHAKE", "silence"),
    Trouble("AUTH", "drip"),
    Trouble("MAIL", "silence"),
    Trouble("RCPT", "lines"),
    Trouble("DATA", "drip"),
    Trouble("MESSAGE", "silence"),
    Trouble("MESSAGE", "lines"),
]
WORKERS = 2
SLACK = 8.0  # seconds: for a busy machine; a fault would take for ever
TOO_LATE = "the mail server did not answer in time."
_numbers = count(1)


@pytest.fixture(scope="module")
def slow_site(new_site):
    """A site that signs in to its mail server, encrypted; and its worker, which has nothing to do."""
    variables = {"MAIL_SERVER": "localhost", "MAIL_USE_TLS": "1", "MAIL_USERNAME": "errand", "MAIL_PASSWORD": "secret"}
    site = new_site("sqlite", SSL_CERT_FILE=str(SELF_SIGNED), WORKER_CONCURRENCY=str(WORKERS), **variables)
    with site.entered():
        site.worker()
        yield site


def _somebody() -> User:
    """A person with posts and an address."""
    name = f"slow-{next(_numbers)}"
    user = make_user(name, email=f"{name}@example.com")
    make_posts(user, 3)
    return user


def _tarpit(site, *troubles: Trouble) -> Tarpit:
    return Tarpit(int(site.env["MAIL_PORT"]), *troubles)


def _times(task: Task) -> dict[str, datetime]:
    """When each kind of thing happened to it, for the last time."""
    return {event.kind: event.at for event in task.timeline()}


def _seconds(task: Task, begin: str, end: str) -> float:
    times = _times(task)
    return (times[end] - times[begin]).total_seconds()


def _are_put_off(tasks: list[Task]) -> bool:
    """Whether all wait to be tried again; none is, before all do."""
    retrying = Task.id.in_([task.id for task in tasks]), Task.state == State.RETRYING
    return Task.update(run_at=utcnow() + timedelta(hours=1)).where(*retrying).execute() == len(tasks)


def test_a_mail_has_its_deadline_at_whatever_step_the_server_hangs(slow_site):
    with _tarpit(slow_site, *TROUBLES).running() as tarpit:
        tasks = [export_posts.launch(_somebody()) for _ in TROUBLES]
        until(lambda: _are_put_off(tasks), 60)
        for task in tasks:
            assert Task.get_by_id(task.id).error.endswith(TOO_LATE)
            assert _seconds(task, "started", "retrying") < TIMEOUT + SLACK
        cut_off = set(message_ids(tarpit))
        assert len(cut_off) == 2, "those have it, and we do not know"
        Task.update(run_at=utcnow()).where(Task.state == State.RETRYING).execute()
        until(lambda: is_done(*tasks), 60)
    assert {state_of(task) for task in tasks} == {State.SUCCEEDED}
    ids = message_ids(tarpit)
    assert len(ids) == len(tasks) + 2
    assert {id for id in ids if ids.count(id) == 2} == cut_off, "a receiver knows the second for the first"
    assert len(set(ids)) == len(tasks)


def test_who_waits_for_a_worker_waits_for_one_mail_that_hangs_and_not_for_all(slow_site):
    sender = _somebody()
    with _tarpit(slow_site, *[Trouble("RCPT", "drip")] * 20).running() as tarpit:
        mailings = [_mailing(1, sender) for _ in range(4)]
        until(lambda: tarpit.connections == WORKERS)
        other = countdown.launch(_somebody(), seconds=2)
        until(lambda: is_done(other))
        assert _seconds(other, "launched", "started") < WORKERS * TIMEOUT + SLACK
        until(lambda: _are_put_off(mailings))
    assert _times(other)["started"] < max(_times(task)["started"] for task in mailings), "it went by them"


def test_a_server_that_does_not_say_goodbye_has_the_mail_all_the_same(slow_site):
    with _tarpit(slow_site, Trouble("QUIT", "drip"), Trouble("QUIT", "silence")).running() as tarpit:
        tasks = [export_posts.launch(_somebody()) for _ in range(2)]
        until(lambda: is_done(*tasks))
    assert {state_of(task) for task in tasks} == {State.SUCCEEDED}
    assert len(tarpit.messages) == 2


def test_cancel_and_pause_reach_a_task_that_waits_for_a_mail_server_within_its_deadline(slow_site):
    with _tarpit(slow_site, Trouble("RCPT", "drip"), Trouble("RCPT", "drip")).running() as tarpit:
        canceled, paused = _mailing(1), _mailing(30)
        until(lambda: tarpit.connections == 2)
        Task.get_by_id(canceled.id).cancel()
        Task.get_by_id(paused.id).pause()
        until(lambda: state_of(canceled) == State.CANCELED)
        until(lambda: state_of(paused) == State.PAUSED)
    assert _seconds(canceled, "canceling", "canceled") < TIMEOUT + SLACK
    assert _seconds(paused, "pausing", "paused") < TIMEOUT + SLACK


def test_an_export_that_waits_for_a_mail_server_is_canceled_within_its_deadline(slow_site):
    with _tarpit(slow_site, Trouble("MESSAGE", "lines")).running() as tarpit:
        task = export_posts.launch(_somebody())
        until(lambda: tarpit.connections == 1)
        Task.get_by_id(task.id).cancel()
        until(lambda: state_of(task) == State.CANCELED)
    assert _seconds(task, "canceling", "canceled") < TIMEOUT + SLACK


def _mailing(number: int, user: User | None = None) -> Task:
    user = user or _somebody()
    addresses = [f"{user.username}-{n}@example.com" for n in range(number)]
    draft = Mailing.begin_draft(user)
    draft.write(subject="Hello", recipients="\n".join(addresses))
    return submit(draft, addresses, limit=5000)


def test_a_server_that_hangs_at_each_mail_of_many_is_left_in_peace_after_a_few(new_site):
    site = new_site("sqlite")
    with site.entered(), mail_server(site) as server:
        site.worker()
        task = _mailing(200)
        [mailing] = Mailing.select().where(Mailing.task == task.id)
        addresses = [delivery.address for delivery in Delivery.unsettled(mailing)]
        server.silent_for = set(addresses[1::2])  # every second one, so that none hangs twice in a row
        until(lambda: state_of(task) == State.RETRYING)
        site.rest()
    tried = [delivery for delivery in Delivery.select().where(Delivery.mailing == mailing.id) if delivery.tries]
    assert len(tried) == 6
    assert sum(delivery.state == Sending.SENT for delivery in tried) == 3
    assert _seconds(task, "started", "retrying") < 2 * TIMEOUT + SLACK + BOOT
    assert Task.get_by_id(task.id).error.endswith(f"{TOO_LATE[4:]} 3 of 200 sent.")
    assert timedelta(seconds=10) < Task.get_by_id(task.id).run_at - utcnow()
