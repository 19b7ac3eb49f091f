"""Files and folders that only the process's own user can read."""

import os
import secrets
from pathlib import Path


def make_private_folder(folder: Path) -> Path:
    """The folder as an absolute path; created for this user alone if it is missing, and known to be writable.

    Raises OSError if it is not writable, and RuntimeError if it starts with ~ and a user without a home.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    probe = folder / f".writable-{secrets.token_hex(4)}"
    probe.touch()
    probe.unlink()
    return folder


def kept_secret(path: Path) -> str:
    """The random key in a file, created with the first call; processes that call it at once get the same one."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    # Linked into place whole: of two processes that start at once, both read the key of the first.
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text()
    finally:
        draft.unlink()
    return path.read_text()
