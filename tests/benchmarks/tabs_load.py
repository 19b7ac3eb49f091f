"""Open tabs as a server sees them: each holds a connection of its own and polls, from as far away as one likes.

The round trip is imitated by this side: a request is sent, and a connection that the server closes is closed, half a
round trip or a whole one after its reason. Runs as a process of its own, as one holds so many files only.
"""

import heapq
import json
import os
import random
import resource
import selectors
import socket
import struct
import sys
import time
from itertools import count

IP_BIND_ADDRESS_NO_PORT = 24  # Linux: the port is chosen once it is known where to, so that they suffice
PER_ADDRESS = 8000  # connections from one address of this machine, which has ports for more
TIMEOUT = 10.0  # seconds until a poll counts as lost
LATE = 2.0  # seconds for what was due at the end


class Tab:
    """One tab: its connection, if it has one, and the poll that it waits for."""

    def __init__(self, number: int) -> None:
        self.source = f"127.0.{1 + os.getpid() % 200}.{1 + number // PER_ADDRESS}"
        self.sock: socket.socket | None = None
        self.due = self.answer = b""
        self.asked_at = 0.0  # when it was sent; 0 while it waits for nothing
        self.counts = False


class Tabs:
    """So many tabs of one site, each of which connects with its first poll, and polls every `every` seconds."""

    def __init__(self, port: int, tabs: int, every: float, round_trip: float, request: bytes) -> None:
        self.port, self.every, self.round_trip, self.request = port, every, round_trip, request
        self.selector = selectors.DefaultSelector()
        self.agenda: list[tuple[float, int, object, Tab]] = []
        self._order = count()
        self.times: list[float] = []
        self.due = self.lost = self.connects = 0
        self.counts_from = self.counts_until = 0.0
        crowd = [Tab(number) for number in range(tabs)]
        now = time.perf_counter()
        for number, tab in enumerate(crowd):
            self.at(now + every * number / tabs + random.uniform(0, every / tabs), self.poll, tab)

    def at(self, when: float, action: object, tab: Tab) -> None:
        """Do something with a tab then."""
        heapq.heappush(self.agenda, (when, next(self._order), action, tab))

    def run(self, warm: float, seconds: float) -> None:
        """Poll; what is due in the `seconds` after `warm` counts. Says when those begin and end."""
        self.counts_from = time.perf_counter() + warm
        self.counts_until = self.counts_from + seconds
        signs = [self.counts_from, self.counts_until]
        end = self.counts_until + LATE
        while (now := time.perf_counter()) < end:
            if signs and now > signs[0]:
                say(at=signs.pop(0))
            while self.agenda and self.agenda[0][0] <= now and time.perf_counter() < end:
                when, _, action, tab = heapq.heappop(self.agenda)
                action(tab, when)  # type: ignore[operator]
            wait = max(0.0, min(self.agenda[0][0] - time.perf_counter(), 0.1)) if self.agenda else 0.1
            for key, _ in self.selector.select(wait):
                self.receive(key.data)
        for at in signs:
            say(at=at)
        for key in list(self.selector.get_map().values()):
            key.data.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # without TIME_WAIT
            key.data.sock.close()

    def poll(self, tab: Tab, when: float) -> None:
        """Ask, unless the poll before still hangs."""
        if when >= self.counts_until:
            return
        self.at(when + self.every, self.poll, tab)
        tab.counts = when >= self.counts_from
        self.due += tab.counts
        if tab.asked_at and when - tab.asked_at > TIMEOUT:
            self.drop(tab)
        if tab.asked_at:
            return
        tab.asked_at = when
        if tab.sock is None and not self.connect(tab):
            return
        self.at(when + self.round_trip / 2, self.send, tab)

    def connect(self, tab: Tab) -> bool:
        """Open its connection; False where the machine has no place for one."""
        tab.sock = sock = socket.socket()
        sock.settimeout(1)
        sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((tab.source, 0))
        try:
            sock.connect(("127.0.0.1", self.port))
        except OSError:
            sock.close()
            self.lost += 1
            tab.sock, tab.asked_at = None, 0.0
            return False
        sock.setblocking(False)
        self.selector.register(tab.sock, selectors.EVENT_READ, tab)
        self.connects += 1
        return True

    def send(self, tab: Tab, _: float) -> None:
        """Half a round trip after the poll was due, it arrives. How late this process is does not count."""
        tab.asked_at = time.perf_counter() - self.round_trip / 2
        try:
            if tab.sock:
                tab.sock.send(self.request)
        except OSError:
            self.drop(tab)

    def receive(self, tab: Tab) -> None:
        """Take what the server sent; answers have no body."""
        assert tab.sock
        try:
            data = tab.sock.recv(65536)
        except OSError:
            return self.drop(tab)
        if not data:
            # The end of the connection arrives half a round trip later, and ours takes as long to get there.
            self.selector.unregister(tab.sock)
            sock, tab.sock = tab.sock, None
            self.lost += bool(tab.asked_at)
            tab.asked_at = 0.0
            closing = Tab(0)
            closing.sock = sock
            return self.at(time.perf_counter() + self.round_trip, self.hang_up, closing)
        tab.answer += data
        if tab.answer.endswith(b"\r\n\r\n"):
            assert tab.answer[9:12] in {b"304", b"204", b"503"}, tab.answer[:200]
            now = time.perf_counter()
            if tab.counts and tab.answer[9:12] != b"503":
                self.times.append(now + self.round_trip / 2 - tab.asked_at)
            tab.asked_at, tab.answer = 0.0, b""
        return None

    def hang_up(self, tab: Tab, _: float) -> None:
        """Close our end."""
        assert tab.sock
        tab.sock.close()

    def drop(self, tab: Tab) -> None:
        """Give a connection up; the next poll opens another."""
        if tab.sock:
            self.selector.unregister(tab.sock)
            tab.sock.close()
        self.lost += 1
        tab.sock, tab.asked_at, tab.answer = None, 0.0, b""


def say(**what: object) -> None:
    """Write a line of JSON."""
    print(json.dumps(what), flush=True)


def main() -> None:
    """Read a line of JSON, poll, and write when that counts, when no more, and what was seen."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    given = json.loads(sys.argv[1])
    tabs = Tabs(given["port"], given["tabs"], given["every"], given["round_trip"], given["request"].encode())
    tabs.run(given["warm"], given["seconds"])
    say(times=sorted(tabs.times), due=tabs.due, lost=tabs.lost, connects=tabs.connects)


if __name__ == "__main__":
    main()
