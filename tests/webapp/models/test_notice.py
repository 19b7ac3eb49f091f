"""Notices: told to whom wants to hear of them, on both databases."""

import pytest

from webapp.dev.factories import make_task, make_user
from webapp.models import Notice, NoticeKind, State, User


@pytest.mark.parametrize(("hearing", "told"), [(None, 1), ({"succeeded": "app"}, 1), ({"succeeded": "off"}, 0)])
def test_the_end_of_a_task_is_told_as_its_owner_wants(each_database, hearing, told):
    user = make_user()
    User.update(hearing=hearing).where(User.id == user.id).execute()
    task = make_task(State.IN_PROGRESS, user)
    task.succeed()
    assert Notice.unread(user) == told
    assert [(notice.kind, notice.task) for notice in Notice.of(user)] == [(NoticeKind.SUCCEEDED, task)] * told
