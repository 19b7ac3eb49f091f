"""Sealing: a text that only who has the key can read, and nobody can change or put elsewhere, as one short text."""

import base64
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = "1."
_NONCE: Final = 12  # bytes, as AES-GCM wants them


class CannotUnseal(Exception):
    """It was sealed by another key, or for something else, or somebody has changed it."""


def seal(text: str, *, key: str, purpose: bytes, owner: bytes | None = None) -> str:
    """A text, encrypted and authenticated by AES-256-GCM, with a key that HKDF derives from `key` for this purpose.

    `owner` is whose it is: for nobody else is it unsealed. Some 45 characters longer than a third more than the text.
    Raises RuntimeError without a key.
    """
    nonce = os.urandom(_NONCE)
    sealed = _cipher(key, purpose).encrypt(nonce, text.encode("utf-8", "surrogatepass"), owner)
    return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, keys: Sequence[str], purpose: bytes, owner: bytes | None = None) -> str:
    """What was sealed by one of these keys for that purpose and owner.

    The last key, which is tried first, is the one that seals now. Raises CannotUnseal, and RuntimeError without a key.
    """
    for key in reversed(keys):
        with suppress(CannotUnseal):
            return _unseal(sealed, key, purpose, owner)
    raise CannotUnseal("by no key")


def reseal(sealed: str, *, keys: Sequence[str], purpose: bytes, owner: bytes | None = None) -> str | None:
    """The same, sealed by the last of these keys; None if it is already. Raises as `unseal` does."""
    with suppress(CannotUnseal):
        _unseal(sealed, keys[-1], purpose, owner)
        return None
    text = unseal(sealed, keys=keys[:-1], purpose=purpose, owner=owner)
    return seal(text, key=keys[-1], purpose=purpose, owner=owner)


def _unseal(sealed: str, key: str, purpose: bytes, owner: bytes | None) -> str:
    from cryptography.exceptions import InvalidTag

    try:
        if not sealed.startswith(_VERSION):
            raise ValueError("of a later release")
        data = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
        return _cipher(key, purpose).decrypt(data[:_NONCE], data[_NONCE:], owner).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal(type(error).__name__) from error


def _cipher(key: str, purpose: bytes) -> "AESGCM":
    # The library takes its time to load, and many processes seal nothing.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if not key:
        raise RuntimeError("there is no key for secrets: call tasks.engine.configure(secret_key=…) first")
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=purpose).derive(key.encode()))
