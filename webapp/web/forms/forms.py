"""The forms that people fill in, with the words that they read when something is wrong."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, MultipleFileField
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    FloatField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Email, InputRequired, Length, Optional, StopValidation, ValidationError

from tasks.engine import DeclarationError, TaskFunction, Upload
from tasks.engine.parameters import Parameter
from webapp.lib.i18n import number
from webapp.lib.normalization import clean, compatible, is_blank
from webapp.models import Task
from webapp.models.message import MESSAGE_LENGTH
from webapp.models.notification_preferences import CHANNELS, channels_for
from webapp.models.passwords import PASSWORD_LENGTH
from webapp.models.post import POST_LENGTH
from webapp.models.usernames import username_key
from webapp.web.forms.start_time import MomentField

ABOUT_LENGTH = 500
HEARING = {
    "message": "New message",
    "succeeded": "Task finished",
    "failed": "Task failed",
    "mail": "Email sent",
}
CONTINENTS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}
USERNAME_WORDS = "2 to 30 letters (a to z), digits, dots, dashes, or underscores, starting with a letter or digit."


class WithinLength(Length):
    """A length without which nothing else is checked: no pattern sees what is far too long."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raises StopValidation, in words."""
        try:
            super().__call__(form, field)
        except ValidationError as error:
            raise StopValidation(str(error)) from error


def _good_password() -> list[Any]:
    low, high = PASSWORD_LENGTH
    words = f"Use {low} to {high} characters."
    return [InputRequired("Choose a password."), WithinLength(low, high, words)]


def check_password(field: Field, username: str) -> None:
    """Refuse what anybody would try first. Raises ValidationError."""
    if is_blank(field.data):
        raise ValidationError("Use at least one visible character.")
    if compatible(field.data).lower() == username_key(username):
        raise ValidationError("Your password can’t be your username.")


_email = [
    Optional(strip_whitespace=True),
    WithinLength(max=254, message="That email address is too long."),
    Email("Enter a valid email address.", allow_smtputf8=False),  # few mail servers take letters like ü before the @
]


def _time_zones() -> list[str]:
    """The zones that are named by a place; the rest are old names of these, or mean another in each place."""
    return ["UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in CONTINENTS)]


class RegisterForm(FlaskForm):
    """A new account."""

    username = StringField(
        "Username",
        [
            InputRequired("Choose a username."),
        ],
        filters=[clean],
        description=USERNAME_WORDS,
    )
    email = EmailField("Email", _email, filters=[clean])
    password = PasswordField("Password", _good_password())

    def validate_username(self, field: Field) -> None:
        """It is one, however it was typed."""
        if not username_key(field.data):
            raise ValidationError(USERNAME_WORDS)

    def validate_password(self, field: Field) -> None:
        """It is not the user name, which everybody knows."""
        check_password(field, self.username.data or "")


class LoginForm(FlaskForm):
    """Signing in."""

    username = StringField("Username", [InputRequired("Enter your username.")], filters=[clean])
    password = PasswordField("Password", [InputRequired("Enter your password.")])


class ProfileForm(FlaskForm):
    """What others read about a person, where mail reaches them, and where they live."""

    email = EmailField("Email", _email, filters=[clean])
    about = TextAreaField(
        "About me",
        [Length(max=ABOUT_LENGTH, message=f"Use at most {ABOUT_LENGTH} characters.")],
        filters=[clean],
    )
    time_zone = SelectField("Time zone", choices=_time_zones())


class PasswordForm(FlaskForm):
    """A new password. A guest, who has none, is not asked for the current one."""

    current = PasswordField("Current password")
    password = PasswordField("New password", _good_password())

    def __init__(self, user: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        if user.is_guest:
            del self.current

    def validate_password(self, field: Field) -> None:
        """It is not the user name, which everybody knows."""
        check_password(field, self.user.username)

    def validate_current(self, field: Field) -> None:
        """The current password must be right, so that an unlocked screen is not enough to take an account."""
        if not self.user.has_password(field.data or ""):
            raise ValidationError("That’s not your current password.")


def _check_length(field: Field, most: int, noun: str) -> None:
    text = field.data or ""
    if not text:
        raise ValidationError(f"Write a {noun} first.")
    if len(text) > most:
        raise ValidationError(f"Your {noun} has {number(len(text))} characters. The limit is {number(most)}.")


class PostForm(FlaskForm):
    """A post: what is left after trimming has 1 to POST_LENGTH characters."""

    is_repeated = False  # whether its writer has been asked if they mean to write that once more
    body = TextAreaField("Write something", filters=[clean])

    def validate_body(self, field: Field) -> None:
        """Says how many characters there are, for whoever has to shorten."""
        _check_length(field, POST_LENGTH, "post")


class MessageForm(FlaskForm):
    """A private message: what is left after trimming has 1 to MESSAGE_LENGTH characters."""

    is_repeated = False  # whether its writer has been asked if they mean to write that once more
    body = TextAreaField("Your message", filters=[clean])

    def validate_body(self, field: Field) -> None:
        """Says how many characters there are, for whoever has to shorten."""
        _check_length(field, MESSAGE_LENGTH, "message")


class NotificationPreferencesForm(FlaskForm):
    """How a person hears of each kind of notice. Nothing is mailed to whom no address is known of."""

    kinds = tuple(HEARING)

    def __init__(self, user: Any, **kwargs: Any) -> None:
        present = {kind: user.channel_for(kind) for kind in HEARING}
        super().__init__(data=present, **kwargs)
        self.has_address = bool(user.email)
        for kind in HEARING:
            self[kind].choices = [
                SelectChoice(name, words) for name, words in channels_for(kind, present[kind]).items()
            ]


def _check_address(form: NotificationPreferencesForm, field: Field) -> None:
    way = CHANNELS.get(field.data)
    if way and way.mail_after is not None and not form.has_address:
        raise ValidationError("Add an email address in Settings first.")


for _kind, _label in HEARING.items():
    setattr(NotificationPreferencesForm, _kind, SelectField(_label, [_check_address]))


class TaskForm(FlaskForm):
    """The base of the forms that task functions' signatures make. `run_at` is naive UTC."""

    run_at = MomentField("Start at")

    def __init__(self, zone: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_at.zone = zone

    @property
    def arguments(self) -> dict[str, Any]:
        """What to launch the function with, once the form has validated."""
        return {name: value for name, value in self.data.items() if name not in {"csrf_token", "run_at"}}

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong with the arguments, by the labels of their fields; by an empty one, with all of them."""
        wrong = {field.label.text: str(field.errors[0]) for field in self if field.errors and field is not self.run_at}
        return wrong | ({"": str(self.form_errors[0])} if self.form_errors else {})

    def refuse(self, words: str, name: str = "") -> None:
        """Say what is wrong, at the field of that name; without such a field, at the top."""
        if name in self:
            self[name].errors = [words]
        else:
            self.form_errors = [words]


class UploadField(FileField):
    """One file; its data is an Upload, or None."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what the browser sent."""
        super().process_formdata(valuelist)
        self.data = Upload(self.data.filename, self.data.stream) if self.data else None


class UploadsField(MultipleFileField):
    """Several files; its data is a list of Uploads."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what the browser sent."""
        super().process_formdata(valuelist)
        self.data = [Upload(file.filename, file.stream) for file in self.data or []]


def task_form(function: TaskFunction, zone: str, earlier: Task | None = None) -> TaskForm:
    """The form of a task function: a field for each parameter, checked by the same rules as a launch in code.

    `zone` is the time zone in which its person says when to start. A new form is filled in with the arguments of an
    `earlier` task, and with the time for which that was scheduled if it was canceled before; a time that has passed by
    now is refused as any other, so nothing starts at once that was for later. No browser lets a site choose a file, so
    files are not.
    """
    files = {parameter.name for parameter in function.parameters if parameter.is_file}
    data: dict[str, Any] = {}
    if earlier:
        data = {name: value for name, value in earlier.arguments.items() if name not in files}
        data["run_at"] = earlier.run_at if earlier.is_finished else None
    return task_form_class(function)(zone, data=data)


@cache
def task_form_class(function: TaskFunction) -> type[TaskForm]:
    """The class of that form. Raises DeclarationError for a parameter named like something of the form itself."""
    for parameter in function.parameters:
        if hasattr(TaskForm, parameter.name) or parameter.name in {"csrf_token", "form_key", "again"}:
            words = f"parameter {parameter.name} has a name that forms need for themselves: write {parameter.name}_"
            raise DeclarationError(function.body, words)
    return type("TaskForm", (TaskForm,), {parameter.name: _task_field(parameter) for parameter in function.parameters})


FIELDS: dict[type, type[Field]] = {str: StringField, int: IntegerField, float: FloatField, bool: BooleanField}


def _task_field(parameter: Parameter) -> Field:
    def check(_: FlaskForm, field: Field) -> None:
        problem = parameter.problem(field.data)
        if problem:
            field.errors = []  # what WTForms itself says of a value that is no number, say
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
    return FIELDS[parameter.type](**options)
