"""Tell the operator when the site's budget of mails is used up. A sweep hook and no task."""

import time

from tasks.engine import sweep_hook
from webapp.mail import budget

LOOKED_AT_EVERY = 60.0  # seconds


class _Looked:
    not_before = 0.0  # by time.monotonic()


@sweep_hook
def tell_of_budget(_: int) -> None:
    """Look once a minute. One query then, by the primary key."""
    if time.monotonic() >= _Looked.not_before:
        _Looked.not_before = time.monotonic() + LOOKED_AT_EVERY
        budget.tell_operator()
