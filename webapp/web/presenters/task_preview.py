"""Previews: what a task would do, shown before it starts; and what keeps that from being shown, in words."""

import logging

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
        return function.make_preview(form.arguments), ""
    except TooLong as error:
        return None, str(error)
    except TaskError as error:
        form.add_error(str(error), error.field or _only_one(function))
    except (Exception, SystemExit) as error:  # which would end this process, and everybody's requests with it
        if is_unavailable(error):
            raise
        log.exception("The preview of %s failed", function.name)
        return None, UNEXPECTED
    return None, ""


def _only_one(function: TaskFunction) -> str:
    """The parameter that is meant where none is named, if there is no other."""
    names = [parameter.name for parameter in function.parameters]
    return names[0] if len(names) == 1 else ""
