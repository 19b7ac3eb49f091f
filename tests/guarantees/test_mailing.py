"""A mail to many whose worker is killed, and whose mail server goes away, in the middle of it."""

from collections import Counter

import pytest

from tasks.send_mail import submit
from tests.guarantees.mail import mail_server
from tests.guarantees.sites import is_done, kinds, state_of
from tests.mailserver import MailServer
from tests.processes import until
from webapp.dev.factories import make_mailing_file, make_user
from webapp.models import Delivery, Mailing, State, Task, User
from webapp.models.mailing.delivery import Sending

PEOPLE = [f"p{number}@example.com" for number in range(50)]
ON_SQLITE = pytest.mark.parametrize("shared_site", ["sqlite"], indirect=True)


@pytest.fixture
def user(site) -> User:
    """Somebody who may mail others."""
    return make_user(email="ann@example.com")


def _send(user: User) -> Task:
    """Send a mail with two files to fifty people."""
    draft = Mailing.begin_draft(user)
    draft.write(subject="Hello", recipients="\n".join(PEOPLE))
    for name in ('ü "q" ; 100%.pdf', "日本語.tar.gz"):
        make_mailing_file(draft, name)
    return submit(draft, PEOPLE, limit=5000)


def _is_done_if_pressed(task: Task) -> bool:
    """Whether it is done; its owner does not wait the minute after which it is tried again by itself."""
    now = Task.get_by_id(task.id)
    if now.state == State.RETRYING:
        now.retry()
    return is_done(task)


def _arrived(server: MailServer) -> dict[str, list[str]]:
    """The ids of the mails that arrived, by address."""
    found: dict[str, list[str]] = {address: [] for address in PEOPLE}
    for mail, [address] in zip(server.mails, server.recipients, strict=True):
        found[address].append(mail["Message-ID"])
    return found


def _assert_everybody_has_it(task: Task, server: MailServer, crashes: int = 0) -> None:
    """Each once, and those in whose sending a worker died at most once more, as the very same mail."""
    assert (state_of(task), Task.get_by_id(task.id).error) == (State.SUCCEEDED, "")
    found = _arrived(server)
    assert all(found.values())
    assert len(server.mails) <= len(PEOPLE) + crashes
    assert all(len(set(ids)) == 1 for ids in found.values()), "a mail program knows the second for the first"
    assert len({ids[0] for ids in found.values()}) == len(PEOPLE)
    [mailing] = Mailing.select().where(Mailing.task == task.id)
    assert Delivery.counts(mailing)[Sending.SENT] == len(PEOPLE)
    names = {tuple(part.get_filename() for part in mail.iter_attachments()) for mail in server.mails}
    assert names == {('ü "q" ; 100%.pdf', "日本語.tar.gz")}


def test_a_mail_to_many_whose_worker_is_killed_reaches_each_once_and_one_at_most_twice(site, user):
    site.worker()
    with mail_server(site, takes=0.02) as server:
        task = _send(user)
        until(lambda: len(server.mails) >= 10)
        site.kill_worker()
        assert 10 <= len(server.mails) < len(PEOPLE), "it was in the middle"
        site.start_worker()
        until(lambda: is_done(task))
    _assert_everybody_has_it(task, server, crashes=1)
    assert kinds(task) == ["launched", "started", "pending", "started", "succeeded"]


@ON_SQLITE
def test_a_mail_to_many_whose_mail_server_goes_down_goes_on_once_it_is_back(site, user):
    site.worker()
    with mail_server(site, takes=0.02) as before:
        task = _send(user)
        until(lambda: len(before.mails) >= 10)
    until(lambda: state_of(task) == State.RETRYING)
    assert Task.get_by_id(task.id).error.endswith(f"{len(set(map(str, before.recipients)))} of 50 sent.")
    with mail_server(site) as after:
        until(lambda: _is_done_if_pressed(task))
    after.mails[:0], after.recipients[:0] = before.mails, before.recipients
    _assert_everybody_has_it(task, after)
    assert Counter(map(tuple, after.recipients)).most_common(1)[0][1] == 1
