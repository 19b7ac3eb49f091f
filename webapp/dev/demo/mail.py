"""The mail desk of the main person: mails that were sent, with and without luck, one for tomorrow and a draft."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tasks.send_mail import submit
from webapp.dev.demo.files import text
from webapp.dev.demo.simulation import Event, Life, canceling, run_next
from webapp.dev.demo.timeline import Happening, moment
from webapp.dev.factories import make_draft, make_mailing_file
from webapp.mail.recipients import read_recipients
from webapp.models import Mailing, Task, User

PER_DAY = 1000  # more than anybody in this world mails
AGAIN_IN = timedelta(minutes=6)


def mails(ann: User, life: Life) -> Iterator[Happening]:
    """What was sent: one to all, one that two were refused, one that two have yet to get, one that is being stopped."""

    def sent(
        at: datetime, took: float, subject: str, name: str, file: str = "", step: int = 0, event: Event | None = None
    ) -> None:
        """One mail, sent at that time and within so many seconds; an `event` happens at its `step`, if one is given."""
        draft = _draft(ann, subject=subject, body=text(name))
        if file:
            make_mailing_file(draft, file, text(file).encode(), content_type="text/csv")
        task = _submit(draft)
        run_next(step, event)
        life.put(task, at, took)

    def autumn(at: datetime) -> None:
        sent(at, 9.4, "Rehearsals this autumn", "letter-rehearsals.txt")

    def concert(at: datetime) -> None:
        life.postman.refused = {"alto.two@example.com", "tenor.one@example.com"}
        sent(at, 14.8, "Our concert in November", "letter-concert.txt", "programme.csv")

    def language_table(at: datetime) -> None:
        life.postman.put_off = {"stage.door@example.com", "friends@example.com"}
        sent(at, 8.1, "The language table", "letter-language-table.txt")
        Task.update(run_at=life.now + AGAIN_IN).where(Task.user == ann, Task.run_at.is_null(False)).execute()

    def wrong_date(at: datetime) -> None:
        sent(at, 4.2, "No rehearsal this Thursday", "letter-no-rehearsal.txt", step=9, event=canceling)

    for days, write in ((21.2, autumn), (8.4, concert), (0.004, language_table), (0.00005, wrong_date)):
        yield life.happening(moment(life.now, days), write)


def leave_on_the_desk(ann: User, now: datetime) -> None:
    """A mail for tomorrow morning, and a draft."""
    morning = (now + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    report = {"subject": "How far my tasks are", "template": "all_tasks", "body": ""}
    _submit(_draft(ann, recipients="ben@example.com, ann@example.com", send_at=morning, **report))
    few = "\n".join(text("members.txt").splitlines()[:7])
    _draft(ann, recipients=few, subject="Thank you, all of you", body=text("letter-thanks.txt"))


def _draft(ann: User, **fields: str | datetime) -> Mailing:
    return make_draft(ann, **{"template": "free", "recipients": text("members.txt")} | fields)


def _submit(draft: Mailing) -> Task:
    return submit(draft, read_recipients(draft.recipients).addresses, PER_DAY)
