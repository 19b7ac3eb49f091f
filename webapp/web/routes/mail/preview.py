"""Preview: a mail as it would be sent now, who it comes from, and who of its recipients would not get it."""

from collections import Counter
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

    `reply_to` is None where answers reach nobody; `left_out` is empty where everybody gets it.
    """

    plain: str
    sender: str
    reply_to: str | None
    left_out: str


def preview_of(mailing: Mailing, addresses: list[str]) -> Preview:
    """The preview of a mailing to these checked addresses. Needs an app context. At most eight queries."""
    text, _ = render_mailing(mailing, mailing.user)
    left_out = _left_out(list(Suppression.holding(mailing.user_id, addresses).values()), len(addresses))
    return Preview(without_mark(text, OWN_LINK), mail_settings().default_sender, reply_to(mailing.user), left_out)


def _left_out(reasons: list[Reason], total: int) -> str:
    """How many will not get it, like '3 of 40 won’t get it: unsubscribed'."""
    if not reasons:
        return ""
    counts = Counter(reasons)
    found = [reason for reason in Reason if counts[reason]]
    why = [_WHY[reason] if len(found) == 1 else f"{number(counts[reason])} {_WHY[reason]}" for reason in found]
    return f"{number(len(reasons))} of {number(total)} won’t get it: {', '.join(why)}"
