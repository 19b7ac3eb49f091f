"""The form in which a person chooses how they hear of each kind of notification."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectChoice, SelectField
from wtforms.validators import ValidationError

from webapp.models.notification_kinds import KINDS
from webapp.models.notification_preferences import CHANNELS, channels_for

_CHOICES = [name for name, kind in KINDS.items() if kind.can_be_chosen]


def _require_address(form: "NotificationPreferencesForm", field: Field) -> None:
    channel = CHANNELS.get(field.data)
    if channel and channel.mail_after is not None and not form.has_address:
        raise ValidationError("Add an email address in Settings first, and confirm it.")


class NotificationPreferencesForm(FlaskForm):
    """One field for each of KINDS whose channel the user can choose, named like it.

    Refuses mail for a person without a confirmed email address.
    """

    def __init__(self, user: Any, **kwargs: Any) -> None:
        offered = [name for name in _CHOICES if KINDS[name].is_for(user)]
        chosen = {name: user.channel_for(KINDS[name]) for name in offered}
        super().__init__(data=chosen, **kwargs)
        for name in set(_CHOICES) - set(offered):
            del self[name]
        self.has_address = bool(user.email)
        for name, present in chosen.items():
            channels = channels_for(KINDS[name], present)
            self[name].choices = [SelectChoice(name, words) for name, words in channels.items()]

    @property
    def kinds(self) -> list[str]:
        """The names of the fields, in order."""
        return [name for name in _CHOICES if name in self]

    @property
    def preferences(self) -> dict[str, str]:
        """The chosen channel of each kind, by its name."""
        return {kind: self[kind].data for kind in self.kinds}


for _name in _CHOICES:
    setattr(NotificationPreferencesForm, _name, SelectField(KINDS[_name].label, [_require_address]))
