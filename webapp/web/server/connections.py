"""The connections of a process, and what the system is asked to tell about each."""

from heapq import nsmallest
from selectors import EVENT_READ, DefaultSelector

from webapp.web.server.connection import Connection, Stage


class Connections:
    """All connections of a process, and the selector that waits for them."""

    def __init__(self) -> None:
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
        """Close up to so many of the connections that have been idle for longest; whether there were any."""
        idle = [each for each in self.connections if each.stage is Stage.IDLE]
        for connection in nsmallest(count, idle, key=lambda each: each.deadline):
            self.close(connection)
        return bool(idle)

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
        if connection.source:
            self.spooled -= connection.source.size
        connection.forget_request()
