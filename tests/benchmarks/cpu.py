"""The CPU time of processes that this one has started: what else the machine does hardly changes it."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # a second


def children() -> set[int]:
    """The ids of the processes that this one has started and that are running."""
    return set(_by_parent().get(os.getpid(), []))


def family(pid: int) -> set[int]:
    """The ids of a process and of all that are running below it."""
    by_parent = _by_parent()
    found, todo = set[int](), [pid]
    while todo:
        found.add(here := todo.pop())
        todo += by_parent.get(here, [])
    return found


def cpu_seconds(pids: set[int]) -> float:
    """Seconds that these processes have worked so far, in their own code and in the system's."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := _fields(pid))) / TICKS


def _by_parent() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        if fields := _fields(int(path.name)):
            found.setdefault(int(fields[1]), []).append(int(path.name))
    return found


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
