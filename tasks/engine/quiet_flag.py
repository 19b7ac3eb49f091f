"""The quiet flag: whether a worker is to claim no more tasks, in memory that its processes have in common."""

import mmap


class QuietFlag:
    """Build it before the processes are forked. To look costs nothing: a claim asks no database whether it may."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def is_set(self) -> bool:
        """Whether this worker is quiet."""
        return self._memory[0] != 0

    def set(self, is_quiet: bool) -> None:
        """Let all processes of this worker know."""
        self._memory[0] = int(is_quiet)
