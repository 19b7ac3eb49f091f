"""The head of a mail: values of headers that every mail server takes, in ASCII and short lines (RFC 5322, RFC 2047).

Encoded and folded by the standard library's `email.header`, and not by setting headers of an EmailMessage. What its
policies do with these was measured with Python 3.11.7, 3.12.1 and 3.13.0 (`email.policy.SMTP`, lines of 76):

- `=?utf-8?q?a=0ABcc:_e?=` as a subject is taken for encoded, and put into the head as two lines, `Bcc` among them (3.11
  and 3.12; it arrives changed in 3.13). A NUL stays, and so does a line break at the end of a value.
- `é  é     é`, long enough to be folded, and names with wide blanks arrive with blanks lost and words doubled.
- An address in another script is encoded as if it were a name, where no mail server looks for that.
- A name of 32,000 letters takes 13 s in another script and 8 s of quotes, and brackets end in a RecursionError; here
  these take 0.04 s or are refused.
"""

import re
import unicodedata
from collections.abc import Mapping
from email.header import Header
from email.utils import formataddr, parseaddr

import idna

LINE_LENGTH = 76  # characters, of RFC 2047
MOST_CHARACTERS = 1000  # of a name and an address
NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # the categories of what ends a line or is no character at all
PLAIN = re.compile(r"[!-~]+( [!-~]+)*")
SHORT = 60  # characters that certainly fit into a line beside a header's name


class InvalidHeader(ValueError):
    """What cannot stand at the head of a mail: more than one line, or an address that not every mail server takes.

    `name` is that of the header.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def head(fields: Mapping[str, str]) -> bytes:
    """The lines at the head of a mail, from what the functions below return. What is empty is left out."""
    return b"".join(f"{name}: {value}\r\n".encode("ascii") for name, value in fields.items() if value)


def unstructured(text: str, name: str) -> str:
    """A text as the value of a header of that name, such as Subject. Raises InvalidHeader if it is not one line.

    Linear: some 2 µs a character.
    """
    if not all(is_text(character) for character in text):
        raise InvalidHeader(name)
    if len(text) <= SHORT and PLAIN.fullmatch(text) and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name=name, maxlinelen=LINE_LENGTH).encode(linesep="\r\n")


def mailbox(text: str, name: str) -> str:
    """An address, or a name with one like `Errand <errand@example.com>`, as the value of a header of that name.

    Raises InvalidHeader as `address` does.
    """
    who, _ = _parsed(text, name)
    who = unstructured(who, name) if who else ""
    return f"{who} <{address(text, name)}>" if who.startswith("=?") else formataddr((who, address(text, name)))


def address(text: str, name: str) -> str:
    """The address alone, in ASCII: of a domain in another script its Punycode (RFC 5891).

    Raises InvalidHeader for what is none, is more than one line or more than MOST_CHARACTERS, or needs a mail server of
    another kind, as `jörg@example.com` does (RFC 6531).
    """
    local, _, domain = _parsed(text, name)[1].rpartition("@")
    if not (local and domain and local.isascii()):
        raise InvalidHeader(name)
    try:
        return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"
    except UnicodeError as error:
        raise InvalidHeader(name) from error


def one_line(text: str) -> str:
    """A text as a header can hold it: its lines as one, and without what is no text."""
    return "".join(filter(is_text, " ".join(text.split())))


def is_text(character: str) -> bool:
    """Whether a character can stand in a line of text; what joins letters, as in emoji and in Persian, can."""
    return unicodedata.category(character) not in NO_TEXT


def _parsed(text: str, name: str) -> tuple[str, str]:
    if len(text) > MOST_CHARACTERS or not all(is_text(character) for character in text):
        raise InvalidHeader(name)
    try:
        return parseaddr(text)
    except RecursionError:  # brackets in brackets, each of which it takes for a comment
        raise InvalidHeader(name) from None
