"""ZIP files written piece by piece, by one run after the other: what stands is known by its members alone.

`zipfile` writes the same, but keeps the directory in its open file, so that no other process can go on. A file stays
below 4 GiB, and has at most 65,535 members: there is no ZIP64 here, and whoever writes must stop before.
"""

import struct
import time
import zlib

DOS_BEGAN = 1980
UTF8, STORED, VERSION = 0x800, 0, 20

# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7, 4.3.12 and 4.3.16
_HEAD = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")

# A member as a task's cursor keeps it: its name, checksum, size, offset, time and date.
Member = list[str | int]


def member(name: str, data: bytes, offset: int) -> Member:
    """A member of these bytes, at an offset in the ZIP file."""
    now = time.gmtime()
    clock = now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2
    day = now.tm_year - DOS_BEGAN << 9 | now.tm_mon << 5 | now.tm_mday
    return [name, zlib.crc32(data), len(data), offset, clock, day]


def head(member: Member) -> bytes:
    """What goes before the bytes of a member, which are stored as they are."""
    name, crc, size, _, clock, day = member
    encoded = str(name).encode()
    return _HEAD.pack(b"PK\3\4", VERSION, UTF8, STORED, clock, day, crc, size, size, len(encoded), 0) + encoded


def directory(members: list[Member], offset: int) -> bytes:
    """What ends a ZIP file, at an offset in it."""
    entries = b"".join(map(_entry, members))
    return entries + _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(entries), offset, 0)


def _entry(member: Member) -> bytes:
    name, crc, size, offset, clock, day = member
    encoded = str(name).encode()
    made, mode = 3 << 8 | VERSION, 0o100644 << 16  # on Unix, by whose rules the mode is read
    fields = made, VERSION, UTF8, STORED, clock, day, crc, size, size, len(encoded), 0, 0, 0, 0, mode, offset
    return _ENTRY.pack(b"PK\1\2", *fields) + encoded
