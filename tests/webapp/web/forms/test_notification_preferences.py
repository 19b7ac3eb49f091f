"""The form of notification preferences."""

from webapp.models import NoticeKind
from webapp.web.forms.notification_preferences import NotificationPreferencesForm


def test_every_kind_of_notification_has_a_field_and_a_label(app):
    fields = {name for name, _ in vars(NotificationPreferencesForm).items() if name in set(NoticeKind)}
    assert fields == set(NoticeKind), "a kind without a field cannot be chosen"
