"""How an email to many stands, in the words that its page, its task and the list of emails have in common."""

from dataclasses import dataclass

from webapp.lib.i18n import ngettext, number
from webapp.lib.phrases import Phrase, phrase
from webapp.models import Delivery, Mailing, State, Task
from webapp.models.mailing.delivery import Sending

_OF_ITS_TASK = {State.SUCCEEDED: "Sent", State.FAILED: "Stopped", State.IN_PROGRESS: "Sending"}
UNDER_WAY = {
    Sending.SENT: phrase("mail.sent", "{number} sent"),
    Sending.SENDING: phrase("mail.sending", "{number} sending"),
    Sending.REFUSED: phrase("mail.refused_count", "{number} refused"),
    Sending.FAILED: phrase("mail.failed", "{number} failed"),
    Sending.SKIPPED: phrase("mail.skipped", "{number} left out"),
    Sending.WAITING: phrase("mail.waiting", "{number} waiting"),
}
# Nothing waits any more; what was in flight when its worker died may have arrived.
OVER = UNDER_WAY | {
    Sending.SENDING: phrase("mail.possibly_sent", "{number} possibly sent"),
    Sending.WAITING: phrase("mail.not_sent", "{number} not sent"),
}
SO_FAR = phrase("send_mail.so_far", "{sent} of {recipients} sent.")
STOPPED = phrase("send_mail.stopped", "{reason:sentence} {so_far}")
OVER_LIMIT = phrase(
    "mail.over_limit",
    "{so_far} The other one goes out from {time}, because of your daily limit of {limit}.",
    plural="{so_far} The other {number} go out from {time}, because of your daily limit of {limit}.",
)
COUNTS = phrase("mail.counts", "{counts}")
ICONS = {
    State.SCHEDULED: "calendar-clock",
    State.SUCCEEDED: "circle-check",
    State.FAILED: "circle-alert",
    State.CANCELED: "ban",
}


@dataclass(frozen=True)
class Standing:
    """How an email stands, for its row in the list: the name of an icon, and a few words."""

    icon: str
    words: str


def standing_of(mailing: Mailing, counts: dict[Sending, int]) -> Standing:
    """How an email from `Mailing.of` stands, given its deliveries. No query."""
    task = mailing.task
    if task is None:
        people = mailing.people  # None where a release before has saved it
        draft = "Draft by a program" if mailing.is_by_program else "Draft"
        return Standing("pencil", draft if people is None else f"{draft}, {_recipients(people)}")
    icon, total = ICONS.get(task.state, "mail"), sum(counts.values())
    if task.state == State.SCHEDULED:
        changes = " · unsaved changes" if mailing.is_changed else ""
        return Standing(icon, f"Scheduled for {_recipients(total)}{changes}")
    delivered = ngettext(
        "delivered to %(sent)s of %(num)s recipient",
        "delivered to %(sent)s of %(num)s recipients",
        total,
        sent=number(counts[Sending.SENT]),
    )
    others = str(count_words(counts | {Sending.SENT: 0}, is_over=True)) if task.is_finished else ""
    return Standing(icon, ", ".join(filter(None, [state_words(task), delivered, others])))


def _recipients(people: int) -> str:
    return ngettext("%(num)s recipient", "%(num)s recipients", people) if people else "no recipients"


def state_words(task: Task) -> str:
    """How the task that sends a mail stands, like 'Sending'."""
    words: str = _OF_ITS_TASK.get(task.state) or task.state.words.capitalize()
    return words


def count_words(counts: dict[Sending, int], is_over: bool) -> Phrase:
    """How many were sent and what came of the others, like '8 sent, 1 refused, 12 not sent'; empty for none."""
    wordings = OVER if is_over else UNDER_WAY
    return COUNTS(counts=[wording(number=counts[state]) for state, wording in wordings.items() if counts[state]])


def so_far(mail: Mailing) -> Phrase:
    """How many have got it, of how many. Two queries at most."""
    counts = Delivery.counts(mail)
    return SO_FAR(sent=counts[Sending.SENT], recipients=sum(counts.values()))


def counts_of_task(task: Task) -> str:
    """The same of the mail that a task sends. Two queries."""
    mailing = Mailing.get_or_none(Mailing.task == task.id)
    return str(count_words(Delivery.counts(mailing), task.is_finished)) if mailing else ""
