"""Preview: a mail as it would be sent now, who it comes from, and who of its recipients would not get it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from webapp.lib.i18n import number
from webapp.mail.extension import mail_settings
from webapp.mail.mailings import render_mailing, reply_to, without_mark
from webapp.models import Mailing, Suppression
from webapp.models.mailing.suppression import Reason

OWN_LINK = "(a link of each recipient’s own)"
_WHY = {
    Reason.UNSUBSCRIBED: "unsubscribed",
    Reason.REFUSED: "no such address",
    Reason.ENTERED: "suppressed by you",
    Reason.OPERATOR: "suppressed by this site",
}


@dataclass(frozen=True)
class Preview:
    """What is shown of a mail before it is sent: its text, and who sends it.

    `reply_to` is None where answers reach nobody; `suppressed` is how many of its `total` recipients get none, and why.
    """

    plain: str
    sender: str
    reply_to: str | None
    total: int
    suppressed: Mapping[Reason, int]

    @property
    def left_out(self) -> str:
        """How many will not get it, like '3 of 40 won’t get it: unsubscribed'; empty where everybody does."""
        found, total = self.suppressed, number(self.total)
        why = [_WHY[reason] if len(found) == 1 else f"{number(found[reason])} {_WHY[reason]}" for reason in found]
        return f"{number(sum(found.values()))} of {total} won’t get it: {', '.join(why)}" if found else ""


def preview_of(mailing: Mailing, addresses: list[str]) -> Preview:
    """The preview of a mailing to these checked addresses. Needs an app context. At most eight queries."""
    text, _ = render_mailing(mailing, mailing.user)
    counts = Counter(Suppression.holding(mailing.user_id, addresses).values())
    suppressed = {reason: counts[reason] for reason in Reason if counts[reason]}
    plain, sender = without_mark(text, OWN_LINK), mail_settings().default_sender
    return Preview(plain, sender, reply_to(mailing.user), len(addresses), suppressed)
