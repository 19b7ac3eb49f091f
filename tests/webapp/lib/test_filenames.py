"""File names: what we write can be written anywhere, and no two of a folder are one file."""

import unicodedata

import pytest

from webapp.lib.filenames import safe_name, unique_names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.txt", "report.txt"),
        ("名前 👨‍👩‍👧.jpg", "名前 👨‍👩‍👧.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ('a<b>c:d"e/f\\g|h?i*j.txt', "a_b_c_d_e_f_g_h_i_j.txt"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\x00b\x1fc\u202egpj.exe", "abcgpj.exe"),
        ("\ud800.txt", "txt"),
        ("trailing. . ", "trailing"),
        (" .hidden", "hidden"),
        ("nul", "_nul"),
        ("NUL.tar.jpg", "_NUL.tar.jpg"),
        ("com1 .txt", "_com1 .txt"),
        ("LPT¹.log", "_LPT¹.log"),
        ("conin$", "_conin$"),
        ("console.txt", "console.txt"),
        ("com10.txt", "com10.txt"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_safe_name_is_valid_on_every_system(name, safe):
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


@pytest.mark.parametrize("character", ["x", "é", "正", "👋", "e\u0301\u0323", "👨‍👩‍👧"])
@pytest.mark.parametrize("room", [255, 245, 40])
def test_a_long_name_is_cut_between_characters_and_keeps_its_suffix(character, room):
    composed = unicodedata.normalize("NFC", character)
    cut = safe_name(character * 300 + ".jpeg", room=room)
    assert room - 30 < len(cut.encode()) <= room
    stem = cut.removesuffix(".jpeg")
    assert stem.strip(composed) == ""
    assert len(stem) % len(composed) == 0


def test_unique_names_differ_on_every_system():
    names = ["é.jpg", "e\u0301.jpg", "É.JPG", "straße", "STRASSE", "a:b", "a?b", "ﬁ", "fi", *["正" * 100 + ".png"] * 12]
    unique = unique_names(names)
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in unique}) == len(names)
    assert unique[:3] == ["é.jpg", "é (2).jpg", "É (3).JPG"]
    assert all(len(name.encode()) <= 255 and name.endswith(".png") for name in unique[-12:])
    assert unique_names(unique) == unique
