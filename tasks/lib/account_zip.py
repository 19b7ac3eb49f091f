"""AccountZip: writes what EXPORTED says into a ZIP file, row by row, as the steps of a run."""

import json
from typing import Any, TypedDict

from peewee import Model

from tasks.engine import Run
from tasks.lib.exported import Content, Exported, Inside, as_json, inside
from tasks.lib.streamed_zip import FAST, Member, StreamedZip
from webapp.lib.phrases import phrase
from webapp.models import User

INCOMPLETE = phrase("account_zip.incomplete", "{name} is not complete: it was deleted while it was being copied")
ROWS_AT_ONCE = 200  # in one transaction and one piece
PIECES_AT_ONCE = 4  # of a file, a megabyte: on SQLite nobody else writes meanwhile


class Place(TypedDict):
    """Where a run is, as a checkpoint saves it: the State of the ZIP file, and what has been written of its parts."""

    members: int
    open: Member | None
    directory_at: int | None
    parts: int  # that are complete
    rows: int  # of the JSON file that has begun
    inside: list[Any] | None  # the row of which some was saved, and the last of those inside it
    file: str  # that has begun
    pieces: int  # of it


def beginning() -> Place:
    """Where the first run begins."""
    return Place(members=0, open=None, directory_at=None, parts=0, rows=0, inside=None, file="", pieces=0)


class AccountZip:
    """Writes the parts of somebody's ZIP file; each is complete with the `end_part` after it.

    Each run calls them in the same order, as each goes through loops of its run, and those are known by their order.
    What an earlier run has written of a part, none writes again.
    """

    def __init__(self, task: Run, file: StreamedZip, place: Place) -> None:
        self._task, self._zip, self._place = task, file, place
        self._part = 0  # of this run

    @property
    def is_over(self) -> bool:
        """Whether the part that is next was completed by an earlier run."""
        return self._part < self._place["parts"]

    def end_part(self) -> None:
        """The part is complete."""
        if not self.is_over:
            self._place["parts"] += 1
            self._task.checkpoint()
        self._part += 1

    def text(self, name: str, text: str) -> None:
        """A file that is small."""
        if not self.is_over:
            self._zip.begin(name)
            self._zip.write(text.encode())
            self._zip.end_member()

    def rows(self, model: type[Model], exported: Exported, user: User) -> None:
        """The JSON file of a model."""
        if not self.is_over:
            self._zip.begin(exported.file)
        nested = inside(model)
        for query in exported.of(user):
            if nested:
                for key in self._task.each(query):
                    self._row_with_others(model, exported, *nested, key)
            else:
                for rows in self._task.batches(query, ROWS_AT_ONCE):
                    self._add(",\n".join(_dumped(as_json(exported, row)) for row in rows), len(rows), exported.is_one)
        if not self.is_over:
            self._close_row()
            opening = "" if exported.is_one or self._place["rows"] else "["
            self._zip.write((opening + ("\n" if exported.is_one else "\n]\n")).encode())
            self._zip.end_member()
            self._place["rows"] = 0

    def files(self, content: Content, user: User) -> None:
        """The files that the rows of a model have."""
        for row in self._task.each(content.of(user)):
            self._file(row, content)
        if not self.is_over:
            self._end_file()

    def _add(self, text: str, number: int, is_one: bool = False) -> None:
        separator = "" if is_one else ",\n" if self._place["rows"] else "[\n"
        self._zip.write((separator + text).encode())
        self._place["rows"] += number

    def _row_with_others(
        self, model: type[Model], exported: Exported, other: type[Model], listed: Inside, key: Model
    ) -> None:
        """A row with those inside it, in pages: of many, those before are saved with a checkpoint."""
        row_id = str(_id(key))
        if self._place["inside"] and self._place["inside"][0] != row_id:
            self._close_row()  # it was deleted since
        row = model.get_or_none(model._meta.primary_key == _id(key))
        if row is None:
            return
        begun = self._place["inside"]
        text = "" if begun else f'{_dumped(as_json(exported, row))[:-1]}, "{listed.name}": ['
        after, ids = begun[1] if begun else None, other._meta.primary_key
        while True:
            query = listed.of(row).order_by(ids).limit(ROWS_AT_ONCE)
            page = list(query if after is None else query.where(ids > after))
            text += (", " if after is not None and page else "") + ", ".join(
                _dumped(as_json(listed, one)) for one in page
            )
            if len(page) < ROWS_AT_ONCE:
                break
            self._piece_of_row(text)
            text, after = "", _id(page[-1])
            self._place["inside"] = [row_id, after]
            self._task.checkpoint()
        self._piece_of_row(text + "]}")
        self._place["inside"] = None

    def _piece_of_row(self, text: str) -> None:
        if self._place["inside"]:
            self._zip.write(text.encode())
        else:
            self._add(text, 1)

    def _close_row(self) -> None:
        if self._place["inside"]:
            self._zip.write(b"]}")
            self._place["inside"] = None

    def _file(self, row: Any, content: Content) -> None:
        """One file, with a checkpoint after each few megabytes."""
        place, path = self._place, content.path(row)
        if place["file"] != path:
            self._end_file()  # one that was deleted since it was begun
        self._zip.begin(path)
        place["file"] = path
        for piece in content.pieces(row, place["pieces"]):
            self._zip.write(piece, FAST)
            place["pieces"] += 1
            if place["pieces"] % PIECES_AT_ONCE == 0:
                self._task.checkpoint()
        if (member := self._zip.member) and member["size"] != row.size:
            self._task.log(INCOMPLETE(name=str(row)))
        self._end_file()

    def _end_file(self) -> None:
        if self._place["file"]:
            self._zip.end_member()
            self._place["file"], self._place["pieces"] = "", 0


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _id(row: Any) -> Any:
    return getattr(row, row._meta.primary_key.name)
