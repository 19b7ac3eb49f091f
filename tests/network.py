"""A network between two of our processes that misbehaves as real ones do: a TCP proxy on loopback.

with Network(port_of_the_server) as network:
    url = f"postgresql://…@127.0.0.1:{network.port}/…"
    network.stall()      # bytes are held, and come once it is healed
    network.heal()
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from select import select
from typing import Self

_LOOK_EVERY = 0.05  # seconds
_PIECE = 65536


class Weather(Enum):
    """What becomes of bytes."""

    FINE = auto()
    STALLED = auto()  # held, in both directions; new connections are accepted and held, too
    SWALLOWED = auto()  # acknowledged and gone; connections that were open then stay dead once it is healed
    REFUSED = auto()  # no connection is accepted


class Network:
    """Passes bytes on to a server at `port` of loopback. A context manager; `port` is where clients connect."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._weather = Weather.FINE
        self._delay = 0.0
        self._drip = 0.0
        self._flows: set[_Flow] = set()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not end a thread's accept()
        self._listener.close()
        self.cut()

    def stall(self) -> None:
        """Hold all bytes until it is healed; nobody is told."""
        self._weather = Weather.STALLED

    def swallow(self) -> None:
        """Take bytes and pass none on: what is open now is dead for good, and nobody is told."""
        for flow in list(self._flows):
            flow.is_dead = True
        self._weather = Weather.SWALLOWED

    def refuse(self) -> None:
        """Cut all connections, and accept no other until it is healed."""
        self._weather = Weather.REFUSED
        self.cut()

    def cut(self) -> None:
        """End all connections that are open now; new ones pass."""
        for flow in list(self._flows):
            flow.close()

    def delay(self, seconds: float) -> None:
        """Let each packet take so long, in each direction."""
        self._delay = seconds

    def drip(self, seconds: float) -> None:
        """Let one byte of what the server says pass in so many seconds; 0 ends that."""
        self._drip = seconds

    def heal(self) -> None:
        """Pass bytes on again. Those that were held arrive; connections that lost some stay dead."""
        self._weather, self._delay, self._drip = Weather.FINE, 0.0, 0.0

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._flows)

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(OSError):
                client, _ = self._listener.accept()
                if self._weather is Weather.REFUSED:
                    client.close()
                    continue
                flow = _Flow(self, client)
                flow.is_dead = self._weather is Weather.SWALLOWED
                self._flows.add(flow)
                threading.Thread(target=flow.run, daemon=True).start()


class _Flow:
    """One connection of a client, and its other half to the server, which is opened when bytes may pass."""

    def __init__(self, network: Network, client: socket.socket) -> None:
        self._network, self._client = network, client
        self._server: socket.socket | None = None
        self.is_dead = False

    def run(self) -> None:
        try:
            self._pass_on()
        except (OSError, ValueError):
            pass  # one of the two has hung up, or was closed by `close`, and so does the other
        finally:
            self.close()
            self._network._flows.discard(self)

    def close(self) -> None:
        for end in (self._client, self._server):
            if end:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _pass_on(self) -> None:
        self._wait_while(lambda: self._network._weather is Weather.STALLED)
        if not self.is_dead:
            self._server = socket.create_connection(("127.0.0.1", self._network._server_port))
        ends = [self._client, self._server] if self._server else [self._client]
        while True:
            ready, _, _ = select(ends, [], [], _LOOK_EVERY)
            for end in ready:
                if not self._carry(end):
                    return

    def _carry(self, source: socket.socket) -> bool:
        """Pass on what one end has said. False once it has hung up."""
        data = source.recv(_PIECE)
        if not data:
            self._wait_while(lambda: self._network._weather is Weather.STALLED)
            return False
        self._wait(self._network._delay)
        self._wait_while(lambda: self._network._weather is Weather.STALLED)
        target = self._server if source is self._client else self._client
        if self.is_dead or target is None:
            return True
        if self._network._drip and source is self._server:
            for byte in data:
                self._wait(self._network._drip)
                target.sendall(bytes([byte]))
        else:
            target.sendall(data)
        return True

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._network._closing.wait(seconds)

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        while condition() and not self._network._closing.wait(_LOOK_EVERY):
            pass
