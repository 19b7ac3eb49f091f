"""Have people mailed that API tokens of theirs expire soon. A sweep hook, no task."""

from tasks.engine import sweep_hook
from webapp.models import token_reminders


@sweep_hook
def remind_of_tokens(at_once: int) -> None:
    """Put the mails about at most so many tokens into the outbox. Where none is due, one small query."""
    token_reminders.remind_of_tokens(at_once)
