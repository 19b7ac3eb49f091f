"""The form in which a person chooses how they hear of each kind of notification."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectChoice, SelectField
from wtforms.validators import ValidationError

from webapp.models.notification_preferences import CHANNELS, NoticeKind, channels_for


def _require_address(form: "NotificationPreferencesForm", field: Field) -> None:
    channel = CHANNELS.get(field.data)
    if channel and channel.mail_after is not None and not form.has_address:
        raise ValidationError("Add an email address in Settings first.")


class NotificationPreferencesForm(FlaskForm):
    """One field for each NoticeKind, named like it. Refuses mail for a person without an e-mail address."""

    message = SelectField("New message", [_require_address])
    succeeded = SelectField("Task finished", [_require_address])
    failed = SelectField("Task failed", [_require_address])
    mail = SelectField("Email sent", [_require_address])

    def __init__(self, user: Any, **kwargs: Any) -> None:
        chosen = {kind.value: user.channel_for(kind.value) for kind in NoticeKind}
        super().__init__(data=chosen, **kwargs)
        self.has_address = bool(user.email)
        for kind, channel in chosen.items():
            self[kind].choices = [SelectChoice(name, words) for name, words in channels_for(kind, channel).items()]

    @property
    def kinds(self) -> list[str]:
        """The names of the fields, in order."""
        return [kind.value for kind in NoticeKind]

    @property
    def preferences(self) -> dict[str, str]:
        """The chosen channel of each kind, by its name."""
        return {kind: self[kind].data for kind in self.kinds}
