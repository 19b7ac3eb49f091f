"""Where files are kept in memory."""

import os
from contextlib import suppress

MEMORY = "/dev/shm"
ENOUGH = 3_000_000_000  # bytes: the sites of all processes of tests at once, and as much again


def folder_in_memory() -> str | None:
    """A folder in memory with room for what tests write, where programs may be run; None on a machine without."""
    with suppress(AttributeError, OSError):
        found = os.statvfs(MEMORY)
        has_room = found.f_bavail * found.f_frsize >= ENOUGH
        if has_room and not found.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK):
            return MEMORY
    return None
