"""What people are told who want to mail more than they may."""

from webapp.lib.i18n import estimate, ngettext, number
from webapp.mail.senders import TESTS
from webapp.models import OverLimit
from webapp.models.rate_count import TooMany


def over_limit_message(error: OverLimit) -> str:
    """How many people this person may mail on one day, and how many of these are left."""
    left = f" and have {number(max(0, error.limit - error.used))} left" if error.used else ""
    return ngettext(
        "You can email %(limit)s people in 24 hours%(left)s; this email has %(num)s recipient.",
        "You can email %(limit)s people in 24 hours%(left)s; this email has %(num)s recipients.",
        error.wanted,
        limit=number(error.limit),
        left=left,
    )


def too_many_tests_message(error: TooMany) -> str:
    """How many tests of their mails somebody may send themselves, and when the next."""
    return f"You can send yourself {number(TESTS.most)} tests an hour. Try again in {estimate(error.seconds_left)}."
