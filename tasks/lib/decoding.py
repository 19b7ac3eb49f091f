"""Decoding: files of text in whatever encoding people's programs write, recognized, and read in little memory."""

import codecs
import io
import re
from collections import OrderedDict
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tasks.engine import TaskError, Upload
from tasks.engine.models.artifact import CHUNK
from webapp.lib.phrases import phrase

NO_TEXT = phrase("decoding.no_text", "{file} isn’t a text file. Save it as CSV in UTF-8, then try again.")

# What comes for bytes that cannot be decoded: halves of characters, which no text has.
UNDECODABLE = re.compile("[\ud800-\udfff]")

_FOREIGN = re.compile(r"[^\x00-\x7f\ud800-\udfff]+")
_BROKEN = re.compile("[\ud800-\udfff]+")
# Bytes of which a text in Windows-1252 has none: control characters, and those that have no meaning there.
_ODD = bytes({*range(32), 0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D} - set(b"\t\n\f\r\x1a\x1b"))
_MEANINGS = "".join(bytes([code]).decode("cp1252", "surrogateescape") for code in range(256))
_AT_HAND = 4  # pieces


@dataclass(frozen=True)
class Encoding:
    """How text is written as bytes: its name as people read it, and as Python knows it."""

    label: str
    codec: str

    def __str__(self) -> str:
        return self.label


UTF8 = Encoding("UTF-8", "utf-8")
WINDOWS = Encoding("Windows-1252", "cp1252")
UTF16_LE, UTF16_BE = Encoding("UTF-16", "utf-16-le"), Encoding("UTF-16", "utf-16-be")
_MARKS = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: UTF16_LE, codecs.BOM_UTF16_BE: UTF16_BE}


def recognize(file: Upload) -> Encoding:
    """The encoding of a text: by its byte order mark, or else by what its bytes can mean. Reads the file once.

    What is mostly UTF-8 is UTF-8, with some bytes that cannot be decoded; what is not is Windows-1252, which western
    spreadsheets write. Raises TaskError, in words, for what is no text.
    """
    beginning = next(file.chunks(), b"")
    marked = next((encoding for mark, encoding in _MARKS.items() if beginning.startswith(mark)), None)
    if encoding := marked or _utf16_by_its_zeros(beginning):
        return encoding
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = broken = odd = 0
    for chunk in chain(file.chunks(), [b""]):
        odd += len(chunk) - len(chunk.translate(None, _ODD))
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            foreign, broken = foreign + len(_FOREIGN.findall(text)), broken + len(_BROKEN.findall(text))
    if broken <= foreign:
        return UTF8
    if odd * 100 > file.size:
        raise TaskError(NO_TEXT(file=file.name))
    return WINDOWS


class Text:
    """A decoded file, in pieces that can be read again in any order. Line breaks of every kind are `\\n`.

    What cannot be decoded comes as characters that UNDECODABLE matches. A few pieces are kept at hand, so that to go
    back a little costs nothing. With `most`, it ends after so many pieces, and `was_cut` says whether that was missed.
    """

    def __init__(self, file: Upload, encoding: Encoding, most: int | None = None) -> None:
        self._file = file
        self._most = most
        self.was_cut = False
        self._decoder: Any = io.IncrementalNewlineDecoder(_decoder(encoding), translate=True)
        self._states = [self._decoder.getstate()]  # of the decoder, before each piece that has been read once
        self._pieces: OrderedDict[int, str | None] = OrderedDict()

    def piece(self, number: int) -> str | None:
        """A piece, counted from 0; None behind the last. Pieces are read for the first time in their order."""
        if number == self._most:
            self.was_cut = self._most * CHUNK < self._file.size
            return None
        if number not in self._pieces:
            self._pieces[number] = self._read(number)
            if len(self._pieces) > _AT_HAND:
                self._pieces.popitem(last=False)
        return self._pieces[number]

    def _read(self, number: int) -> str | None:
        if number >= len(self._states):
            return None
        self._decoder.setstate(self._states[number])
        chunk = next(self._file.chunks(number), b"")
        text = self._decode(chunk)
        if chunk and number + 1 == len(self._states):
            self._states.append(self._decoder.getstate())
        return text.removeprefix("\ufeff") if number == 0 else text

    def _decode(self, chunk: bytes) -> str:
        try:
            return str(self._decoder.decode(chunk, final=not chunk))
        except UnicodeDecodeError:  # half a unit of UTF-16 at the very end
            return "\udcff"


class _WindowsDecoder(codecs.IncrementalDecoder):
    """Windows-1252, in which bytes without a meaning come as UNDECODABLE."""

    def decode(self, data: Any, final: bool = False) -> str:
        return codecs.charmap_decode(data, "strict", _MEANINGS)[0]


def _decoder(encoding: Encoding) -> codecs.IncrementalDecoder:
    if encoding is WINDOWS:
        return _WindowsDecoder()
    return codecs.getincrementaldecoder(encoding.codec)("surrogateescape" if encoding is UTF8 else "surrogatepass")


def _utf16_by_its_zeros(data: bytes) -> Encoding | None:
    """Every other byte of most texts in UTF-16 is zero, and no other is."""
    even, odd = data[0:4096:2].count(0), data[1:4096:2].count(0)
    many = min(len(data), 4096) // 8
    return UTF16_LE if odd > many > even * 8 else UTF16_BE if even > many > odd * 8 else None
