"""Downloads: answers that a browser keeps as a file under its name, and goes on with where it was interrupted.

Not by `send_file`: for a name without Latin letters, its name for old programs is empty or hidden (`.csv`); it lets
names through that are paths or devices, and fails on halves of characters; and through gunicorn it cannot seek, so that
the end of a file would be read from its beginning. What it does for ranges is werkzeug's `make_conditional`, as here.
"""

from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import FileWrapper

from webapp.lib.filenames import safe_name

PIECE = 256 * 1024  # bytes that are read and sent at once


def stream(file: BinaryIO, size: int, mimetype: str, version: str) -> Response:
    """The answer with a file of so many bytes that reads and seeks, in the memory of one PIECE.

    `version` names its content: who has it already, or a part, gets none (304), or the rest (206). Who asks for several
    parts, for more from the end than there is, or for something else than bytes, gets all, as RFC 9110 has it. Raises
    RequestedRangeNotSatisfiable (416) for a part that begins behind the end.
    """
    response = Response(FileWrapper(file, PIECE), mimetype=mimetype, direct_passthrough=True)
    response.content_length = size
    response.set_etag(version)
    ranges = request.range.ranges if request.range and request.range.units == "bytes" else []
    is_one_part = len(ranges) == 1 and ranges[0][0] >= -size
    response.make_conditional(request.environ, accept_ranges=is_one_part, complete_length=size)
    response.accept_ranges = "bytes"
    return response


def download_as(response: Response, name: str) -> None:
    """Let a browser save this under the name, whatever characters that has, as every system can write it.

    The name goes as RFC 6266 has it: in full in UTF-8, and before that in ASCII, which is all that a header may hold.
    """
    safe = safe_name(name, "download")
    names = {"filename": safe.encode("ascii", "replace").decode().replace("?", "_")}
    if not safe.isascii():
        names["filename*"] = f"UTF-8''{quote(safe, safe='')}"
    response.headers.set("Content-Disposition", "attachment", **names)
