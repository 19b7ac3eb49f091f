"""Find whose password it is that somebody has forgotten, and have them mailed. A sweep hook, no task.

Before `line_up_account_mails` in the list of hooks, so that the mail is on its way with the same sweep.
"""

from tasks.engine import sweep_hook
from webapp.models.reset_request import answer_requests


@sweep_hook
def answer_reset_requests(at_once: int) -> None:
    """Put what at most so many requests ask for into the outbox. Where there are none, one small query."""
    answer_requests(at_once)
