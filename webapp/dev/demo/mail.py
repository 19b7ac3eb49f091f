"""The mail desk of the main person: mails that were sent, with and without luck, one for tomorrow and a draft."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tasks.send_mail import submit
from webapp.dev.demo.files import text
from webapp.dev.demo.instant_run import Interruption, cancel_and_lose_worker, run_next
from webapp.dev.demo.simulation import Simulation
from webapp.dev.demo.timeline import Event, days_ago
from webapp.dev.factories import make_draft, make_mailing_file
from webapp.mail.recipients import read_recipients
from webapp.models import Mailing, Task, User

PER_DAY = 1000  # more than anybody in this world mails
AGAIN_IN = timedelta(minutes=6)


def mails(ann: User, simulation: Simulation) -> Iterator[Event]:
    """Sent mails: one to everybody, one refused for two, one deferred for two, and one that is being canceled."""

    def sent(
        at: datetime,
        took: float,
        subject: str,
        name: str,
        file: str = "",
        step: int = 0,
        interruption: Interruption | None = None,
    ) -> None:
        """One mail, sent at that time within `took` seconds; an interruption may happen at a step."""
        draft = _draft(ann, subject=subject, body=text(name))
        if file:
            make_mailing_file(draft, file, text(file).encode(), content_type="text/csv")
        task = _submit(draft)
        run_next(step, interruption)
        simulation.backdate(task, at, took)

    def autumn(at: datetime) -> None:
        sent(at, 9.4, "Rehearsals this autumn", "letter-rehearsals.txt")

    def concert(at: datetime) -> None:
        simulation.smtp.refused = {"alto.two@example.com", "tenor.one@example.com"}
        sent(at, 14.8, "Our concert in November", "letter-concert.txt", "programme.csv")

    def language_table(at: datetime) -> None:
        simulation.smtp.deferred = {"stage.door@example.com", "friends@example.com"}
        sent(at, 8.1, "The language table", "letter-language-table.txt")
        Task.update(run_at=simulation.now + AGAIN_IN).where(Task.user == ann, Task.run_at.is_null(False)).execute()

    def wrong_date(at: datetime) -> None:
        sent(
            at,
            4.2,
            "No rehearsal this Thursday",
            "letter-no-rehearsal.txt",
            step=9,
            interruption=cancel_and_lose_worker,
        )

    for days, write in ((21.2, autumn), (8.4, concert), (0.004, language_table), (0.00005, wrong_date)):
        yield simulation.event(days_ago(simulation.now, days), write)


def leave_drafts(ann: User, now: datetime) -> None:
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
