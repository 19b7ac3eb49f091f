"""The connections of a process, and what the system is asked to tell about each."""

from collections.abc import Callable
from heapq import nsmallest
from selectors import EVENT_READ, DefaultSelector

from webapp.web.server.connection import Connection, Stage
from webapp.web.server.framing import Received

# Where there are too many, those go first that wait for the least; nobody goes who waits for us.
EXPENDABLE = {stage: rank for rank, stage in enumerate((Stage.IDLE, Stage.LINGERING, Stage.HEAD, Stage.BODY))}
HOLD_NOTHING = {Stage.IDLE, Stage.WORKING}  # or what is needed


class Connections:
    """All connections of a process, and the selector that waits for them. `discard` closes a body that is on a disk."""

    def __init__(self, discard: Callable[[Received], None]) -> None:
        self._discard = discard
        self.selector = DefaultSelector()
        self.connections: set[Connection] = set()
        self.spooled = 0  # bytes of bodies

    def add(self, connection: Connection) -> None:
        """Serve a new connection."""
        self.connections.add(connection)
        self.watch(connection, EVENT_READ)

    def close(self, connection: Connection) -> None:
        """Forget a connection, whatever it is in; not while a thread works on it."""
        self.watch(connection, 0)
        self.connections.discard(connection)
        self.forget(connection)
        connection.close()

    def make_room(self, count: int) -> bool:
        """Close up to so many connections whose clients are awaited: of those that are idle, and if there are none, of
        those that are slow to ask, who has been so for longest. Whether there were any."""
        found = [each for each in self.connections if each.stage in EXPENDABLE]
        for connection in nsmallest(count, found, key=lambda each: (EXPENDABLE[each.stage], each.deadline)):
            self.close(connection)
        return bool(found)

    def holders(self, allowed: int) -> list[Connection]:
        """Those who make the process hold most, as many as hold what is more than so many bytes in all."""
        busy = [each for each in self.connections if each.stage not in HOLD_NOTHING and not each.is_lost]
        excess = sum(each.held for each in busy) - allowed
        if excess <= 0:
            return []
        found = []
        for connection in sorted(busy, key=lambda each: each.held, reverse=True):
            found.append(connection)
            excess -= connection.held
            if excess <= 0:
                break
        return found

    def hasten_idle(self, deadline: float) -> None:
        """Close idle connections by then."""
        for connection in self.connections:
            if connection.stage is Stage.IDLE:
                connection.deadline = min(connection.deadline, deadline)

    def watch(self, connection: Connection, events: int) -> None:
        """Be told of these events alone."""
        if events == connection.events:
            return
        if not connection.events:
            self.selector.register(connection.sock, events, connection)
        elif not events:
            self.selector.unregister(connection.sock)
        else:
            self.selector.modify(connection.sock, events, connection)
        connection.events = events

    def forget(self, connection: Connection) -> None:
        """Be done with its request, and with the body of that."""
        source = connection.source
        if source:
            self.spooled -= source.size
            if source.is_on_disk and not source.body.closed:
                self._discard(source)
        connection.forget_request()
