"""How a mail to many stands, in the words that its page, its task and the list of mails have in common."""

from webapp.models import Delivery, Mailing, State, Task
from webapp.models.mailing.delivery import Sending

STATES = {State.SUCCEEDED: "Sent", State.FAILED: "Stopped", State.IN_PROGRESS: "Being sent"}
UNDER_WAY = {
    Sending.SENT: "sent",
    Sending.SENDING: "being sent",
    Sending.REFUSED: "refused",
    Sending.FAILED: "given up",
    Sending.WAITING: "waiting",
}
# Nothing waits any more; what was in flight when its worker died may have arrived.
OVER = UNDER_WAY | {Sending.SENDING: "perhaps sent", Sending.WAITING: "not sent"}


def state_words(task: Task) -> str:
    """How the task that sends a mail stands, like 'Being sent'."""
    return STATES.get(task.state, task.state.words.capitalize())


def count_words(counts: dict[Sending, int], is_over: bool) -> str:
    """How many were sent and what came of the others, like '8 sent, 1 refused, 12 not sent'; empty for none."""
    words = OVER if is_over else UNDER_WAY
    return ", ".join(f"{counts[state]:,} {word}" for state, word in words.items() if counts[state])


def counts_of_task(task: Task) -> str:
    """The same of the mail that a task sends. Two queries."""
    mailing = Mailing.get_or_none(Mailing.task == task.id)
    return count_words(Delivery.counts(mailing), task.is_finished) if mailing else ""
