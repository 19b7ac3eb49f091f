"""Subjects of what the site itself sends: our words alone, whatever anybody is called, has typed or has uploaded."""

import ast
import re
import string

import pytest

from tasks.export_posts import export_posts
from tasks.mail_account import line_up_account_mails
from tasks.mail_digest import line_up_digests
from tasks.mail_messages import line_up_messages
from tasks.mail_task_outcome import line_up_outcomes
from tests.processes import ROOT
from webapp.dev.factories import make_message, make_post, make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail.account_mails import ACCOUNT_MAILS
from webapp.models import EmailChange, Message, NoticeCount, OutcomeMail, State
from webapp.models.notice_count import MOST_AN_HOUR

# Each file that makes a mail, and what its subjects are made of. A new one needs a case in the tests below.
MADE_IN = {
    "tasks/export_posts.py": "a constant",
    "tasks/mail_digest.py": "numbers",
    "tasks/mail_messages.py": "a number",
    "tasks/mail_task_outcome.py": "numbers, or a constant of the kind",
    "webapp/mail/account_mails.py": "constants of ACCOUNT_MAILS, with {app}",
    "webapp/mail/error_mails.py": "ErrorReport.summary, which holds no values, and goes to ADMINS",
    "webapp/mail/mailings.py": "what a person writes who sends it in their own name",
    "webapp/mail/site_alert_mails.py": "a number",
    "webapp/mail/sending.py": "what it is given, see export_posts",
}
HOSTILE = "call-9005550100.example"


def _makes_mails(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any(
        (isinstance(called, ast.Name) and called.id == "OutgoingMail")
        or (isinstance(called, ast.Attribute) and ast.unparse(called) in {"mail.send", "mail.OutgoingMail"})
        for called in calls
    )


def test_every_file_that_makes_mails_is_known():
    files = [path for folder in ("tasks", "webapp") for path in (ROOT / folder).rglob("*.py")]
    assert {str(path.relative_to(ROOT)) for path in files if _makes_mails(path.read_text())} == MADE_IN.keys()


@pytest.mark.parametrize("kind", ACCOUNT_MAILS)
def test_the_subject_of_a_mail_about_an_account_has_the_name_of_the_site_at_most(kind):
    fields = [name for _, name, _, _ in string.Formatter().parse(ACCOUNT_MAILS[kind].subject) if name is not None]
    assert set(fields) <= {"app"}


@pytest.mark.parametrize("is_digest", [False, True])
def test_no_notice_has_in_its_subject_what_anybody_has_chosen(mailserver, app, configure, run_tasks, is_digest):
    configure(heartbeat=False)
    ann = make_user(HOSTILE, email="ann@example.com", mail_after=0, hearing={"message": "mail", "succeeded": "mail"})
    for state in (State.SUCCEEDED, State.FAILED):
        task = make_task(state, ann, title=HOSTILE)
        OutcomeMail.create(user=ann, task=task, ended_at=task.finished_at)
    make_message(make_user(f"x-{HOSTILE}"), ann, HOSTILE)
    Message.update(mail_due_at=utcnow()).execute()
    make_post(ann, HOSTILE)
    if is_digest:
        NoticeCount.create(user=ann, number=MOST_AN_HOUR, until=utcnow())
        line_up_digests(10)
    else:
        export_posts.launch(ann)
        line_up_outcomes(10)
        line_up_messages(10)
    run_tasks()
    subjects = [mail["Subject"] for mail in mailserver.mails]
    assert len(subjects) == (1 if is_digest else 3)
    assert not [said for said in subjects if HOSTILE in said]
    ours = r"(\d+ task ?\w* \w+|You have \d+ new messages?|Your post export is ready)(, \d+ [\w ]+)?"
    assert [said for said in subjects if not re.fullmatch(ours, said)] == []


def test_who_types_the_address_of_a_stranger_puts_nothing_of_theirs_into_the_mail(mailserver, app, run_tasks):
    EmailChange.request(make_user(HOSTILE), "victim@example.org", send=True)
    line_up_account_mails(10)
    run_tasks()
    [mail] = mailserver.mails
    assert (mail["To"], mail["Subject"]) == ("victim@example.org", "Confirm your email address for Errand")
    assert mail.get_body(("plain",)).get_content().splitlines()[:2] == ["Hello,", ""]
    for kind in ("plain", "html"):
        said = mail.get_body((kind,)).get_content()
        assert "/email/confirmation/" in said
        assert "for an account at Errand" in said
        assert HOSTILE not in said
