"""Digests of what was sent: by which a request that comes again is known to be the same."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from werkzeug.datastructures import FileStorage

CHUNK_SIZE: Final = 64 * 1024


class ContentDigest:
    """Begun with texts that tell what it is of. Files are read for it, and rewound."""

    def __init__(self, *texts: str) -> None:
        self._digest = sha256()
        self.add(*texts)

    def add(self, *texts: str) -> None:
        """Add each text with its length, so that no two lists of texts have one digest."""
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            self._digest.update(b"%d:" % len(data))
            self._digest.update(data)

    def add_files(self, files: Iterable[tuple[str, FileStorage]]) -> None:
        """Add files by the names of their fields: how each is called, and its content."""
        for name, file in files:
            self.add(name, file.filename or "")
            content = sha256()
            file.stream.seek(0)
            while chunk := file.stream.read(CHUNK_SIZE):
                content.update(chunk)
            file.stream.seek(0)
            self._digest.update(content.digest())

    def text(self) -> str:
        """The digest: 64 hexadecimal digits."""
        return self._digest.hexdigest()
