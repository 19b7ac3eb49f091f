"""ZIP files written in pieces, by one run after the other."""

import io
import json
import random
import zipfile

import pytest

from tasks.lib import streamed_zip
from tasks.lib.streamed_zip import State, StreamedZip


class Bytes:
    """What is written to."""

    def __init__(self) -> None:
        self.data = bytearray()

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, data: bytes) -> None:
        self.data += data


def _written(members: dict[str, list[bytes]]) -> bytes:
    """A ZIP file of which each piece is written by a run of its own."""
    out, entries, state = Bytes(), Bytes(), State(members=0, open=None, directory_at=None)
    for name, pieces in members.items():
        for piece in [b"", *pieces]:
            state = json.loads(json.dumps(state))  # as a checkpoint saves it
            run = StreamedZip(out, entries, state)
            run.begin(name)
            run.write(piece)
        StreamedZip(out, entries, state).end_member()
    StreamedZip(out, entries, state).end([bytes(entries.data[:50]), bytes(entries.data[50:])])
    return bytes(out.data)


MEMBERS = {
    "README.txt": ["Grüße\n".encode()],
    "empty.json": [],
    "files/名前 👋.bin": [random.Random(1).randbytes(70_000), b"x" * 100_000, b""],
    "posts.json": [b'{"body": "same"},\n' * 500] * 3,
}


@pytest.mark.parametrize("most", [2**32 - 1, 1000, 0], ids=["without ZIP64", "with some of it", "with all of it"])
def test_any_program_reads_what_was_written_piece_by_piece(monkeypatch, most):
    monkeypatch.setattr(streamed_zip, "MOST", most)
    monkeypatch.setattr(streamed_zip, "MOST_MEMBERS", min(most, 2**16 - 1))
    data = _written(MEMBERS)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == {n: b"".join(p) for n, p in MEMBERS.items()}
        assert file.getinfo("posts.json").compress_size < 1000
    assert (b"PK\6\6" in data) == (most < 2**32 - 1)


def test_more_members_than_a_file_without_zip64_may_have(tmp_path):
    data = _written({f"{n}": [] for n in range(66_000)})
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert len(file.namelist()) == 66_000


def test_a_member_that_has_not_begun_can_be_neither_written_nor_ended():
    run = StreamedZip(Bytes(), Bytes(), State(members=0, open=None, directory_at=None))
    with pytest.raises(AssertionError, match="no member has begun"):
        run.write(b"")
    with pytest.raises(AssertionError, match="no member has begun"):
        run.end_member()
