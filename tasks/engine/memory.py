"""Memory: how much of it a process has, and whether that is more than a worker process may have.

Python gives the system little back, so a process keeps what its largest task took. A worker process that has more than
`Config.memory` after a task makes place for another (`queue_reader`). A run that drives its process there is ended
like one whose time is up: its parent, who looks from outside, sends it the alarm (`consumer`), by which it finds out
for itself (`run_clock`); one that hears no alarm has its process killed (`watchdog`).
"""

import resource
import sys
from contextlib import suppress
from pathlib import Path

from tasks.engine.config import config

MB = 1024 * 1024
_PAGE = resource.getpagesize()
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def used(pid: int | None = None) -> int:
    """The bytes that a process has in memory, this one by default; 0 where that cannot be told.

    Only Linux says it of another process; elsewhere what is told of this one is the most that it has ever had.
    """
    if sys.platform == "linux":
        with suppress(OSError), open(f"/proc/{pid or 'self'}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE
        return 0
    return 0 if pid else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT


def of_family(pid: int) -> int:
    """The bytes that a process and its children have in memory, what they share counted once; 0 if that is unknown.

    A millisecond or so for each of them.
    """
    if sys.platform != "linux":
        return 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return sum(map(_share, [str(pid), *children]))


def _share(pid: str) -> int:
    """The bytes of a process, those of a page that several have divided among them. 0 once it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def is_exceeded(pid: int | None = None) -> bool:
    """Whether a process has more than it may. Some ten microseconds; nothing where there is no limit."""
    return bool(config().memory) and used(pid) > config().memory
