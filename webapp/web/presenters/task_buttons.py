"""Task buttons: the owner actions that a page offers in each state of a task, and the slot of each.

A second press, of somebody impatient, must not do what was not meant. So the button that starts a task again after its
end is below its card, never where *Cancel* was, and has an id of its own, so that it does not take over the focus of
*Cancel*. A button that is not needed any more stays as a placeholder, which does nothing, for as long as it has the
focus.
"""

from dataclasses import replace

from flask import url_for

from tasks.catalogue import CATALOGUE
from webapp.models import State, Task
from webapp.web.presenters.state_words import RETRY, START_NOW, STATE_WORDS, Slot, TaskButton
from webapp.web.presenters.task_pages import page_of

HEADER_SLOTS = (Slot.PAUSE, Slot.CANCEL)  # beside the title; the other is below
_START = TaskButton(Slot.RETRY, "Start now", "retry")  # of a task that never ran


def header_buttons(task: Task) -> list[TaskButton]:
    """The buttons beside the title of a task, one for each slot."""
    return [_button_in(task, slot) for slot in HEADER_SLOTS]


def retry_button(task: Task) -> TaskButton:
    """The button below the card of a task, which starts it again after its end."""
    return _button_in(task, Slot.RETRY)


def schedule_again_form(task: Task) -> tuple[str, bool]:
    """The URL of the form of a task that was canceled while scheduled, filled in with its time; empty if it has none.

    Also whether the URL needs a POST, as the page of a task function may say.
    """
    if task.state != State.CANCELED or task.run_at is None:
        return "", False
    if schedule_again := page_of(task).schedule_again:
        return schedule_again(task), True
    function = CATALOGUE.get(task.name)
    return (url_for("tasks.new", name=task.name, like=task.id) if function and function.listed else ""), False


def _button_in(task: Task, slot: Slot) -> TaskButton:
    found = next((button for button in STATE_WORDS[task.state].buttons if button.slot == slot), None)
    if found is None or (found.action and not task.can(found.action)):
        return TaskButton(slot, task.state.words.capitalize(), is_placeholder=True)
    if found is RETRY and task.state == State.CANCELED and task.started_at is None:
        found = _START
    return replace(found, label=_label_on_page(task, found) or found.label)


def _label_on_page(task: Task, button: TaskButton) -> str:
    """The label that the page of the task's function gives to a button; empty if none."""
    if button in (START_NOW, _START):
        return page_of(task).start_label
    return page_of(task).restart_label if button is RETRY and task.state == State.CANCELED else ""
