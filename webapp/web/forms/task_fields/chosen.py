"""Fields in which people choose."""

from typing import Any, Final

from wtforms import BooleanField, SelectChoice, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from tasks.engine.parameters.parameter import Parameter
from webapp.web.forms.task_fields.base import OfParameter

UNCHOSEN: Final = "Choose one"
NONE: Final = "Not specified"


class TickField(OfParameter, BooleanField):
    """Yes or no."""


class ChoiceField(OfParameter, SelectField):
    """One of the choices of a parameter."""

    data: Any

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        options = [("", NONE), *parameter.options] if parameter.optional else parameter.options
        choices = [SelectChoice(text, label) for text, label in options]
        super().__init__(
            *args, parameter=parameter, choices=choices, coerce=self._read, validate_choice=False, **kwargs
        )

    def _read(self, given: Any) -> Any:
        return self.parameter.parse(given) if isinstance(given, str) else given


class ChoicesField(OfParameter, SelectMultipleField):
    """Some of the choices of a parameter, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        choices = [SelectChoice(text, label) for text, label in parameter.options]
        super().__init__(
            *args, parameter=parameter, choices=choices, coerce=self._read, validate_choice=False, **kwargs
        )

    def _read(self, given: Any) -> Any:
        return self.parameter.parse(given) if isinstance(given, str) else given


class OwnField(ChoiceField):
    """One of the owner's own things, as they are now."""

    has_more = False

    def belong_to(self, owner: Any) -> None:
        """Offer what is theirs, and what was chosen before, if it still is."""
        super().belong_to(owner)
        own = self.parameter.own
        assert own is not None
        offered, self.has_more = own.offered(owner)
        known = {value for value, _ in offered}
        chosen = None if self.data is None or self.data in known or self.problem else own.find(owner, self.data)
        options = [*offered, chosen] if chosen else offered
        unchosen = SelectChoice("", NONE if self.parameter.optional else UNCHOSEN)
        self.choices = [unchosen, *(SelectChoice(str(value), label) for value, label in options)]

    @property
    def hint(self) -> str:
        """What to know before choosing."""
        own = self.parameter.own
        return " ".join(filter(None, [super().hint, own.hint if own and self.has_more else ""]))
