"""The one map from the kinds of fields that parameter types name to the classes of these fields."""

from collections.abc import Sequence
from typing import Any, Final

from wtforms import Field

from tasks.engine.parameters.parameter import Parameter
from webapp.web.forms.task_fields import chosen, typed

FIELDS: Final[dict[str, type[Field]]] = {
    "text": typed.TextField,
    "textarea": typed.TextAreaField,
    "lines": typed.LinesField,
    "integer": typed.WholeNumberField,
    "number": typed.DecimalField,
    "decimal": typed.DecimalField,
    "checkbox": chosen.TickField,
    "select": chosen.ChoiceField,
    "checkboxes": chosen.ChoicesField,
    "own": chosen.OwnField,
    "date": typed.DateField,
    "time": typed.TimeField,
    "datetime": typed.DateTimeField,
    "password": typed.SecretField,
    "file": typed.FileField,
    "files": typed.FilesField,
}


def field_of(parameter: Parameter, validators: Sequence[Any]) -> Field:
    """The field of a parameter, as a form class has it."""
    attributes: dict[str, Any] = {}
    if parameter.suffixes:
        attributes["accept"] = ",".join(parameter.suffixes)
    if parameter.placeholder:
        attributes["placeholder"] = parameter.placeholder
    if parameter.bounds and parameter.type.limits == "range":  # a browser would cut a text that is too long, silently
        ends = {"min": parameter.bounds.low, "max": parameter.bounds.high}
        attributes |= {name: end for name, end in ends.items() if end is not None}
    return FIELDS[parameter.field](
        parameter=parameter,
        label=parameter.label,
        default=parameter.default,
        validators=validators,
        render_kw=attributes,
    )
