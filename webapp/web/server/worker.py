"""A gunicorn worker whose loop reads requests and sends answers, so that threads only make them."""

import os
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import ClassVar

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.workers.base import Worker

from webapp.web.server.exchange import Exchanges
from webapp.web.server.lifetime import Lifetime
from webapp.web.server.limits import STOP_KEEPALIVE
from webapp.web.server.listeners import PATIENCE, Listeners
from webapp.web.server.loop import Loop
from webapp.web.server.threads import Threads

TICK = 1.0  # seconds between looks at deadlines, and signs of life to the parent
SWITCH = 0.001  # seconds; Python lets a busy thread hold up the loop and the others for 0.005, which costs no less


class BufferingWorker(Worker):
    """Serves as gthread does, but no client holds a thread, nor the loop.

    `max_body` is how many bytes of a body the app reads; of a longer one it gets the beginning, and its connection is
    closed. Requests for `quick_paths`, and those that know a version, are answered ahead of most others. `max_requests`
    counts answers other than 304, which leave nothing behind. Beyond `worker_connections` those that have been idle for
    longest are closed.
    """

    max_body: ClassVar[int] = 16 * 1024 * 1024
    quick_paths: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Gunicorn's: refuses what only its other workers can do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS ends at the proxy; for TLS by gunicorn itself add --worker-class gthread")
        if cfg.proxy_protocol != "off":
            raise RuntimeError("The PROXY protocol is not read; for that add --worker-class gthread")

    def run(self) -> None:
        """Serve until told to stop or renewed, and then finish what has begun."""
        sys.setswitchinterval(SWITCH)
        exchanges = Exchanges(self)
        self.lifetime = Lifetime(self.max_requests, self.cfg.keepalive)
        self.threads = Threads(self.cfg.threads, exchanges.work)
        self.loop = Loop(self.cfg, self.threads, self.lifetime, self.max_body, self._is_quick, self.handle_error)
        self.listeners = Listeners(self.sockets, self.loop, self.cfg, self.log)
        try:
            self._turn_while(lambda: self.alive and not self.lifetime.is_over(len(self.loop.connections)))
            self.listeners.close(takes_all=not self.lifetime.is_renewed)
            self.lifetime.is_ending = True
            self.loop.hasten_idle(time.monotonic() + STOP_KEEPALIVE)
            end = time.monotonic() + self.cfg.graceful_timeout
            self._turn_while(lambda: bool(self.loop.connections) and time.monotonic() < end)
        finally:
            self.threads.stop()

    def _is_quick(self, request: Request) -> bool:
        return request.path in self.quick_paths or any(name == "IF-NONE-MATCH" for name, _ in request.headers)

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
            # Where there is no other process, this one goes on taking connections while it is renewed.
            leaves_them = self.lifetime.is_renewed and self.cfg.workers > 1
            if self.alive and not self.lifetime.is_ending and leaves_them:
                self.listeners.take_left()
            self.loop.turn(PATIENCE if leaves_them else TICK)

    def _tick(self) -> None:
        self.notify()
        self.loop.expire()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False
        takes_all = self.cfg.workers == 1 or not self.lifetime.is_renewed
        self.listeners.open(self.alive and not self.lifetime.is_ending and takes_all)
