"""The data folder and the secret key, as the environment names them."""

import os
from pathlib import Path

from webapp.lib.environment import Reader
from webapp.lib.private_files import kept_secret, make_private_folder

SHORTEST_KEY = 16  # characters: 128 bits where each is a random byte
MOST_FALLBACKS = 5  # each is tried for what the others have not signed


def read_data_folder(read: Reader) -> Path:
    """The data folder, created if it is missing; it and the files of Errand in it are only for this user."""
    folder = Path(read.text("DATA_DIR", "instance"))
    os.umask(0o077)
    try:
        folder = make_private_folder(folder)
        for path in folder.glob("*.db*"):  # an earlier release let every user of the machine read them
            path.chmod(0o600)
        if (folder / "mail").is_dir():
            (folder / "mail").chmod(0o700)
    except RuntimeError:  # of `expanduser`
        read.problem("DATA_DIR", f"{folder} starts with a user who has no home directory here")
    except OSError as error:
        read.problem("DATA_DIR", f"{folder} is not writable: {error.strerror or error}")
    return folder


def read_secret_key(read: Reader, data_dir: Path, deployed: bool) -> str:
    """The secret key; where none is set and the site is not `deployed`, the one kept in the data folder."""
    key = read.text("SECRET_KEY")
    if key and len(key) < SHORTEST_KEY:
        read.problem("SECRET_KEY", f"must have at least {SHORTEST_KEY} characters, ideally 64 random ones")
    if not key and deployed:
        read.problem("SECRET_KEY", "must be set when DATABASE_URL or REDIS_URL is")
    return key or ("" if read.problems else kept_secret(data_dir / "secret_key"))


def read_secret_key_fallbacks(read: Reader) -> tuple[str, ...]:
    """The keys of before, by which what they have signed and sealed is still read; nothing is written by them."""
    keys = tuple(dict.fromkeys(key for part in read.text("SECRET_KEY_FALLBACKS").split(",") if (key := part.strip())))
    if len(keys) > MOST_FALLBACKS:
        read.problem("SECRET_KEY_FALLBACKS", f"must have at most {MOST_FALLBACKS} keys, separated by commas")
    elif any(len(key) < SHORTEST_KEY for key in keys):
        read.problem("SECRET_KEY_FALLBACKS", f"must be keys of at least {SHORTEST_KEY} characters, separated by commas")
    return keys
