"""The worker: a mail server whose name stands for no address."""

import pytest

from tasks import worker


@pytest.mark.parametrize(
    ("name", "is_told"), [("mail.invalid", True), ("x" * 64 + ".example", True), ("127.0.0.1", False)]
)
def test_a_mail_server_whose_name_does_not_resolve_is_logged_and_stops_nothing(caplog, name, is_told):
    worker._resolve(name)
    assert len(caplog.messages) == is_told
    assert all(message.startswith("MAIL_SERVER ") and name in message for message in caplog.messages)
