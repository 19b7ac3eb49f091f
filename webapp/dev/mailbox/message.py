"""A received mail, and what can be read of it whatever it is: anybody may send one."""

import base64
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, TypeVar

CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+_-]{1,80}")
CANNOT_BE_READ = "(This part can’t be read.)"
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as it was received. `id` is the name of its file without .eml; ids sort by arrival."""

    id: str
    message: EmailMessage

    @property
    def attachments(self) -> list[EmailMessage]:
        """The attachments, in order; none if the mail is malformed."""
        return _read(lambda: list(self.message.iter_attachments()), [])

    def head(self, name: str) -> str:
        """The text of a header; empty if there is none."""
        return _read(lambda: _text(self.message[name] or ""), CANNOT_BE_READ)

    def body(self, kind: str) -> str:
        """The text of its `plain` or `html` alternative; empty if it has none."""

        def text() -> str:
            part = self.message.get_body((kind,))
            return _text(part.get_content()) if part else ""

        return _read(text, CANNOT_BE_READ)

    @property
    def html(self) -> str:
        """The HTML alternative with its `cid:` images inlined, for a page that may load nothing."""
        html = self.body("html")
        return _read(lambda: self._with_inline_images(html), html)

    def _with_inline_images(self, html: str) -> str:
        for part in self.message.walk():
            name = (part["Content-ID"] or "").strip("<> ")
            if name and part.get_content_maintype() == "image":
                image: Any = part.get_payload(decode=True)
                data = base64.b64encode(image).decode()
                html = html.replace(f'"cid:{name}"', f'"data:{part.get_content_type()};base64,{data}"')
        return html


def attachment_name(part: EmailMessage) -> str:
    """The file name of an attachment, or `attachment`."""
    return _read(lambda: _text(part.get_filename() or "attachment"), "attachment")


def attachment_content(part: EmailMessage) -> tuple[bytes, str]:
    """The content and content type of an attachment. One that is itself a mail is returned as its source."""
    type_ = _read(part.get_content_type, "")

    def content() -> bytes:
        payload = part.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else part.as_bytes()

    return _read(content, b""), type_ if CONTENT_TYPE.fullmatch(type_) else "application/octet-stream"


def _text(said: Any) -> str:
    """Text that can be encoded: the parser keeps undecodable bytes as surrogates."""
    return str(said).encode("utf-8", "replace").decode()


def _read(read: Callable[[], Result], instead: Result) -> Result:
    """What `read` returns, or `instead`: for malformed mail the parser raises all kinds of errors."""
    try:
        return read()
    except Exception as error:
        log.info("A part of a mail cannot be read: %r", error)
        return instead
