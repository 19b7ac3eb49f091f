"""A phone with an authenticator app."""

import time

import pyotp
import pytest

from tests.browsing import Browser
from webapp.models import SecondFactor, User


class Phone:
    """Has the secret of one account. Time goes on by a step with each code, so that each is a new one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secret = ""
        self.now = time.time()
        monkeypatch.setattr("webapp.models.second_factor.time", lambda: self.now)

    @property
    def code(self) -> str:
        """What it shows."""
        return pyotp.TOTP(self.secret).at(self.now)

    def next_code(self) -> str:
        """What it shows next."""
        self.now += 30
        return self.code

    def pair(self, user: User) -> list[str]:
        """Turn on the second factor of an account; returns its recovery codes."""
        self.secret = pyotp.random_base32()
        return SecondFactor(user).turn_on(self.secret, self.next_code())

    def scan(self, browser: Browser) -> str:
        """Read the secret of a page of somebody who turns it on; returns what the page's form sends back sealed."""
        page = browser.get("/settings/security/second-factor")
        self.secret = page.one(".letters").text.replace(" ", "")
        return str(page.one("#setup")["value"])
