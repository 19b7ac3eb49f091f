"""What the first bytes of an image say about the memory that its decoder will take."""

from struct import unpack
from typing import BinaryIO

# https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a segment
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_SCAN, _END = 0xDA, 0xD9


def jpeg_buffer(stream: BinaryIO) -> int:
    """The bytes that a decoder keeps of a JPEG until it has read all of it; 0 for one that comes line by line.

    An image whose colors or details come one after the other is kept as coefficients of two bytes, in its full size
    however small it is wanted.
    """
    kept, components, is_progressive = 0, 0, False
    stream.seek(2)
    while (marker := _next_marker(stream)) not in (None, _END):
        if marker in _ALONE:
            continue
        segment = stream.read(max(0, int.from_bytes(stream.read(2), "big") - 2))
        if marker == _SCAN:
            return kept if is_progressive or segment[:1] != bytes([components]) else 0
        if marker in _FRAMES and len(segment) > 6:
            height, width, components = unpack(">HHB", segment[1:6])
            is_progressive = marker in _PROGRESSIVE
            factors = [(each >> 4, each & 15) for each in segment[7::3][:components]]
            most = max(
                1, max((across for across, _ in factors), default=1) * max((down for _, down in factors), default=1)
            )
            kept = 2 * width * height * sum(across * down for across, down in factors) // most
    return 0


def _next_marker(stream: BinaryIO) -> int | None:
    """What comes after the next 0xFF that is no part of the data; None at the end."""
    while byte := stream.read(1):
        if byte != b"\xff":
            continue
        while byte == b"\xff":
            byte = stream.read(1)
        if byte and byte != b"\0":
            return byte[0]
    return None


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP image by its first 30 bytes, or None for anything else.

    https://developers.google.com/speed/webp/docs/riff_container
    """
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    match head[12:16]:
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
    return None
