"""What becomes of the row of an account, and what is the site's own."""

from webapp.models import (
    AuditEntry,
    Deletion,
    ErrorReport,
    KindControl,
    Leader,
    MailPace,
    RateCount,
    SiteAlert,
    User,
    Worker,
    statistics,
)
from webapp.models.fates.fate import Fate, Fates

ROWS: Fates = {
    User: Fate("kept without name, address and all else, where others have messages from or to it; else deleted"),
    Deletion: Fate("deleted with the last batch"),
    RateCount: Fate("forgotten as the limit ends, within 30 days: digests and numbers, no name and no address"),
    ErrorReport: Fate("kept: it has no values of programs"),
    MailPace: Fate("kept: it is about the mail server"),
    AuditEntry: Fate("kept for AUDIT_DAYS, without the link to the account: what was done at the desk stays known"),
    KindControl: Fate("kept: it is about kinds of tasks, and names nobody"),
    Leader: Fate("kept: it is about processes"),
    Worker: Fate("kept: it is about processes"),
    SiteAlert: Fate("kept for 7 days after it: it is about the site, and names nobody"),
    **dict.fromkeys(statistics.MODELS, Fate("kept: it is sums over everybody's tasks")),
}
