"""Mail about tasks that have ended: a mail server that hangs, and workers that end while it is on its way."""

import signal
from itertools import count

import pytest

from tests.guarantees.mail import mail_server
from tests.guarantees.sites import assert_stamped_once
from tests.guarantees.worker import stamp
from tests.processes import until
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import OutcomeMail, State, Task, User

pytestmark = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)
_numbers = count(1)


@pytest.fixture
def ann(site) -> User:
    """Somebody who wants mail about each task."""
    name = f"listener-{next(_numbers)}"
    return make_user(name, email=f"{name}@example.com", mail_after=0)


def _is_settled() -> bool:
    """Whether no mail is on its way any more; what waits for its next attempt need not wait."""
    Task.update(run_at=utcnow()).where(Task.state == State.RETRYING).execute()
    return not OutcomeMail.select().where(OutcomeMail.mail_key.is_null(False)).exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to stop"])
def test_mail_about_a_task_whose_worker_ends_meanwhile_is_sent_and_repeated_at_most_by_its_own_name(site, ann, how):
    with mail_server(site, answers_to_data={ann.email: "silence"}) as server:
        worker = site.worker()
        assert_stamped_once(stamp.launch(ann, steps=2, pause=0.01))
        until(lambda: server.mails)  # it has the mail, and the worker does not know
        other = stamp.launch(ann, steps=2, pause=0.01)
        assert_stamped_once(other)  # the mail server holds up nobody
        worker.stop(how)
        server.answers_to_data.clear()
        site.start_worker()
        until(_is_settled)
        site.rest()
    first = server.mails[0]
    assert all(recipients == [ann.email] for recipients in server.recipients)
    assert 2 <= len(server.mails) <= 3, "the first again, and perhaps one about the other"
    assert [mail["Message-ID"] for mail in server.mails][:2] == [first["Message-ID"]] * 2
    assert server.faults == []
