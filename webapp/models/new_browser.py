"""New browsers: people are told of a sign-in to their account from a browser that it does not know."""

from webapp.lib.phrases import phrase
from webapp.lib.times import exact_iso
from webapp.models.account_mail import AccountMail
from webapp.models.notification import Notification
from webapp.models.notification_kinds import SIGN_IN
from webapp.models.rate_count import RateCount
from webapp.models.session import Session
from webapp.models.user import User

MAILS_A_DAY = 4  # about one account; the last one says that it is
DAY = 24 * 60 * 60  # seconds

UNNAMED = phrase("sign_in.unnamed", "a program")


def tell_of_new_browser(user: User, session: Session) -> None:
    """Tell somebody that this session of theirs has begun in a browser that was new: in the list, where the latest
    stands for all, and by mail; in the transaction in which it began.

    Whoever signs in without cookies all day, they get `MAILS_A_DAY` at most. Five writes.
    """
    Notification.tell(user, SIGN_IN, SIGN_IN.phrase(session.browser or UNNAMED()))
    if not user.email:
        return
    number = RateCount.add(f"mails of new browsers {user.id}", DAY)
    if number <= MAILS_A_DAY:
        about = {"browser": session.browser, "network": session.network, "at": exact_iso(session.created_at)}
        AccountMail.put("new_browser", user.email, user, is_last=number == MAILS_A_DAY, **about)
