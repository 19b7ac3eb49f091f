"""People who mail many, at a site that can send mail."""

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import User


@pytest.fixture(autouse=True)
def _mail(mailserver):
    """A site that can send mail."""


@pytest.fixture
def ann(ann):
    """Ann with an address, so that she may mail many."""
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).where(User.id == ann.user.id).execute()
    return ann


@pytest.fixture
def ann_and_her_tabs(each_database):
    """Ann, and a function that makes a tab of hers with a token for its forms, on each database."""
    user = make_user("ann", email="ann@example.com")

    def tab():
        browser = browse(each_database, user)
        return browser, browser.token()

    return user, tab
