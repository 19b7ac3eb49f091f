"""The site's own recurring work: what the leading sweeper does, how often, and when it last did."""

from dataclasses import dataclass
from datetime import datetime

from tasks.engine.config import config
from tasks.engine.sweep_hooks import sweep_hooks
from webapp.lib.i18n import duration
from webapp.models import site_health
from webapp.models.statistics import final_until

EACH_MINUTE = {"count_tasks", "watch_site"}  # called with each sweep, and then mostly with nothing to do

# What sweep hooks do. Another is called by its name.
WORDS = {
    "watch_site": "Judge whether something is wrong with the site",
    "line_up_account_mails": "Begin to mail people about their accounts",
    "answer_reset_requests": "Answer those who have forgotten their password",
    "line_up_pictures": "Begin to prepare people’s pictures",
    "line_up_messages": "Begin to mail people about unread messages",
    "mail_errors": "Mail admins about errors",
    "line_up_outcomes": "Begin to mail people about tasks that have ended",
    "stop_tasks_of_the_deleted": "Cancel tasks of accounts that are to be deleted",
    "hide_posts_of_the_deleted": "Hide posts of accounts that are to be deleted",
    "remind_of_tokens": "Remind people of API tokens",
    "count_tasks": "Count tasks for the charts",
    "tell_of_budget": "Tell when the site’s budget of mails is used up",
    "hold_tasks_of_the_suspended": "Put tasks of suspended accounts on hold",
    "withdraw_addresses": "Withdraw addresses that nobody has confirmed",
    "index_texts": "Make texts searchable",
    "line_up_digests": "Begin to mail hourly digests",
}


@dataclass(frozen=True)
class Recurring:
    """Something that happens again and again: what, how often, and when it last did; None if nobody knows."""

    words: str
    every: str
    last: datetime | None = None


def recurring() -> list[Recurring]:
    """All of it, the sweep first. Two small queries."""
    sweep, purge = duration(config().sweep.total_seconds()), duration(config().purge_every)
    hooks = [
        Recurring(
            WORDS.get(hook.__name__, hook.__name__.replace("_", " ").capitalize()),
            "1 minute" if hook.__name__ in EACH_MINUTE else sweep,
            final_until() if hook.__name__ == "count_tasks" else None,
        )
        for hook in sweep_hooks
    ]
    return [
        Recurring("Find runs that were lost, and wake what is due", sweep, site_health.swept_at()),
        *hooks,
        Recurring("Delete what is older than the settings allow", purge),
    ]
