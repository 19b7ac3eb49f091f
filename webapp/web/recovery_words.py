"""What people are told about their recovery codes as they use them."""

from flask import flash

from webapp.lib.i18n import ngettext
from webapp.models import SecondFactor, User
from webapp.models.recovery_code import FEW
from webapp.models.second_factor import Proof


def tell_of_codes_left(user: User, proof: Proof) -> None:
    """Flash how many recovery codes are left, if one has just been used or they are few. One query."""
    number = SecondFactor(user).codes_left
    if number > FEW and proof is not Proof.RECOVERY_CODE:
        return
    words = ngettext("You have %(num)s recovery code left.", "You have %(num)s recovery codes left.", number)
    if proof is Proof.RECOVERY_CODE:
        words = f"You used a recovery code. {words}"
    flash(f"{words} Get new ones in Settings, under Security." if number <= FEW else words)
