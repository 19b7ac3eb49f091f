"""Connections to the mail server: encrypted, verified, signed in."""

import pytest

from tests.mailserver import SELF_SIGNED, MailServer, sign_in_with, tls
from webapp.mail import MailError


def test_a_sign_in_is_made_and_a_refused_one_is_told(send):
    with MailServer().running(authenticator=sign_in_with("errand", "right"), auth_require_tls=False) as server:
        assert send(server, MAIL_USERNAME="errand", MAIL_PASSWORD="right")
        with pytest.raises(MailError, match="refused our sign-in"):
            send(server, MAIL_USERNAME="errand", MAIL_PASSWORD="wrong")
    assert len(server.mails) == 1


@pytest.mark.parametrize("way", ["tls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_refused(send, way):
    options = {"tls_context": tls(), "require_starttls": True} if way == "tls" else {"ssl_context": tls()}
    refused = pytest.raises(MailError, match="certificate could not be verified")
    with MailServer().running(**options) as server, refused:
        send(server, **{f"MAIL_USE_{way.upper()}": True})
    assert server.mails == []


def test_a_certificate_that_is_vouched_for_is_accepted(send, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))
    with MailServer().running(tls_context=tls(), require_starttls=True) as server:
        assert send(server, MAIL_USE_TLS=True)
    assert len(server.mails) == 1


def test_a_server_that_can_not_encrypt_gets_nothing_when_it_must(send, mailserver):
    with pytest.raises(MailError):
        send(mailserver, MAIL_USE_TLS=True)
    assert mailserver.mails == []
