"""What is mailed about the second factor of an account, and about a copy of its data."""

import pytest

from webapp.dev.factories import make_user
from webapp.mail.account_mails import ACCOUNT_MAILS, content_of
from webapp.models import AccountMail

KINDS = ("second_factor_on", "second_factor_off", "second_factor_guessed", "recovery_code_used", "recovery_codes_new")
KINDS += ("data_asked",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_says_what_happened_and_what_to_do_if_it_was_somebody_else(app, kind):
    ann = make_user("ann", email="ann@example.com")
    AccountMail.put(kind, ann.email, ann, left=4)
    with app.app_context():
        mail = content_of(AccountMail.get())
    assert mail.subject == ACCOUNT_MAILS[kind].subject.format(app="Errand")
    # Whoever turned it on has the app, so its owner cannot sign in to set a password.
    path = "password/forgotten" if kind == "second_factor_on" else "settings#keep"
    for text in (mail.text, mail.html):
        assert "Hi ann," in text
        assert "If that wasn’t you" in text
        assert f"http://localhost/{path}" in text
        assert ("4 left" in text) == (kind == "recovery_code_used")
