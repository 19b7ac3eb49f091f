"""Secret: a text that only the task function may read, and how it is stored until the task ends."""

import hmac
from typing import Final, NoReturn
from uuid import UUID

from tasks.engine.config import config
from webapp.lib import sealing
from webapp.lib.sealing import CannotUnseal

__all__ = ["MASK", "CannotUnseal", "Secret", "reseal", "seal", "unseal"]

MASK: Final = "••••••"
_PURPOSE: Final = b"arguments of a task, version 1: "


class Secret:
    """A password, key or token. Printed, formatted or logged it is a mask; `reveal` returns the text.

    It cannot be pickled, copied into JSON or compared by anything but another secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Keep it out of logs, titles, results and messages of errors."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    def __bool__(self) -> bool:
        return bool(self._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def seal(secret: Secret, task_id: UUID) -> str:
    """A secret as the row of one task keeps it: encrypted and authenticated by a key that no other task has.

    Raises RuntimeError without `Config.secret_key`.
    """
    return sealing.seal(secret.reveal(), key=config().secret_key, purpose=_purpose(task_id))


def unseal(sealed: str, task_id: UUID) -> Secret:
    """The secret that was sealed for this task. Raises CannotUnseal, and RuntimeError without `Config.secret_key`."""
    return Secret(sealing.unseal(sealed, keys=config().secret_keys, purpose=_purpose(task_id)))


def reseal(sealed: str, task_id: UUID) -> str | None:
    """The same, sealed by the present secret key; None if it is already. Raises as `unseal` does."""
    return sealing.reseal(sealed, keys=config().secret_keys, purpose=_purpose(task_id))


def _purpose(task_id: UUID) -> bytes:
    """Each task has a key of its own. So nonces need to differ only within a task, and no row fits another."""
    return _PURPOSE + task_id.bytes
