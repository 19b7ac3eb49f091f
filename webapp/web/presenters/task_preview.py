"""Previews: what a task would do, shown before it starts; and what keeps that from being shown, in words."""

import logging
from typing import Any

from tasks.engine import Preview, TaskError, TaskFunction
from tasks.engine.preview import TooLong
from webapp.db.resilience import is_unavailable
from webapp.web.forms.tasks import TaskForm

log = logging.getLogger(__name__)

UNEXPECTED = "We couldn’t preview this because of an error on our side. We’ve logged it."


def look(function: TaskFunction, form: TaskForm) -> tuple[Preview | None, str]:
    """What a task of a valid form would do, where its function says that.

    What the function finds wrong is then said in the form, which must not be started so. Where the preview itself
    fails, words say that in its place; they say nothing about the form. What the database says that cannot be reached
    goes on.
    """
    try:
        return preview_of(function, form.arguments)
    except TaskError as error:
        form.add_error(str(error), field_of(function, error))
        return None, ""


def preview_of(function: TaskFunction, arguments: dict[str, Any]) -> tuple[Preview | None, str]:
    """What a task with these arguments would do, where its function says that, or words about why that failed.

    Raises TaskError for what the function finds wrong: no task is to be started so.
    """
    try:
        return function.make_preview(arguments), ""
    except TooLong as error:
        return None, str(error)
    except TaskError:
        raise
    except (Exception, SystemExit) as error:  # which would end this process, and everybody's requests with it
        if is_unavailable(error):
            raise
        log.exception("The preview of %s failed", function.name)
        return None, UNEXPECTED


def field_of(function: TaskFunction, error: TaskError) -> str:
    """The parameter that is meant, also where none is named and there is no other; empty where nobody can say."""
    if error.field:
        return error.field
    names = [parameter.name for parameter in function.parameters]
    return names[0] if len(names) == 1 else ""
