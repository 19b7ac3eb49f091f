"""The pace of mail to many, in a task: one that has to wait lets go of its worker meanwhile."""

from datetime import timedelta

from tasks.engine import Postponed, Run
from webapp.lib.times import utcnow
from webapp.mail import MailError, SmtpSession, pace


def wait(task: Run, session: SmtpSession) -> None:
    """Take the turn of one mail. Raises Postponed where that has to wait, with all saved that came before."""
    if seconds := pace.seconds_to_wait():
        session.give_back()
        task.checkpoint()
        raise Postponed(pace.slowed(), until=utcnow() + timedelta(seconds=seconds))


def heard(task: Run, session: SmtpSession, error: MailError, *, got_further: bool) -> None:
    """Heed what the mail server has said, for all that send. Where it asks for less, that is saved at once.

    If it will take nothing at all for now, a run that `got_further` before only has to wait.
    """
    if pace.heard(error):
        session.give_back()
        task.checkpoint()
        if got_further:
            error.after = pace.PAUSE
