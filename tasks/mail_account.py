"""Mail people about their accounts: to confirm an address, to set a new password, and what has been changed."""

from dataclasses import replace

from peewee import fn

from tasks.engine import Run, TemporaryError, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.phrases import phrase
from webapp.mail import MailError, OutgoingMail, account_mails
from webapp.models import AccountMail, RateCount, Task, User

TITLE = phrase("mail_account.title", "Mail about an account")
SILENT = phrase("mail_account.silent", "the mail server did not answer in time a moment ago.")
UNKNOWN = phrase("mail_account.unknown", "only a worker of a later release can write this mail.")
BEFORE_PEOPLE = 1  # somebody sits and waits for it
PROMPT_RETRIES = replace(RETRIES, times=12, longest=300)  # what is due by then goes first, before what was put off
# So where the mail server hangs, few of these ask it, now and then: they would hold every process, before all others.
ASKED_AGAIN_AFTER = 60.0  # seconds
COUNTED_AS = "the mail server was silent"


@sweep_hook
def line_up_account_mails(at_once: int) -> None:
    """Start a task for each person about whose account a mail is due."""
    under_way = Task.user == User.id, Task.name == mail_account.name, Task.state.in_(ACTIVE)
    line_up(mail_account, list(AccountMail.mail_due(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=BEFORE_PEOPLE, retries=PROMPT_RETRIES)
def mail_account(task: Run) -> None:
    """Send all mails that are due about somebody's account, each once: the oldest first, but last what was put off."""
    if not mail.is_configured():
        AccountMail.settle_mail(task.user)
        return
    while AccountMail.is_due(task.user):
        _send_next(task)


def _send_next(task: Run) -> None:
    if RateCount.find(COUNTED_AS):
        raise TemporaryError(SILENT())
    try:
        mail_once(task, AccountMail, "their account", _content, to=_address, is_reserved=True)
    except TemporaryError as error:
        if isinstance(error.__cause__, MailError) and error.__cause__.timed_out:
            RateCount.add(COUNTED_AS, ASKED_AGAIN_AFTER)
        raise


def _content(user: User, key: str) -> OutgoingMail | None:
    due = AccountMail.of_mail(user, key)
    if due and due.kind not in account_mails.ACCOUNT_MAILS:
        raise TemporaryError(UNKNOWN())
    return account_mails.content_of(due) if due else None


def _address(user: User, key: str) -> str:
    due = AccountMail.of_mail(user, key)
    return due.address if due else ""
