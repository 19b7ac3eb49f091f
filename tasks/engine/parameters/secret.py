"""Secret: a text that only the task function may read, and how it is stored until the task ends."""

import base64
import hmac
import os
from typing import TYPE_CHECKING, Final, NoReturn
from uuid import UUID

from tasks.engine.config import config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASK: Final = "••••••"
_VERSION: Final = "1."
_PURPOSE: Final = b"arguments of a task, version 1: "
_NONCE: Final = 12  # bytes, as AES-GCM wants them


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


class CannotUnseal(Exception):
    """It was sealed by another key or for another task, or somebody has changed it."""


def seal(secret: Secret, task_id: UUID) -> str:
    """A secret as the row of one task keeps it: encrypted and authenticated by a key that no other task has.

    Raises RuntimeError without `Config.secret_key`.
    """
    nonce = os.urandom(_NONCE)
    sealed = _cipher(task_id).encrypt(nonce, secret.reveal().encode("utf-8", "surrogatepass"), None)
    return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, task_id: UUID) -> Secret:
    """The secret that was sealed for this task. Raises CannotUnseal, and RuntimeError without `Config.secret_key`."""
    from cryptography.exceptions import InvalidTag

    try:
        if not sealed.startswith(_VERSION):
            raise ValueError("of a later release")
        data = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
        return Secret(_cipher(task_id).decrypt(data[:_NONCE], data[_NONCE:], None).decode("utf-8", "surrogatepass"))
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal(type(error).__name__) from error


def _cipher(task_id: UUID) -> "AESGCM":
    """AES-256-GCM by the key of one task. So nonces need to differ only within a task, and no row fits another."""
    # Only sites with such a task need the library, which takes its time to load.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = config().secret_key.encode()
    if not key:
        raise RuntimeError("there is no key for secrets: call tasks.engine.configure(secret_key=…) first")
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE + task_id.bytes).derive(key))
