"""OutgoingMail: a mail before it is addressed; AddressedMail: one to one person, as the mail server gets it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property

from webapp.mail import headers
from webapp.mail.extension import mail_settings
from webapp.mail.marked_text import LINK_MARK, Piece
from webapp.mail.mime import Attachment, build_content


@dataclass(frozen=True)
class AddressedMail:
    """A mail to one person: whose it is and who gets it, both addresses in ASCII; its name; and all of it, as bytes."""

    sender: str
    recipient: str
    message_id: str
    sent_at: float  # seconds, as time.time() has them
    data: bytes
    link: str = ""  # by which this recipient unsubscribes


@dataclass(frozen=True)
class OutgoingMail:
    """A mail before it is addressed. The HTML shows the pictures of `inline` as `cid:<name>`.

    One that the site sends by itself says so, which keeps answering machines from answering it (RFC 3834).
    """

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()
    inline: Sequence[Attachment] = ()
    reply_to: str | None = None
    is_automatic: bool = True
    links: Callable[[str], str] | None = None  # of each recipient's address, in place of LINK_MARK

    def addressed_to(self, recipient: str, message_id: str) -> AddressedMail:
        """The mail to one person, now. What is the same for everybody is built with the first, and kept.

        `message_id` is what stands before the @ of the Message-ID. Needs an app context. Raises InvalidHeader for what
        cannot stand at the head of a mail.
        """
        begin, end, sender = self._head
        sent_at = time.time()
        to = headers.address(recipient, "To")
        own = {"Date": formatdate(sent_at), "Message-ID": f"<{message_id}@{sender.rpartition('@')[2]}>"}
        link = self.links(recipient) if self.links else ""
        whose = headers.head({"To": to} | own | _list_headers(link))
        data = b"".join((begin, whose, end, *self._addressed(link.encode())))
        return AddressedMail(sender, to, own["Message-ID"], sent_at, data, link)

    def extra_headers(self, link: str = "") -> dict[str, str]:
        """What its head says besides who, what and when, to whoever unsubscribes by this link."""
        return ({"Auto-Submitted": "auto-generated"} if self.is_automatic else {}) | _list_headers(link)

    @cached_property
    def _head(self) -> tuple[bytes, bytes, str]:
        """What its head says to everybody, before and after what is one recipient's; and the sender's address."""
        sender = mail_settings().default_sender
        begin = {
            "From": headers.mailbox(sender, "From"),
            "Reply-To": headers.mailbox(self.reply_to, "Reply-To") if self.reply_to else "",
            "Subject": headers.unstructured(self.subject, "Subject"),
        }
        end = {"MIME-Version": "1.0"} | self.extra_headers()
        return headers.head(begin), headers.head(end), headers.address(sender, "From")

    def _addressed(self, link: bytes) -> Iterator[bytes]:
        return (piece if isinstance(piece, bytes) else piece.filled(link) for piece in self._content)

    @cached_property
    def _content(self) -> list[Piece]:
        mark = LINK_MARK if self.links else ""
        return build_content(self.text, self.html, self.attachments, self.inline, mark)


def _list_headers(link: str) -> dict[str, str]:
    """By which mail programs offer a button to unsubscribe (RFC 2369), and do it by one request (RFC 8058)."""
    if not link:
        return {}
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
