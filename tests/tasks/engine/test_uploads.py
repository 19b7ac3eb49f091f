"""Uploads: each way to read a file, whatever its bytes are and however they are cut."""

import io

import pytest

from tasks.engine import TaskError, Upload


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5])
@pytest.mark.parametrize("chunk", [1, 7, 256, 10_000])
def test_a_file_is_read_from_any_place(monkeypatch, data, chunk):
    monkeypatch.setattr("tasks.engine.uploads.CHUNK", chunk)
    with Upload("a.bin", data).open() as stream:
        assert stream.read() == data
        for place in (0, 5, 255, 256, 1279, 5000):
            assert stream.seek(place) == place
            assert stream.read(300) == data[place : place + 300]
        assert stream.seek(-3, io.SEEK_END) == max(0, len(data) - 3)
        assert stream.read() == data[-3:]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_text_is_the_same_however_its_bytes_are_cut(monkeypatch, size):
    monkeypatch.setattr("tasks.engine.uploads.CHUNK", size)
    text = 'Grüße 👋,"a\nb"\r\nnext\rlast'
    file = Upload("a.txt", text.encode("utf-8-sig"))
    assert "".join(file.text()) == text
    assert list(file.lines()) == ['Grüße 👋,"a\n', 'b"\r\n', "next\r", "last"]
    assert file.read() == text.encode("utf-8-sig")


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", b"caf\xe9", "cut 👋".encode()[:-1]])
@pytest.mark.parametrize("read", [Upload.text, Upload.lines])
def test_a_file_that_is_no_utf8_text_is_refused_in_words(data, read):
    with pytest.raises(TaskError, match=r"a.txt isn’t UTF-8 text"):
        list(read(Upload("a.txt", data)))
