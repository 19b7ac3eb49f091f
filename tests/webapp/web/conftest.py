"""A small site with one of everything."""

import pytest

from tests.webapp.web.serving import serve  # noqa: F401 - a fixture
from tests.webapp.web.site import tokens_of
from webapp.dev.account_factories import make_api_token, make_picture, make_report
from webapp.dev.desk_factories import make_failure
from webapp.dev.factories import (
    make_artifact,
    make_draft,
    make_mailing,
    make_mailing_file,
    make_message,
    make_notification,
    make_post,
    make_posts,
    make_task,
    make_user,
)
from webapp.dev.mail_factories import make_suppression
from webapp.models import Session, State
from webapp.models.mailing.suppression import Reason

MAIL = b"""\
Subject: Hello\r
Content-Type: multipart/mixed; boundary=xx\r
\r
--xx\r
Content-Type: text/plain\r
Content-Disposition: attachment; filename="a.txt"\r
\r
Hello\r
--xx--\r
"""


@pytest.fixture
def site(app, ann, settings):
    """A small site with one of everything of Ann's; what stands for each part of an address."""
    settings.mail_dir.mkdir()
    (settings.mail_dir / "20261121-1.eml").write_bytes(MAIL)
    make_posts(ann.user, 25)
    task = make_task(State.IN_PROGRESS, ann.user)
    artifact = make_artifact(make_task(State.SUCCEEDED, ann.user))
    message = make_message(bob := make_user("bob"), ann.user)
    mailing = make_mailing(ann.user)
    picture = make_picture(ann.user)
    with app.app_context():
        tokens = tokens_of(ann.user)
    make_draft(ann.user)
    file = make_mailing_file(mailing)
    return {
        "fingerprint": make_failure().fingerprint,
        "mailing_id": mailing.id,
        "file_id": file.id,
        "attachment_id": file.id,
        "task_id": task.id,
        "artifact_id": artifact.id,
        "post_id": make_post(ann.user).id,
        "others_id": make_post(bob).id,
        "message_id": message.id,
        "name": "countdown",
        "tag": "user",
        "slug": "invalid",
        "username": "bob",
        "person_id": bob.id,
        "report_id": make_report(ann.user, message).id,
        "address_id": make_suppression(None, reason=Reason.REFUSED).id,
        "filename": "app.css",
        **tokens,
        "token_id": make_api_token(ann.user)[0].id,
        "session_id": Session.begin(ann.user, "elsewhere").id,
        "mail_id": "20261121-1",
        "number": 0,
        "version": picture.version,
        "size": 64,
        "suppression_id": make_suppression(ann.user).id,
        "notification_id": make_notification(ann.user, task=task).id,
    }
