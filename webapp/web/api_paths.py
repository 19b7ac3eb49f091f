"""Which paths belong to the API: programs ask for them, so no answer is a page, and no cookie counts."""

from typing import Final

ALL: Final = "/api"
ROOT: Final = "/api/v1"  # of all operations of this version


def is_api_path(path: str) -> bool:
    """Whether programs ask for this path."""
    return path.startswith(ALL) and path[len(ALL) : len(ALL) + 1] in {"", "/"}
