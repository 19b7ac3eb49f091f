"""Content in chunks as a file that reads and seeks, in the memory of one chunk."""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class ChunkedFile(io.RawIOBase):
    """A binary file of `size` bytes, whose chunks begin at `starts`; `chunks` gives them from such a number on.

    Each chunk is fetched when something in it is read, and dropped for the next one.
    """

    def __init__(self, chunks: Callable[[int], Iterator[bytes]], starts: Sequence[int], size: int) -> None:
        self._chunks, self._starts, self._size = chunks, starts, size
        self._at = 0
        self._number = -1  # of the chunk that is at hand
        self._chunk = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it. Fetches nothing."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what is left of one chunk, or as much of that as there is room for; nothing at the end."""
        number = bisect_right(self._starts, self._at) - 1
        if number < 0:
            return 0
        if number != self._number:
            self._number, self._chunk = number, memoryview(next(self._chunks(number), b""))
        offset = self._at - self._starts[number]
        target = memoryview(buffer)
        part = self._chunk[offset : offset + len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)
