"""What people may see: each model with an owner says which of its rows that is."""

import pytest

from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import (
    make_artifact,
    make_draft,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notification,
    make_task,
    make_user,
)
from webapp.models import ApiToken, Artifact, Mailing, MailingFile, Message, Notification, State, Task, User

MAKE = {
    Task: lambda user: make_task(State.FAILED, user),
    Artifact: lambda user: make_artifact(make_task(State.SUCCEEDED, user)),
    Mailing: lambda user: make_mailing(user),
    MailingFile: lambda user: make_mailing_file(make_draft(user)),
    ApiToken: lambda user: make_api_token(user)[0],
    Notification: lambda user: make_notification(user),
}


def _seen(model: type, user: User) -> set:
    return {row.id for row in model.visible_to(user)}


@pytest.mark.parametrize("model", MAKE)
def test_people_see_what_is_theirs_and_nothing_of_others(each_database, model):
    ann, bob = make_user(), make_user()
    hers, his = MAKE[model](ann), MAKE[model](bob)
    assert hers.id in _seen(model, ann)
    assert his.id not in _seen(model, ann)
    assert not _seen(model, make_user())


def test_a_message_is_seen_by_the_two_whose_it_is(app):
    ann, bob, cem = make_user(), make_user(), make_user()
    message, other = make_message(ann, bob), make_message(bob, cem)
    assert _seen(Message, ann) == {message.id}
    assert _seen(Message, bob) == {message.id, other.id}


def test_nobody_sees_what_is_hidden_or_not_complete(app):
    ann = make_user()
    part = make_task(State.SUCCEEDED, ann, parent=make_task(State.SUCCEEDED, ann))
    assert part.id in _seen(Task, ann), "a child has a page of its own"
    artifact, written = make_artifact(part), make_artifact(part, "begun.json", completed_at=None)
    assert _seen(Artifact, ann) == {artifact.id} != {written.id}
    Task.update(hidden=True).where(Task.id == part.id).execute()
    assert part.id not in _seen(Task, ann)
    assert not _seen(Artifact, ann), "what is being deleted is not handed out half"


def test_files_come_without_their_data(app):
    file = make_mailing_file(make_draft(), data=b"Notes")
    [found] = MailingFile.visible_to(file.mailing.user)
    assert "data" not in found.__data__
    assert (found.mailing.is_draft, found.read()) == (True, b"Notes")
