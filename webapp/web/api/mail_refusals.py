"""What keeps somebody from mailing, as problems."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from webapp.lib.i18n import number
from webapp.lib.json_types import Json
from webapp.lib.times import utcnow
from webapp.mail.senders import MayNotMail
from webapp.models import DraftGone, MailCount, OverLimit, User
from webapp.models.mailing.drafts import MOST_BY_PROGRAMS, TooManyDrafts
from webapp.models.rate_count import TooMany
from webapp.web.api.json_body import pointer
from webapp.web.api.problems import CONFLICT, FORBIDDEN, OVER_QUOTA, QUOTA_EXCEEDED, Fault, Problem
from webapp.web.presenters.mail_limits import over_limit_message, too_many_tests_message

DAILY_LIMIT: Final = "mail_daily_limit"
TESTS: Final = "mail_tests"
DRAFTS: Final = "mail_drafts"
TOO_MANY_DRAFTS: Final = f"Your programs can have {number(MOST_BY_PROGRAMS)} drafts. Send or delete one first."
GONE: Final = "The mailing was changed, sent or deleted at the same moment."


@contextmanager
def refusals(user: User) -> Iterator[None]:
    """What models refuse in the block, as problems in the words of the pages."""
    try:
        yield
    except MayNotMail as error:
        raise Problem(FORBIDDEN, str(error)) from error
    except OverLimit as error:
        raise _over_limit(user, error) from error
    except TooMany as error:
        headers = {"Retry-After": str(error.seconds_left)}
        raise Problem(QUOTA_EXCEEDED, too_many_tests_message(error), headers=headers, more={"quota": TESTS}) from error
    except TooManyDrafts as error:
        raise Problem(OVER_QUOTA, TOO_MANY_DRAFTS, more={"quota": DRAFTS, "most": MOST_BY_PROGRAMS}) from error
    except DraftGone as error:
        raise Problem(CONFLICT, GONE) from error


def _over_limit(user: User, error: OverLimit) -> Problem:
    """Too many for any day; or for this one, and then it helps to wait, as far as is known now."""
    words = over_limit_message(error)
    more: dict[str, Json] = {"quota": DAILY_LIMIT, "most": error.limit}
    faults = [Fault(words, pointer=pointer("recipients"))]
    if error.wanted > error.limit:
        return Problem(OVER_QUOTA, words, faults, more=more)
    wait = MailCount.free_at(user.id, error.limit, error.wanted) - utcnow()
    seconds = max(60, int(wait.total_seconds()) + 1)
    return Problem(QUOTA_EXCEEDED, words, faults, headers={"Retry-After": str(seconds)}, more=more)
