"""The files that a person stores: one list of all sources, in two orders."""

from collections.abc import Mapping

from webapp.models.attached_files import ATTACHMENTS, AttachedFile
from webapp.models.file_deletion import ARTIFACTS
from webapp.models.stored_file import Order, Position, Source, StoredFile
from webapp.models.user import User

# By the letters by which forms and cursors name the source of a file, in their order.
SOURCES: Mapping[str, Source] = {
    StoredFile.letter: ARTIFACTS,
    AttachedFile.letter: ATTACHMENTS,
}


def files_of(user: User, order: Order, after: Position | None, limit: int) -> list[StoredFile]:
    """A person's files, the largest or the newest first, from a position on. A query for each source, by an index.

    Not those of tasks that are being deleted.
    """
    found: list[StoredFile] = []
    for source in SOURCES.values():
        found += source.files_of(user, order, after, limit)
    found.sort(key=lambda file: file.position(order)[0], reverse=True)  # where equal, sources stay in their order
    return found[:limit]
