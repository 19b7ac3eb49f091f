"""Uploads: files that people give a task, kept in the database with it, read in constant memory."""

import codecs
import io
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypedDict
from uuid import UUID

from tasks.engine.config import config
from tasks.engine.errors import TaskError
from tasks.engine.models import Artifact, Task
from tasks.engine.models.artifact import CHUNK
from tasks.engine.models.phrases import DELETED, NO_TEXT
from webapp.db import demand_transaction
from webapp.lib.chunked_file import ChunkedFile
from webapp.lib.i18n import number

NAME_LENGTH = 200
LINE = 1024 * 1024  # characters


@dataclass(frozen=True)
class Count:
    """The smallest and the largest number of files, or of whatever else a list has, both included.

    `some_right`, of files: it is enough that one of them is of the right kind and not empty. The others come along, so
    that nobody has to choose fifty files again because of one, and the task function says what became of them.
    """

    low: int
    high: int
    some_right: bool = False


@dataclass(frozen=True)
class Accept:
    """The suffixes that a file may have, like `.csv`, in whatever case."""

    suffixes: tuple[str, ...]

    def __init__(self, *suffixes: str) -> None:
        object.__setattr__(self, "suffixes", tuple(str(suffix).lower() for suffix in suffixes))


class Upload:
    """A file that somebody gives a task: `Upload("posts.csv", data)` with bytes or a binary stream that can seek.

    A task function gets it as its argument, read from the database then. Each way to read begins at the beginning, and
    all but `read` need the same little memory however long the file is.
    """

    def __init__(self, name: str, data: bytes | BinaryIO) -> None:
        self._stream = io.BytesIO(data) if isinstance(data, bytes) else data
        self.name = _clean(name)
        self.size = self._stream.seek(0, io.SEEK_END)

    def __str__(self) -> str:
        return self.name

    def chunks(self, first: int = 0) -> Iterator[bytes]:
        """The bytes, CHUNK at a time and the rest in the end; from chunk number `first` on."""
        self._stream.seek(first * CHUNK)
        while chunk := self._stream.read(CHUNK):
            yield chunk

    def open(self) -> BinaryIO:
        """The bytes as a file that reads and seeks, in the memory of one chunk."""
        return io.BufferedReader(ChunkedFile(self.chunks, range(0, self.size, CHUNK), self.size))

    def read(self) -> bytes:
        """All bytes in memory; for files known to be small."""
        return b"".join(self.chunks())

    def text(self) -> Iterator[str]:
        """The text, chunk by chunk, cut anywhere. Raises TaskError, in words, for what is no text in UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            for chunk in self.chunks():
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise self._no_text() from error

    def lines(self) -> Iterator[str]:
        """The text, line by line, each with its end as it is in the file; longer ones than LINE come in pieces.

        Raises TaskError as `text` does.
        """
        try:
            text = io.TextIOWrapper(self.open(), encoding="utf-8-sig", newline="")
            while line := text.readline(LINE):
                yield line
        except UnicodeDecodeError as error:
            raise self._no_text() from error

    def _no_text(self) -> TaskError:
        return TaskError(NO_TEXT(file=self.name))


class TimeLimitedUpload(Upload):
    """An upload that can be read for this many seconds in all; after that, reading it raises TimeoutError."""

    def __init__(self, upload: Upload, seconds: float) -> None:
        self.name, self.size, self._stream = upload.name, upload.size, upload._stream
        self._until = time.monotonic() + seconds

    def chunks(self, first: int = 0) -> Iterator[bytes]:
        """As an Upload's, while there is time."""
        for chunk in super().chunks(first):
            if time.monotonic() > self._until:
                raise TimeoutError(f"{self.name} took too long to read")
            yield chunk


class SavedUpload(TypedDict):
    """What the row of a task has of an upload."""

    id: str
    name: str
    size: int


class _Stored(Upload):
    """An upload in the database, as a task function gets it."""

    def __init__(self, saved: SavedUpload) -> None:
        self.id, self.name, self.size = UUID(saved["id"]), saved["name"], saved["size"]

    def chunks(self, first: int = 0) -> Iterator[bytes]:
        number = first
        for chunk in Artifact(id=self.id).chunks(first):
            yield chunk
            number += 1
        if number * CHUNK < self.size:
            raise TaskError(DELETED(file=self.name))


def store(task: Task, files: Collection[tuple[UUID, Upload]]) -> None:
    """Store files with the task that they were given to. Raises RuntimeError outside of a transaction.

    And what `Storage.demand` of the app raises, having stored nothing.
    """
    demand_transaction()
    if files:
        config().storage.demand(task.user, sum(file.size for _, file in files))
    for file_id, file in files:
        Artifact.keep(task, file_id, file.name, file.chunks())


def from_json(saved: SavedUpload) -> Upload:
    """An upload as the task function gets it, by what the task's row has of it."""
    return _Stored(saved)


def too_large(file: Upload) -> bool:
    """Whether a file is larger than this site takes."""
    return file.size > config().max_upload


def largest() -> str:
    """How large a file may be, in words."""
    megabytes = config().max_upload / 1024 / 1024
    return f"{number(round(megabytes) or float(f'{megabytes:.3g}'))} MB"


def _clean(name: str) -> str:
    """A file's name without the folders that some browsers send, and without what cannot be read; its end is kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[-NAME_LENGTH:] or "file"
