"""File names that are valid on Windows, macOS and Linux, in a folder or in a ZIP file.

Werkzeug's `secure_filename` keeps ASCII only, and leaves nothing of a name in another script.
"""

import re
import unicodedata
from collections.abc import Iterable

MOST_BYTES = 255  # of one name, in UTF-8: Linux's limit; those of Windows and macOS are no lower
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')  # on Windows
# Device names of Windows, whatever follows their first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_JOINER = "\u200d"


def safe_name(name: str, otherwise: str = "file", room: int = MOST_BYTES) -> str:
    """A name that is valid everywhere, composed (NFC), without a path, in at most `room` bytes of UTF-8.

    Forbidden characters become underscores, and a device name gets one in front; characters that are not printable are
    removed. A suffix of up to 20 characters survives when the name is cut, and no character is cut in two. If nothing
    is left, the name is `otherwise`. A name that this has returned comes back unchanged.
    """
    composed = unicodedata.normalize("NFC", name[: 4 * room])
    clean = _FORBIDDEN.sub("_", "".join(c for c in composed if c.isprintable() or c == _JOINER)).strip(" .")
    if _DEVICE.match(clean):
        clean = f"_{clean}"
    stem, suffix = _parts(clean)
    while stem and len((stem + suffix).encode()) > room:
        stem = _shorter(stem, len((stem + suffix).encode()) - room)
    return f"{stem or otherwise}{suffix}"


def unique_names(names: Iterable[str], otherwise: str = "file", room: int = MOST_BYTES) -> list[str]:
    """Safe names in the same order, all different even where case and composition do not count.

    A name that occurred before gets a number, as in `report (2).txt`.
    """
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = safe_name(name, otherwise, room), 1
        while _folded(candidate) in taken:
            number += 1
            stem, suffix = _parts(safe_name(name, otherwise, room - len(f" ({number})")))
            candidate = f"{stem} ({number}){suffix}"
        taken.add(_folded(candidate))
        unique.append(candidate)
    return unique


def _folded(name: str) -> str:
    """The same for all names that some system considers equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _parts(name: str) -> tuple[str, str]:
    """The name before its suffix, and the suffix with its dot, if it has one."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem and 0 < len(suffix) <= 20 and " " not in suffix else (name, "")


def _shorter(text: str, over: int) -> str:
    """The text without some characters at its end, at least one and about `over` bytes; none loses only its marks."""
    end = len(text) - max(1, over // 4)
    while end > 0 and (unicodedata.category(text[end])[0] == "M" or _JOINER in text[end - 1 : end + 1]):
        end -= 1
    return text[:end].rstrip(" .")
