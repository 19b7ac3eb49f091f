"""The sockets of a process that clients connect to."""

import errno
import socket
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from webapp.web.server.connection import Connection
from webapp.web.server.limits import ACCEPTED_AT_ONCE, UNSENT
from webapp.web.server.loop import Loop

ROOM = 100  # connections that are closed at once where there are too many
PATIENCE = 0.1  # seconds that others have to take a connection before a process does that is renewed
NO_FILES = {errno.EMFILE, errno.ENFILE}


class Listeners:
    """Accepts connections for a loop: as they come, or those that no other process takes, or none.

    Beyond `worker_connections`, or the number of open files, others have to make room.
    """

    def __init__(self, sockets: list[Any], loop: Loop, config: Config, log: Logger) -> None:
        self._sockets, self._loop, self._config, self._log = sockets, loop, config, log
        self._is_open = False
        self._looked_at = 0.0
        for listener in sockets:
            listener.setblocking(False)

    def open(self, is_open: bool = True) -> None:
        """Accept connections as they come, or no more."""
        if is_open == self._is_open:
            return
        self._is_open = is_open
        for listener in self._sockets:
            if is_open:
                self._loop.selector.register(listener, EVENT_READ, partial(self._accept, listener))
            else:
                self._loop.selector.unregister(listener)

    def take_left(self) -> None:
        """Accept those whom no other process has taken for a moment."""
        now = time.monotonic()
        if now - self._looked_at > PATIENCE:
            self._looked_at = now
            self._take_all()

    def close(self, takes_all: bool) -> None:
        """Accept nobody any more; before that, if need be, all who have connected by now."""
        if takes_all:
            self._take_all()
        self.open(False)
        for listener in self._sockets:
            listener.close()

    def _take_all(self) -> None:
        for listener in self._sockets:
            served = -1
            while served < len(self._loop.connections):
                served = len(self._loop.connections)
                self._accept(listener)

    def _accept(self, listener: Any) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            except OSError as error:
                if error.errno in NO_FILES and self._loop.make_room(ROOM):
                    continue
                self._log.error("No connection can be accepted for a second: %s", error)
                return self.open(False)
            has_room = len(self._loop.connections) < self._config.worker_connections or self._loop.make_room(ROOM)
            self._loop.add(Connection(_set_up(sock), peer, listener.getsockname(), self._config.keepalive))
            if not has_room:
                return self.open(False)  # until the next tick
        return None


def _set_up(sock: socket.socket) -> socket.socket:
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        with suppress(OSError):  # it is closed already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Else the system takes megabytes of an answer for each client that does not read.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    return sock
