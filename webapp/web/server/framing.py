"""Where a request ends. What it means is gunicorn's to say: it parses what is complete, by its own strict rules.

Where both disagree, gunicorn finds less than it needs or refuses what it reads, and the connection is closed.
"""

import re
from contextlib import suppress
from tempfile import SpooledTemporaryFile

from gunicorn.http.unreader import Unreader

from webapp.web.server.limits import IN_MEMORY, MAX_AHEAD

END_OF_HEAD = re.compile(rb"\n\r?\n")  # also where lines end wrongly, so that it is refused at once
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]+")
MAX_LINE = 8190  # bytes, as gunicorn has it
# Bytes of a body that are no content, such as sizes of its chunks: so many, and one more for as many bytes of content.
# Each chunk costs the loop some microseconds, and a body in chunks of a byte would hold it for seconds.
MAX_OVERHEAD = 64 * 1024
CONTENT_PER_OVERHEAD = 8


class Received(Unreader):
    """What gunicorn's parser reads: a whole head, and then the body that was received after it."""

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self._head = head
        self.body: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - outlives this
        self.size = 0
        self.unwritten = b""  # the latest of the body, where that has become too long for memory
        self.is_on_disk = False

    @property
    def in_memory(self) -> int:
        """How many bytes of it the process holds."""
        return len(self.unwritten) if self.is_on_disk else self.size

    def add(self, data: bytes) -> None:
        """Append to the body: in memory, or to what is to be written next, and this waits for no disk."""
        self.size += len(data)
        if self.size > IN_MEMORY:
            self.is_on_disk = True
            self.unwritten = data
        else:
            self.body.write(data)

    def write(self) -> None:
        """Write what is unwritten, for which a disk may take any time. Raises OSError where it has no room."""
        data, self.unwritten = self.unwritten, b""
        self.body.write(data)

    def become(self, content: "SpooledTemporaryFile[bytes]") -> None:
        """Have this content instead of the chunks in which it came."""
        self.discard()
        self.body = content
        self.take_buffered()

    def discard(self) -> None:
        """Close the body, once more at will; that takes any time where it is on a disk. Never raises."""
        with suppress(OSError):  # what could not be written is written at the end, too
            self.body.close()

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Gunicorn's: the next bytes, none at the end."""
        head, self._head = self._head, b""
        return head or self.body.read(min(size_hint or MAX_LINE, IN_MEMORY))


class LengthEnd:
    """The end of a body of known length. At most `wanted` bytes of it are of use; then it is cut off there."""

    is_malformed = False

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
        self.is_cut = self.is_malformed = False
        self._wanted, self._left, self._overhead = wanted + MAX_AHEAD, 0, -MAX_OVERHEAD
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
                self._overhead -= step // CONTENT_PER_OVERHEAD
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
        if len(self._line) > MAX_LINE or self._overhead > 0:
            return self._refuse()
        if not self._line.endswith(b"\n"):
            return False
        line, self._line = self._line, b""
        self._overhead += len(line)
        if self._is_in_trailers:
            return line in {b"\r\n", b"\n"}
        if self._is_after_chunk:
            self._is_after_chunk = False
            return line != b"\r\n" and self._refuse()
        size = CHUNK_SIZE.match(line)
        if not size:
            return self._refuse()
        self._left = int(size[0], 16)
        self._is_after_chunk = self._left > 0
        self._is_in_trailers = self._left == 0
        return False

    def _refuse(self) -> bool:
        self.is_cut = self.is_malformed = True
        return True
