"""OutgoingMail: a mail before it is addressed; AddressedMail: one to one person, as the mail server gets it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property

from webapp.mail import headers
from webapp.mail.extension import mail_settings
from webapp.mail.mime import Attachment, build_content


@dataclass(frozen=True)
class AddressedMail:
    """A mail to one person: whose it is and who gets it, both addresses in ASCII; its name; and all of it, as bytes."""

    sender: str
    recipient: str
    message_id: str
    sent_at: float  # seconds, as time.time() has them
    data: bytes


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

    def addressed_to(self, recipient: str, message_id: str) -> AddressedMail:
        """The mail to one person, now. What is the same for everybody is built with the first, and kept.

        `message_id` is what stands before the @ of the Message-ID. Needs an app context. Raises InvalidHeader for what
        cannot stand at the head of a mail.
        """
        begin, end, sender = self._head
        sent_at = time.time()
        to = headers.address(recipient, "To")
        own = {"Date": formatdate(sent_at), "Message-ID": f"<{message_id}@{sender.rpartition('@')[2]}>"}
        data = b"".join((begin, headers.head({"To": to} | own), end, self._content))
        return AddressedMail(sender, to, own["Message-ID"], sent_at, data)

    @property
    def extra_headers(self) -> dict[str, str]:
        """What its head says besides who, what and when."""
        return {"Auto-Submitted": "auto-generated"} if self.is_automatic else {}

    @cached_property
    def _head(self) -> tuple[bytes, bytes, str]:
        """What its head says to everybody, before and after what is one recipient's; and the sender's address."""
        sender = mail_settings().default_sender
        begin = {
            "From": headers.mailbox(sender, "From"),
            "Reply-To": headers.mailbox(self.reply_to, "Reply-To") if self.reply_to else "",
            "Subject": headers.unstructured(self.subject, "Subject"),
        }
        end = {"MIME-Version": "1.0"} | self.extra_headers
        return headers.head(begin), headers.head(end), headers.address(sender, "From")

    @cached_property
    def _content(self) -> bytes:
        return build_content(self.text, self.html, self.attachments, self.inline)
