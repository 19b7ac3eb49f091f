"""The line of those who wait for a thread."""

from collections import deque
from itertools import count
from queue import SimpleQueue

from webapp.web.server.connection import Connection

FAIR = 4  # where both kinds wait, one in so many is of those that are not quick


class Line:
    """Connections that wait to be answered: mostly those first that are quick to answer, such as polls and probes.

    So a burst of pages or downloads delays them by the few that are under way, and not by all of it.
    """

    def __init__(self) -> None:
        self._quick: deque[Connection | None] = deque()
        self._others: deque[Connection | None] = deque()
        self._tickets: SimpleQueue[None] = SimpleQueue()  # one for each that waits
        self._turns = count(1)

    def __len__(self) -> int:
        return self._tickets.qsize()

    def put(self, connection: Connection | None, is_quick: bool = False) -> None:
        """Wait at the end of one of both."""
        (self._quick if is_quick else self._others).append(connection)
        self._tickets.put(None)

    def get(self) -> Connection | None:
        """The next one; waits until there is one. Any number of threads may do so at once."""
        self._tickets.get()
        first, second = self._quick, self._others
        if next(self._turns) % FAIR == 0:
            first, second = second, first
        while True:  # there is one for each ticket, if perhaps not where it was looked for
            try:
                return first.popleft()
            except IndexError:
                first, second = second, first
