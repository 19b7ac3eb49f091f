"""The forms of the second factor, and those by which people prove once more who they are."""

import time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, ValidationError

from webapp.lib.sealing import CannotUnseal
from webapp.models import User
from webapp.models.passwords import min_length
from webapp.models.second_factor import Sealed, new_secret, seal_for, unseal_for
from webapp.web.forms.fields import WithinLength

WRONG_CODE = "That code is wrong or has been used. Wait for your app to show the next one, then enter that."
WRONG_RECOVERY_CODE = "That recovery code is wrong or has been used. Each works once."
SETUP_HOLDS = 3600  # seconds


def code_field(label: str = "Code") -> StringField:
    """A fresh field for a code of an app, or a recovery code."""
    return StringField(label, [InputRequired("Enter a code."), WithinLength(max=64, message=WRONG_CODE)])


class CodeForm(FlaskForm):
    """The second step of signing in."""

    code = code_field()


class ProofForm(FlaskForm):
    """A person's password, and a code if they have a second factor."""

    password = PasswordField("Your password", [InputRequired("Enter your password.")])
    code = code_field()

    def __init__(self, user: User, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not user.has_second_factor:
            del self.code


class TurnOffForm(ProofForm):
    """The same, to turn the second factor off. The password then has to do alone."""

    end_others = BooleanField("Sign out everywhere else")

    def validate_password(self, field: Field) -> None:
        """Refuses a password that is only long enough beside a second factor."""
        if len(field.data or "") < (least := min_length(has_second_factor=False)):
            raise ValidationError(
                f"Without two-factor authentication, a password needs at least {least} characters. "
                "If this is your password, set a longer one first."
            )


class SetupForm(FlaskForm):
    """A code of the app that is to be the second factor. What the app was given comes back sealed, as `setup`."""

    setup = HiddenField()
    code = code_field("Code from the app")
    end_others = BooleanField("Sign out everywhere else", default=True)

    def __init__(self, user: User, **kwargs: Any) -> None:
        """Begins anew with another secret where none comes back, or one that was shown long ago."""
        super().__init__(**kwargs)
        self.secret = _opened(user, self.setup.data or "")
        self.is_new = not self.secret
        if self.is_new:
            self.secret = new_secret()
            self.setup.data = seal_for(user, Sealed.SETUP, f"{int(time.time())} {self.secret}")

    def validate_code(self, field: Field) -> None:
        """Refuses the code of an app that was given another secret."""
        if self.is_new:
            raise ValidationError("That took too long, so here is a new code to scan. Please add it to your app.")


def _opened(user: User, sealed: str) -> str:
    """What was sealed for this person a short while ago; empty otherwise."""
    try:
        sealed_at, _, secret = unseal_for(user, Sealed.SETUP, sealed).partition(" ")
    except CannotUnseal:
        return ""
    return secret if 0 <= time.time() - int(sealed_at) <= SETUP_HOLDS else ""
