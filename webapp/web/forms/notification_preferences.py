"""The form in which a person chooses how they hear of each kind of notification."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectChoice, SelectField
from wtforms.validators import ValidationError

from webapp.models.notification_kinds import KINDS
from webapp.models.notification_preferences import CHANNELS, channels_for


def _require_address(form: "NotificationPreferencesForm", field: Field) -> None:
    channel = CHANNELS.get(field.data)
    if channel and channel.mail_after is not None and not form.has_address:
        raise ValidationError("Add an email address in Settings first, and confirm it.")


class NotificationPreferencesForm(FlaskForm):
    """One field for each of KINDS whose channel can be chosen, named like it.

    Refuses mail for a person without a confirmed email address.
    """

    def __init__(self, user: Any, **kwargs: Any) -> None:
        chosen = {name: user.channel_for(KINDS[name]) for name in self.kinds}
        super().__init__(data=chosen, **kwargs)
        self.has_address = bool(user.email)
        for name, present in chosen.items():
            channels = channels_for(KINDS[name], present)
            self[name].choices = [SelectChoice(name, words) for name, words in channels.items()]

    @property
    def kinds(self) -> list[str]:
        """The names of the fields, in order."""
        return [name for name, kind in KINDS.items() if kind.can_be_chosen]

    @property
    def preferences(self) -> dict[str, str]:
        """The chosen channel of each kind, by its name."""
        return {kind: self[kind].data for kind in self.kinds}


for _kind in (kind for kind in KINDS.values() if kind.can_be_chosen):
    setattr(NotificationPreferencesForm, _kind.name, SelectField(_kind.label, [_require_address]))
