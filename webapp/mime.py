"""What a mail is made of, as bytes that every mail server takes: ASCII in lines of at most 998 (RFC 5321, RFC 5322).

The content is the standard library's `email`. The lines at the head are folded here: Python's own policies (3.11 to
3.13 at least) lose blanks of long ones, and take what stands between `=?` and `?=` for encoded already.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email import policy
from email.header import Header
from email.message import MIMEPart
from email.utils import formataddr, parseaddr

import idna

# Of RFC 2045 a line of quoted-printable has 76 characters; 8bit is for servers that offer it, and one of them may
# pass the mail on to another that does not.
POLICY = policy.SMTP.clone(cte_type="7bit", max_line_length=76)
NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # the categories of what ends a line or is no character at all
PLAIN = re.compile(r"[!-~]+( [!-~]+)*")
SHORT = 60  # characters that certainly fit into a line beside a header's name
MOSTLY = 1 / 3  # from here on base64 is shorter than quoted-printable, and neither can be read as it is


@dataclass(frozen=True)
class Attachment:
    """A file to send along, whole in memory."""

    name: str
    content_type: str
    data: bytes


class BadHeader(ValueError):
    """Something for the head of a mail that would be more than one line there."""


def content(text: str, html: str, attachments: Sequence[Attachment], inline: Sequence[Attachment]) -> bytes:
    """All of a mail that is the same for everybody who gets it, from its Content-Type on.

    The files of `inline` belong to the HTML, which names each as `cid:<name>` (RFC 2387). Some 40 ms of CPU for each
    megabyte of files, and for that moment about five times their size in memory.
    """
    whole = MIMEPart(POLICY)
    _set_text(whole, text, "plain")
    whole.make_alternative()
    rich = MIMEPart(POLICY)
    _set_text(rich, html, "html")
    for file in inline:
        rich.add_related(*_data(file), cid=f"<{file.name}>", disposition="inline", filename=_file_name(file.name))
    whole.attach(rich)
    for file in attachments:
        whole.add_attachment(*_data(file), filename=_file_name(file.name))
    return whole.as_bytes()


def head(fields: Iterable[tuple[str, str]]) -> bytes:
    """The lines at the head of a mail: names with values that are folded and encoded already, as `line_of` does it."""
    return b"".join(f"{name}: {value}\r\n".encode("ascii") for name, value in fields)


def line_of(text: str, name: str) -> str:
    """A text as the value of a header of that name (RFC 2047). Raises BadHeader if it is more than one line."""
    if not all(is_text(character) for character in text):
        raise BadHeader(name)
    if len(text) <= SHORT and PLAIN.fullmatch(text) and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name=name, maxlinelen=POLICY.max_line_length or 76).encode(linesep="\r\n")


def mailbox(text: str, name: str) -> str:
    """An address, or a name with one like `Errand <errand@example.com>`, as the value of a header of that name.

    Raises BadHeader, and UnicodeError for an address that needs a mail server of another kind (RFC 6531).
    """
    who, _ = parseaddr(text)
    who = line_of(who, name) if who else ""
    return f"{who} <{address(text)}>" if who.startswith("=?") else formataddr((who, address(text)))


def address(text: str) -> str:
    """The address alone, in ASCII: of a domain in another script its Punycode (RFC 5891). Raises as `mailbox` does."""
    if not all(is_text(character) for character in text):
        raise BadHeader("an address")
    local, at, domain = parseaddr(text)[1].rpartition("@")
    local.encode("ascii")
    return f"{local}{at}{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"


def one_line(text: str) -> str:
    """A text as a header can hold it: its lines as one, and without what is no text."""
    return "".join(filter(is_text, " ".join(text.split())))


def is_text(character: str) -> bool:
    """Whether a character can stand in a line of text; what joins letters, as in emoji and in Persian, can."""
    return unicodedata.category(character) not in NO_TEXT


def _set_text(part: MIMEPart, text: str, subtype: str) -> None:
    data = text.encode()
    is_other = sum(byte > 127 for byte in data) > MOSTLY * len(data)
    part.set_content(text, subtype, cte="base64" if is_other else "quoted-printable")


def _data(file: Attachment) -> tuple[bytes, str, str]:
    kind, _, subtype = file.content_type.partition(";")[0].strip().partition("/")
    return file.data, kind, subtype


def _file_name(name: str) -> str:
    """A name as it arrives (RFC 2231). Some mail programs would take what stands behind `=?` for encoded."""
    return "".join(filter(is_text, name)).replace("=?", "_?") or "attachment"
