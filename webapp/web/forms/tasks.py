"""The form of a task function, made from its signature."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import StopValidation

from tasks.engine import DeclarationError, TaskFunction
from webapp.models import Task, User
from webapp.web.forms.start_time import StartTimeField
from webapp.web.forms.task_fields.base import OfParameter
from webapp.web.forms.task_fields.table import field_of

RESERVED_NAMES = {"csrf_token", "form_key", "again"}  # hidden fields that templates add


class TaskForm(FlaskForm):
    """The base class of the forms made from task functions. `run_at` is naive UTC."""

    run_at = StartTimeField("Start at")

    def __init__(self, owner: User, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_at.zone = owner.time_zone
        for field in self:
            if isinstance(field, OfParameter):
                field.belong_to(owner)

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for `launch`. Only for a valid form."""
        return {name: value for name, value in self.data.items() if name not in {"csrf_token", "run_at"}}

    @property
    def argument_errors(self) -> dict[str, str]:
        """The first error of each argument by the label of its field; an error of the whole form by an empty label."""
        wrong = {field.label.text: str(field.errors[0]) for field in self if field.errors and field is not self.run_at}
        return wrong | ({"": str(self.form_errors[0])} if self.form_errors else {})

    def add_error(self, message: str, name: str = "") -> None:
        """Show an error at the field of that name; if there is no such field, at the top of the form."""
        if name in self:
            self[name].errors = [message]
        else:
            self.form_errors = [message]


def require_forms(functions: Iterable[TaskFunction]) -> None:
    """Raises DeclarationError unless each of these task functions can have a form."""
    for function in functions:
        task_form_class(function)


def task_form(function: TaskFunction, owner: User, earlier: Task | None = None) -> TaskForm:
    """The form of a task function: a field for each parameter, validated by the same rules as a launch in code.

    Times are in the `owner`'s time zone, and what can be chosen of their own is theirs. An `earlier` task fills in its
    arguments, except files and secrets; and the time that it was scheduled for, if it was canceled before. A time in
    the past is refused as any other, so that nothing meant for later starts at once.
    """
    data: dict[str, Any] = {}
    if earlier:
        data = function.refill(earlier)
        data["run_at"] = earlier.run_at if earlier.is_finished else None
    return task_form_class(function)(owner, data=data)


@cache
def task_form_class(function: TaskFunction) -> type[TaskForm]:
    """The class of that form. Raises DeclarationError for a parameter whose name the form itself needs."""
    for parameter in function.parameters:
        if hasattr(TaskForm, parameter.name) or parameter.name in RESERVED_NAMES:
            words = f"parameter {parameter.name} has a name that forms need for themselves: write {parameter.name}_"
            raise DeclarationError(function.body, words)
    fields = {parameter.name: field_of(parameter, [_check]) for parameter in function.parameters}
    return type("TaskForm", (TaskForm,), fields)


def _check(_: FlaskForm, field: Field) -> None:
    if problem := field.problem:
        field.errors = []  # WTForms reports a malformed value in its own words
        raise StopValidation(problem)
