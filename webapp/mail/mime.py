"""The content of a mail, as bytes that every mail server takes: ASCII in lines of at most 998 (RFC 5321).

The standard library's `email` builds it; only how a text is encoded is chosen here. By itself `set_content` looks at
the first ten lines alone, so that twelve short ones before 3,000 letters of another script make it 2.2 times as large,
and it passes short ASCII lines on as they are: with any NUL in them, for which servers refuse a mail, and with blanks
at their ends, which some strip. All is built once, as bytes to which each recipient's head is put: with 10 MB of files
an EmailMessage takes 240 ms to be written, which would be for each recipient; putting these together takes 2 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.message import MIMEPart
from uuid import uuid4

from webapp.mail.headers import is_text
from webapp.mail.marked_text import Piece, encode_around

# Of RFC 2045 a line of quoted-printable has 76 characters; 8bit is for servers that offer it, and one of them may
# pass the mail on to another that does not.
POLICY = policy.SMTP.clone(cte_type="7bit", max_line_length=76)
MOSTLY = 1 / 3  # from here on base64 is shorter than quoted-printable, and neither can be read as it is


@dataclass(frozen=True)
class Attachment:
    """A file to send along, whole in memory."""

    name: str
    content_type: str
    data: bytes


def build_content(
    text: str, html: str, attachments: Sequence[Attachment], inline: Sequence[Attachment], mark: str = ""
) -> list[Piece]:
    """All of a mail from its Content-Type on: in pieces, of which each MarkedEnd is made for everybody who gets it.

    Those have what stands in place of the last `mark` in the text and in the HTML, if there is one. The files of
    `inline` belong to the HTML, which names each as `cid:<name>` (RFC 2387). Some 40 ms of CPU for each megabyte of
    files, up to 500 ms for each of text, and for that moment about five times their size in memory.
    """
    whole, rich, places = MIMEPart(POLICY), MIMEPart(POLICY), dict[bytes, list[Piece]]()
    places |= _set_text(whole, text, "plain", mark)
    whole.make_alternative()
    places |= _set_text(rich, html, "html", mark)
    for file in inline:
        rich.add_related(*_data(file), cid=f"<{file.name}>", disposition="inline", filename=_file_name(file.name))
    whole.attach(rich)
    for file in attachments:
        whole.add_attachment(*_data(file), filename=_file_name(file.name))
    rest, pieces = whole.as_bytes(), list[Piece]()
    for place, text_pieces in places.items():
        before, _, rest = rest.partition(place)
        pieces += [before, *text_pieces]
    return [*pieces, rest]


def _set_text(part: MIMEPart, text: str, subtype: str, mark: str) -> dict[bytes, list[Piece]]:
    """Give a part its text. One with a mark is put in later: returns what stands there instead, and its pieces."""
    data = text.encode(errors="replace")  # half of a pair of surrogates is no character
    is_other = sum(byte > 127 for byte in data) > MOSTLY * len(data)
    encoding = "base64" if is_other else "quoted-printable"
    if not mark or mark not in text:
        part.set_content(data.decode(), subtype, cte=encoding)
        return {}
    place = uuid4().hex
    part.set_content(place, subtype, charset="utf-8", cte="7bit")
    part.replace_header("Content-Transfer-Encoding", encoding)
    return {place.encode(): encode_around(data, mark.encode(), encoding)}


def _data(file: Attachment) -> tuple[bytes, str, str]:
    kind, _, subtype = file.content_type.partition(";")[0].strip().partition("/")
    return file.data, kind, subtype


def _file_name(name: str) -> str:
    """A name as it arrives (RFC 2231). Some mail programs would take what stands behind `=?` for encoded."""
    return "".join(filter(is_text, name)).replace("=?", "_?") or "attachment"
