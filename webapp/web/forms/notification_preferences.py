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
        raise ValidationError("Add an email address in Settings first.")


class NotificationPreferencesForm(FlaskForm):
    """One field for each of KINDS, named like it. Refuses mail for a person without an e-mail address."""

    def __init__(self, user: Any, **kwargs: Any) -> None:
        chosen = {name: user.channel_for(kind) for name, kind in KINDS.items()}
        super().__init__(data=chosen, **kwargs)
        self.has_address = bool(user.email)
        for kind in KINDS.values():
            channels = channels_for(kind, chosen[kind.name])
            self[kind.name].choices = [SelectChoice(name, words) for name, words in channels.items()]

    @property
    def kinds(self) -> list[str]:
        """The names of the fields, in order."""
        return list(KINDS)

    @property
    def preferences(self) -> dict[str, str]:
        """The chosen channel of each kind, by its name."""
        return {kind: self[kind].data for kind in self.kinds}


for _kind in KINDS.values():
    setattr(NotificationPreferencesForm, _kind.name, SelectField(_kind.label, [_require_address]))
