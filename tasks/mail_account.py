"""Mail people about their accounts: to confirm an address, to set a new password, and what has been changed."""

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import RETRIES, line_up, mail_once
from webapp import mail
from webapp.lib.phrases import phrase
from webapp.mail import OutgoingMail, account_mails
from webapp.models import AccountMail, Task, User

TITLE = phrase("mail_account.title", "Mail about an account")
BEFORE_PEOPLE = 1  # somebody sits and waits for it


@sweep_hook
def line_up_account_mails(at_once: int) -> None:
    """Start a task for each person about whose account a mail is due."""
    under_way = Task.user == User.id, Task.name == mail_account.name, Task.state.in_(ACTIVE)
    line_up(mail_account, list(AccountMail.mail_due(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=BEFORE_PEOPLE, retries=RETRIES)
def mail_account(task: Run) -> None:
    """Send all mails that are due about somebody's account, the oldest first, each once."""
    if not mail.is_configured():
        AccountMail.settle_mail(task.user)
        return
    while mail_once(task, AccountMail, "their account", _content, to=_address):
        task.checkpoint()


def _content(user: User, key: str) -> OutgoingMail | None:
    due = AccountMail.of_mail(user, key)
    return account_mails.content_of(due) if due else None


def _address(user: User, key: str) -> str:
    due = AccountMail.of_mail(user, key)
    return due.address if due else ""
