"""Which paths belong to the API: programs ask for them, so no answer is a page, and no cookie counts."""

from typing import Final

PREFIX: Final = "/api/"


def is_api_path(path: str) -> bool:
    """Whether programs ask for this path."""
    return path.startswith(PREFIX)
