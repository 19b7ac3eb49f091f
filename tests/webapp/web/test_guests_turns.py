"""Guests of one network are one person to the queue: however many there are, others get their turn."""

from datetime import timedelta
from uuid import uuid4

from tasks.countdown import countdown
from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models import Task, User, Worker

HERE = {"REMOTE_ADDR": "2001:db8:1:2::7"}
NEXT_DOOR = {"REMOTE_ADDR": "2001:db8:1:2:ffff::8"}
ELSEWHERE = {"REMOTE_ADDR": "2001:db8:1:3::7"}


def _guest(app, environ) -> User:
    browser = browse(app)
    browser.post("/guest", data={"csrf_token": browser.token()}, environ_overrides=environ)
    return User.select().order_by(User.id.desc()).get()


def test_guests_of_one_network_are_a_group_until_they_have_a_password(app):
    first, second, other = (_guest(app, environ) for environ in (HERE, NEXT_DOOR, ELSEWHERE))
    assert first.queue_group == second.queue_group != other.queue_group
    assert first.queue_group < 0

    first.set_password("a long enough one")

    assert User.get_by_id(first.id).network_group is None, "where they came from is forgotten"
    assert countdown.launch(User.get_by_id(first.id)).party == first.id


def test_many_guests_of_one_address_do_not_keep_somebody_else_waiting(app, ann):
    Worker.heartbeat(uuid4().hex, "host", 1, 2, timedelta(hours=1))
    group = _guest(app, HERE).network_group
    for number in range(112):
        guest = make_user(f"guest-{number}", guest=True, network_group=group)
        for _ in range(2):
            countdown.launch(guest, seconds=600)
    [begun] = [Task.claim(timedelta(seconds=15))]
    ann.submit("/tasks/new/export_posts", format="json")

    taken = Task.claim(timedelta(seconds=15))

    assert (begun.name, taken.name, taken.user) == ("countdown", "export_posts", ann.user)
