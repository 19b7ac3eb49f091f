"""ZIP files of any size, written in pieces by one run after the other, in constant memory.

A member need not be known when it begins: its size and checksum follow it. Each piece is compressed on its own, so that
nothing of a compressor has to outlive a run. What a member was goes to a file of entries, which is put behind all
members in the end: so the state that a checkpoint saves is small, however many members there are. ZIP64 is used where
a number needs it.
"""

import struct
import time
import zlib
from collections.abc import Iterable
from typing import Protocol, TypedDict

DOS_BEGAN = 1980
SMALL, FAST = 6, 1  # how a piece is compressed
UTF8, SIZES_FOLLOW, DEFLATED = 0x800, 0x8, 8
VERSION, VERSION_64 = 20, 45
MOST, MOST_MEMBERS = 2**32 - 1, 2**16 - 1  # of a file without ZIP64; these very numbers say that there is more
UNIX_FILE = 0o100644 << 16
LAST_PIECE = b"\3\0"  # an empty one

# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7, 4.3.9, 4.3.12, 4.3.14, 4.3.15 and 4.3.16
_HEAD = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")


class Out(Protocol):
    """What is written to: an ArtifactWriter is one."""

    @property
    def size(self) -> int:
        """How many bytes it has, those of earlier runs included."""

    def write(self, data: str | bytes) -> None:
        """Append bytes."""


class Member(TypedDict):
    """One that has begun."""

    name: str
    crc: int
    size: int
    compressed: int
    offset: int
    clock: int
    day: int


class State(TypedDict):
    """What a checkpoint saves: how many members there are, the one that has begun and not ended, and where the
    directory at the end of the file begins, once it does."""

    members: int
    open: Member | None
    directory_at: int | None


class StreamedZip:
    """Writes to `out`, and to `entries` what `end` needs. `state` is a State of before, which is changed in place."""

    def __init__(self, out: Out, entries: Out, state: State) -> None:
        self._out, self._entries, self._state = out, entries, state

    @property
    def member(self) -> Member | None:
        """The one that has begun, by this run or an earlier one, and not ended."""
        return self._state["open"]

    def begin(self, name: str) -> None:
        """Begin a member, unless it has been by an earlier run. Names are paths, each of which occurs once."""
        if self.member:
            return
        now = time.gmtime()
        clock = now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2
        day = now.tm_year - DOS_BEGAN << 9 | now.tm_mon << 5 | now.tm_mday
        encoded, offset = name.encode(), self._out.size
        flags = UTF8 | SIZES_FOLLOW
        head = _HEAD.pack(b"PK\3\4", VERSION, flags, DEFLATED, clock, day, 0, 0, 0, len(encoded), 0)
        self._out.write(head + encoded)
        self._state["open"] = Member(name=name, crc=0, size=0, compressed=0, offset=offset, clock=clock, day=day)

    def write(self, data: bytes, level: int = SMALL) -> None:
        """Append a piece to the member that has begun; some thousand bytes at least, or it gets no smaller."""
        member = self._begun()
        compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        compressed = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        self._out.write(compressed)
        member["crc"] = zlib.crc32(data, member["crc"])
        member["size"] += len(data)
        member["compressed"] += len(compressed)

    def end_member(self) -> Member:
        """End the member that has begun, and return it."""
        member = self._begun()
        member["compressed"] += len(LAST_PIECE)
        is_large = max(member["size"], member["compressed"]) > MOST
        sizes = struct.pack("<2Q" if is_large else "<2I", member["compressed"], member["size"])
        self._out.write(LAST_PIECE + b"PK\7\10" + struct.pack("<I", member["crc"]) + sizes)
        self._entries.write(_entry(member))
        self._state["members"] += 1
        self._state["open"] = None
        return member

    def end(self, entries: Iterable[bytes]) -> None:
        """End the file, with all `entries` as they were written; an earlier run may have put some of them there."""
        offset = self._state["directory_at"]
        if offset is None:
            offset = self._state["directory_at"] = self._out.size
        for piece in entries:
            self._out.write(piece)
        end, size, number = self._out.size, self._out.size - offset, self._state["members"]
        if max(offset, size) > MOST or number > MOST_MEMBERS:
            made = 3 << 8 | VERSION_64
            rest = _END_64.size - 12  # what comes after the number itself
            self._out.write(_END_64.pack(b"PK\6\6", rest, made, VERSION_64, 0, 0, number, number, size, offset))
            self._out.write(_LOCATOR.pack(b"PK\6\7", 0, end, 1))
        count = 2**16 - 1 if number > MOST_MEMBERS else number
        self._out.write(_END.pack(b"PK\5\6", 0, 0, count, count, _fit(size), _fit(offset), 0))

    def _begun(self) -> Member:
        assert self.member is not None, "no member has begun"
        return self.member


def _fit(number: int) -> int:
    return 2**32 - 1 if number > MOST else number


def _entry(member: Member) -> bytes:
    encoded = member["name"].encode()
    numbers = member["size"], member["compressed"], member["offset"]
    large = [number for number in numbers if number > MOST]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    version = VERSION_64 if large else VERSION
    size, compressed, offset = map(_fit, numbers)
    fields = [3 << 8 | version, version, UTF8 | SIZES_FOLLOW, DEFLATED, member["clock"], member["day"]]
    fields += [member["crc"], compressed, size, len(encoded), len(extra), 0, 0, 0, UNIX_FILE, offset]
    return _ENTRY.pack(b"PK\1\2", *fields) + encoded + extra
