"""The form of a task function, made from its signature."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, FloatField, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import StopValidation

from tasks.engine import DeclarationError, TaskFunction
from tasks.engine.parameters import Parameter
from webapp.models import Task
from webapp.web.forms.fields import UploadField, UploadsField
from webapp.web.forms.start_time import StartTimeField

FIELD_TYPES: dict[type, type[Field]] = {str: StringField, int: IntegerField, float: FloatField, bool: BooleanField}
RESERVED_NAMES = {"csrf_token", "form_key", "again"}  # hidden fields that templates add


class TaskForm(FlaskForm):
    """The base class of the forms made from task functions. `run_at` is naive UTC."""

    run_at = StartTimeField("Start at")

    def __init__(self, zone: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_at.zone = zone

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


def task_form(function: TaskFunction, zone: str, earlier: Task | None = None) -> TaskForm:
    """The form of a task function: a field for each parameter, validated by the same rules as a launch in code.

    `zone` is the time zone of `run_at`. An `earlier` task fills in its arguments, except files, which browsers let
    nobody prefill; and the time that it was scheduled for, if it was canceled before. A time in the past is refused as
    any other, so that nothing meant for later starts at once.
    """
    files = {parameter.name for parameter in function.parameters if parameter.is_file}
    data: dict[str, Any] = {}
    if earlier:
        data = {name: value for name, value in earlier.arguments.items() if name not in files}
        data["run_at"] = earlier.run_at if earlier.is_finished else None
    return task_form_class(function)(zone, data=data)


@cache
def task_form_class(function: TaskFunction) -> type[TaskForm]:
    """The class of that form. Raises DeclarationError for a parameter whose name the form itself needs."""
    for parameter in function.parameters:
        if hasattr(TaskForm, parameter.name) or parameter.name in RESERVED_NAMES:
            words = f"parameter {parameter.name} has a name that forms need for themselves: write {parameter.name}_"
            raise DeclarationError(function.body, words)
    return type("TaskForm", (TaskForm,), {parameter.name: _task_field(parameter) for parameter in function.parameters})


def _task_field(parameter: Parameter) -> Field:
    def check(_: FlaskForm, field: Field) -> None:
        problem = parameter.problem(field.data)
        if problem:
            field.errors = []  # WTForms reports a malformed number in its own words
            raise StopValidation(problem)

    options: dict[str, Any] = {"label": parameter.label, "default": parameter.default, "validators": [check]}
    if parameter.choices:
        choices = [SelectChoice(value, label) for value, label in parameter.options]
        return SelectField(choices=choices, coerce=parameter.type, **options)
    if parameter.is_file:
        options["render_kw"] = {"accept": ",".join(parameter.suffixes)} if parameter.suffixes else {}
        return UploadsField(**options) if parameter.count else UploadField(**options)
    if parameter.bounds and parameter.type is not str:  # a browser would cut a text that is too long, without a word
        ends = {"min": parameter.bounds.low, "max": parameter.bounds.high}
        options["render_kw"] = {name: end for name, end in ends.items() if end is not None}
    return FIELD_TYPES[parameter.type](**options)
