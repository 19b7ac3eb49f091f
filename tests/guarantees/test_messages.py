"""Mail about messages: workers that are killed while it is on its way, and a mail server that is down."""

from collections import Counter
from itertools import count

import pytest

from tests.guarantees.mail import mail_server
from tests.processes import until
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Message, State, Task, User

pytestmark = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)
_numbers = count(1)


@pytest.fixture
def readers(site) -> list[User]:
    """Some people who want mail about messages."""
    names = [f"reader-{next(_numbers)}" for _ in range(5)]
    return [make_user(name, email=f"{name}@example.com", hearing={"message": "mail"}) for name in names]


def _write_to(reader: User, sender: User) -> None:
    """A message that has been unread for so long that it is to be mailed."""
    message = Message.send(sender, reader, "Hello")
    Message.update(mail_due_at=utcnow()).where(Message.id == message.id).execute()


def _is_settled() -> bool:
    return not Message.select().where(Message.mail_due_at.is_null(False)).exists()


def _retrying() -> int:
    return Task.select().where(Task.name == "mail_messages", Task.state == State.RETRYING).count()


def test_mail_about_messages_whose_workers_are_killed_is_repeated_at_most_by_its_own_name(site, user, readers):
    reader = readers[0]
    with mail_server(site, answers_to_data={reader.email: "silence"}) as server:
        site.worker()
        _write_to(reader, user)
        until(lambda: server.mails)  # it has the mail, and the worker does not know
        site.kill_worker()
        server.answers_to_data.clear()
        for other in readers[1:]:
            _write_to(other, user)
        site.start_worker()
        site.start_worker("another")
        until(_is_settled)
        site.rest()
    got = Counter(recipient for [recipient] in server.recipients)
    assert got == Counter({reader.email: 2} | {other.email: 1 for other in readers[1:]})
    assert len({mail["Message-ID"] for mail in server.mails}) == len(readers), "a receiver knows it for the same"


def test_mail_about_messages_is_sent_once_the_mail_server_is_back_and_is_one_mail(site, user, readers):
    site.worker()
    site.start_worker("another")
    for reader in readers:
        _write_to(reader, user)
    until(lambda: _retrying() == len(readers))
    for reader in readers:
        _write_to(reader, user)
    with mail_server(site) as server:
        Task.update(run_at=utcnow()).where(Task.state == State.RETRYING).execute()
        until(_is_settled)
        site.rest()
    assert Counter(recipient for [recipient] in server.recipients) == Counter(reader.email for reader in readers)
    assert {mail["Subject"] for mail in server.mails} == {"You have 2 new messages"}
