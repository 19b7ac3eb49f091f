"""A gunicorn worker whose loop reads requests and sends answers, so that threads only make them."""

import os
import socket
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from types import FrameType
from typing import Any, ClassVar

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from webapp.web.server.connection import Connection
from webapp.web.server.exchange import Exchanges
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.limits import ACCEPTED_AT_ONCE, STOP_KEEPALIVE
from webapp.web.server.loop import Loop
from webapp.web.server.threads import Threads

TICK = 1.0  # seconds between looks at deadlines, and signs of life to the parent
ROOM = 100  # idle connections that are closed at once where there are too many


class BufferingWorker(Worker):
    """Serves as gthread does, but no client holds a thread, nor the loop.

    `max_body` is how many bytes of a body the app reads; of a longer one it gets the beginning, and its connection is
    closed. `max_requests` counts answers other than 304, which leave nothing behind. Beyond `worker_connections` those
    that have been idle for longest are closed.
    """

    max_body: ClassVar[int] = 16 * 1024 * 1024

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Gunicorn's: refuses what only its other workers can do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the proxy; for TLS by gunicorn itself add --worker-class gthread")

    def run(self) -> None:
        """Serve until told to stop or renewed, and then finish what has begun."""
        exchanges = Exchanges(self)
        self.lifetime = Lifetime(self.max_requests, self.cfg.keepalive)
        self.threads = Threads(self.cfg.threads, exchanges.work)
        self.loop = Loop(self.cfg, self.threads, self.lifetime, self.max_body, self.handle_error)
        self._is_accepting = False
        for listener in self.sockets:
            listener.setblocking(False)
        try:
            self._turn_while(lambda: self.alive and not self.lifetime.is_over(len(self.loop.connections)))
            self._stop_listening()
            self.lifetime.is_ending = True
            self.loop.hasten_idle(time.monotonic() + STOP_KEEPALIVE)
            end = time.monotonic() + self.cfg.graceful_timeout
            self._turn_while(lambda: bool(self.loop.connections) and time.monotonic() < end)
        finally:
            self.threads.stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Gunicorn's, at TERM: end once what has begun is finished."""
        self.alive = False
        self.threads.ring()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Gunicorn's, at INT and QUIT: end now."""
        self.threads.stop()
        super().handle_quit(sig, frame)

    def _turn_while(self, condition: Callable[[], bool]) -> None:
        ticked_at = 0.0
        while condition():
            now = time.monotonic()
            if now - ticked_at >= TICK:
                ticked_at = now
                self._tick()
            self.loop.turn(TICK)

    def _tick(self) -> None:
        self.notify()
        self.loop.expire()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False
        # Where there is no other process, this one goes on taking connections while it is renewed.
        takes_more = self.cfg.workers == 1 or not self.lifetime.is_renewed
        self._accept_from_now_on(self.alive and not self.lifetime.is_ending and takes_more)

    def _accept_from_now_on(self, is_accepting: bool) -> None:
        if is_accepting == self._is_accepting:
            return
        self._is_accepting = is_accepting
        for listener in self.sockets:
            if is_accepting:
                self.loop.selector.register(listener, EVENT_READ, partial(self._accept, listener))
            else:
                self.loop.selector.unregister(listener)

    def _stop_listening(self) -> None:
        """Take who has connected by now, and nobody after that."""
        for listener in self.sockets:
            served = -1
            while served < len(self.loop.connections) and not self.lifetime.is_renewed:
                served = len(self.loop.connections)
                self._accept(listener)
        self._accept_from_now_on(False)
        for listener in self.sockets:
            listener.close()

    def _accept(self, listener: Any) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if len(self.loop.connections) >= self.cfg.worker_connections and not self.loop.make_room(ROOM):
                return self._accept_from_now_on(False)  # until the next tick
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            except OSError as error:
                self.log.error("No connection can be accepted for a second: %s", error)
                return self._accept_from_now_on(False)
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.loop.add(Connection(sock, peer, listener.getsockname(), self.cfg.keepalive))
        return None
