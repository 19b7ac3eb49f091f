"""Resealing: what is sealed for accounts, sealed anew by the present secret key."""

from collections.abc import Iterator

from tasks.engine.config import config
from webapp.lib.sealing import CannotUnseal, reseal
from webapp.models.second_factor import Sealed
from webapp.models.user import User


def reseal_second_factors() -> Iterator[bool]:
    """Seal the secret of each second factor anew; for each, whether that could be done.

    False where no key of this site opens it: those people sign in with recovery codes. Those that are sealed by the
    present key are left out. One small write an account; a second factor that is changed meanwhile stays as it is then.
    """
    keys, purpose = config().secret_keys, Sealed.SECRET.value
    for user in list(User.select(User.id, User.totp_secret).where(User.totp_secret.is_null(False))):
        try:
            sealed = reseal(str(user.totp_secret), keys=keys, purpose=purpose, owner=str(user.id).encode())
        except CannotUnseal:
            yield False
            continue
        if sealed:
            User.update(totp_secret=sealed).where(User.id == user.id, User.totp_secret == user.totp_secret).execute()
            yield True
