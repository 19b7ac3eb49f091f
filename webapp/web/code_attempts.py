"""Guesses of the codes of a second factor, which whoever makes them can make only with the right password.

There are a million codes, and three are right at a time. From all browsers that have never signed in to the account,
wherever they are, 50 a day may be tried: whoever has the password and guesses every day gets in once in 18 years. The
owner is told by mail at the tenth wrong code of a day. Browsers in which a code of this second factor was right before
have an allowance of their own, so nobody locks the owner out.

New recovery codes are limited, too: a set costs as much time of the server as a sign-in, and is told by mail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from flask import g
from limits import parse_many

from webapp.models import RateCount, SecondFactor, User
from webapp.web.known_browsers import knows_name, name_in_browsers, remember_account
from webapp.web.rate_limits import count

PER_ACCOUNT = parse_many("10 per 10 minutes; 50 per day")
NEW_CODES = parse_many("10 per hour")  # sets of recovery codes of an account
TOLD_AT = 10  # wrong codes of a day
TOLD_EVERY = 24 * 3600  # seconds


class CodeAttempt:
    """One attempt at a code of an account. Create it before checking the code: it is counted at once."""

    def __init__(self, user: User) -> None:
        """Count the attempt. Raises TooManyRequests with how long to wait if there were too many.

        Where a code cannot be looked at now, the answer to this request takes it back.
        """
        self._user = user
        self._is_strange = not knows_name(_name_of_codes(user))
        self._counted = count(PER_ACCOUNT, "code", str(user.id), "strange" if self._is_strange else "known")
        g.attempt = self

    def was_no_guess(self) -> None:
        """Count nothing: the code was right, or could not be looked at."""
        RateCount.take_back(self._counted)

    def succeeded(self) -> None:
        """The code was right: count nothing, and remember that this browser knows the account."""
        self.was_no_guess()
        remember_codes_of(self._user)

    def failed(self) -> None:
        """The code was wrong. From browsers that do not know the account, the tenth of a day is told to its owner."""
        today = RateCount.find(self._counted[-1]) if self._is_strange else None
        is_guessing = today is not None and today.number >= TOLD_AT
        if is_guessing and RateCount.add(f"told of guessed codes {self._user.id}", TOLD_EVERY) == 1:
            SecondFactor(self._user).warn_of_guesses()


@contextmanager
def counting_new_codes(user: User) -> Iterator[None]:
    """Count the set of recovery codes that is made within the block, unless an exception says that none was.

    Raises TooManyRequests with how long to wait.
    """
    counted = count(NEW_CODES, "recovery codes", str(user.id))
    try:
        yield
    except Exception:
        RateCount.take_back(counted)
        raise


def remember_codes_of(user: User) -> None:
    """Let this browser be known as one in which somebody had the second factor of the account."""
    remember_account(user, _name_of_codes(user))


def _name_of_codes(user: User) -> str:
    """A name that no browser has which only knew the password, nor one that had an earlier one or second factor."""
    return f"{name_in_browsers(user)} {sha256(f'{user.session_key} {user.totp_secret}'.encode()).hexdigest()[:8]}"
