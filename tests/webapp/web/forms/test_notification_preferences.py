"""The form of notification preferences."""

from webapp.dev.factories import make_user
from webapp.models.notification_kinds import KINDS
from webapp.models.notification_preferences import CHANNELS
from webapp.web.forms.notification_preferences import NotificationPreferencesForm


def test_each_kind_of_notification_has_a_field_with_its_label_and_its_channels(app):
    with app.test_request_context():
        form = NotificationPreferencesForm(make_user())
        others = {"sign_in", "site_alert"}  # the one is always told, the other is for those with a role
        assert form.kinds == [name for name in KINDS if name not in others]
        for name in form.kinds:
            kind = KINDS[name]
            field = form[name]
            assert (field.label.text, field.data) == (kind.label, "app")
            assert [choice.value for choice in field.choices] == [name for name in CHANNELS if name in kind.channels]
