"""Downloads: answers that a browser keeps as a file under its name."""

from urllib.parse import quote

from flask import Response


def download_as(response: Response, name: str) -> None:
    """Let a browser save this under the name, whatever characters that has, without what could make it a path.

    The name goes as RFC 6266 has it: in full in UTF-8, and before that in ASCII, which is all that a header may hold.
    """
    safe = "".join("_" if c in '/\\"' or not c.isprintable() else c for c in name).lstrip(".") or "download"
    names = {"filename": safe.encode("ascii", "replace").decode().replace("?", "_")}
    if not safe.isascii():
        names["filename*"] = f"UTF-8''{quote(safe.encode('utf-8', 'replace'), safe='')}"
    response.headers.set("Content-Disposition", "attachment", **names)
