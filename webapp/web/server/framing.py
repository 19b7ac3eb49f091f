"""Where a request ends. What it means is gunicorn's to say: it parses what is complete, by its own strict rules.

Where both disagree, gunicorn finds less than it needs or refuses what it reads, and the connection is closed.
"""

import logging
import re
from collections.abc import Callable
from tempfile import SpooledTemporaryFile

from gunicorn.http.unreader import Unreader

from webapp.web.server.limits import IN_MEMORY, MAX_AHEAD

log = logging.getLogger(__name__)

END_OF_HEAD = re.compile(rb"\n\r?\n")  # also where lines end wrongly, so that it is refused at once
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
MAX_LINE = 8190  # bytes, as gunicorn has it
MAX_OVERHEAD = 8 * 1024 * 1024  # bytes of a body that are no content: sizes of its chunks, and what follows it


class Received(Unreader):
    """What gunicorn's parser reads: a whole head, and then the body that was received after it."""

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self._head = head
        self.body: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - outlives this
        self.size = 0
        self.is_kept = True  # False once the disk is full

    def add(self, data: bytes) -> None:
        """Append to the body, or find that it cannot be kept."""
        self.size += len(data)
        self._unless_full(lambda: self.body.write(data))

    def rewind(self) -> None:
        """The body is complete: let it be read."""
        self._unless_full(lambda: self.body.seek(0))

    def close(self) -> None:
        """Forget the body."""
        self._unless_full(self.body.close)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Gunicorn's: the next bytes, none at the end."""
        head, self._head = self._head, b""
        return head or self.body.read(min(size_hint or MAX_LINE, IN_MEMORY))

    def _unless_full(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            if self.is_kept:
                log.error("A request is refused, as its body cannot be kept: %s", error)
            self.is_kept = False


class LengthEnd:
    """The end of a body of known length. At most `wanted` bytes of it are of use; then it is cut off there."""

    def __init__(self, length: int, wanted: int) -> None:
        self.is_cut = length > wanted
        self._left = wanted if self.is_cut else length

    def find(self, data: bytes) -> int | None:
        """How many of these next bytes belong to the body if it ends there; None if there is more to come."""
        taken = min(self._left, len(data))
        self._left -= taken
        return None if self._left else taken


class ChunkedEnd:
    """The end of a body in chunks, which is cut off beyond `wanted` bytes, or where it is malformed."""

    def __init__(self, wanted: int) -> None:
        self.is_cut = False
        self._wanted, self._left, self._overhead = wanted + MAX_AHEAD, 0, 0
        self._line = b""
        self._is_after_chunk = self._is_in_trailers = False

    def find(self, data: bytes) -> int | None:
        """As LengthEnd.find."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                self._wanted -= step
                at += step
                self.is_cut = self._wanted < 0
                is_end = self.is_cut
            else:
                end = data.find(b"\n", at) + 1 or len(data)
                self._line += data[at:end]
                at = end
                is_end = self._is_end()
            if is_end:
                return at
        return None

    def _is_end(self) -> bool:
        """Whether the body ends with what there is of this line."""
        if len(self._line) > MAX_LINE or self._overhead > MAX_OVERHEAD:
            self.is_cut = True
            return True
        if not self._line.endswith(b"\n"):
            return False
        line, self._line = self._line, b""
        self._overhead += len(line)
        if self._is_in_trailers:
            return line in {b"\r\n", b"\n"}
        if self._is_after_chunk:
            self._is_after_chunk = False
            return False
        size = CHUNK_SIZE.match(line)
        self.is_cut = not size
        self._left = int(size[0], 16) if size else 0
        self._is_after_chunk = self._left > 0
        self._is_in_trailers = self._left == 0
        return self.is_cut
