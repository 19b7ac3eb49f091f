"""What is written to a client, as far as it does not take it."""

import socket

from webapp.web.server.limits import OUTLET


class Outlet:
    """What gunicorn and the app take for the socket: it keeps what is written until the client takes it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.waiting = bytearray()
        self.sent = 0  # bytes of this answer

    def sendall(self, data: bytes) -> None:
        """Keep these bytes, and send what is due once they are many."""
        if len(data) >= OUTLET and self.flush():
            self.waiting += memoryview(data)[self._send(data) :]  # what is sent at once is not copied before
            return
        self.waiting += data
        if len(self.waiting) >= OUTLET:
            self.flush()

    send = sendall

    def flush(self) -> bool:
        """Send what the client takes now; whether that was all. Raises OSError once the client is gone."""
        while self.waiting:
            sent = self._send(self.waiting)
            if not sent:
                return False
            del self.waiting[:sent]
        return True

    def gettimeout(self) -> float:
        """As a socket that never blocks has it."""
        return 0.0

    def getsockopt(self, *names: int) -> int:
        """Those of the socket."""
        return self._sock.getsockopt(*names)

    def _send(self, data: bytes | bytearray) -> int:
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            return 0
        self.sent += sent
        return sent
