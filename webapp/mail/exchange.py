"""An exchange: what client and server say for one mail, in as few round trips as the server allows.

smtplib's `sendmail` waits for an answer to each command. A server that offers PIPELINING (RFC 2920) takes all that
comes before the text at once, which leaves two of four round trips. And here whoever sends knows whether the server has
answered the first command: if it has not, it has not got the mail.
"""

import re
import smtplib
from contextlib import suppress

from webapp.mail.outgoing import AddressedMail

OK, ACCEPTED, GO_ON, CLOSING = 250, (250, 251), 354, 421
_DOT = re.compile(rb"^\.", re.MULTILINE)


class Exchange:
    """One mail on an open connection: `begin`, then `finish`. Both need a deadline around them, and raise OSError, as
    all of smtplib's exceptions are.
    """

    def __init__(self, smtp: smtplib.SMTP, mail: AddressedMail) -> None:
        self._smtp, self._mail = smtp, mail
        size = f" SIZE={len(mail.data)}" if smtp.has_extn("size") else ""
        self._unsaid = [f"MAIL FROM:<{mail.sender}>{size}", f"RCPT TO:<{mail.recipient}>", "DATA"]
        self._at_once = len(self._unsaid) if smtp.has_extn("pipelining") else 1
        self._unanswered = 0

    def begin(self) -> None:
        """Say who sends a mail. Raises SMTPSenderRefused."""
        code, said = self._ask()
        if code != OK:
            self._give_up(code)
            raise smtplib.SMTPSenderRefused(code, said, self._mail.sender)

    def finish(self) -> None:
        """Say who gets it, and give it to the server, which has it when this returns.

        Raises SMTPRecipientsRefused and SMTPDataError.
        """
        code, said = self._ask()
        if code not in ACCEPTED:
            self._give_up(code)
            raise smtplib.SMTPRecipientsRefused({self._mail.recipient: (code, said)})
        code, said = self._ask()
        if code == GO_ON:
            end = b".\r\n" if self._mail.data.endswith(b"\r\n") else b"\r\n.\r\n"
            self._smtp.send(_DOT.sub(b"..", self._mail.data) + end)
            code, said = self._smtp.getreply()
        if code != OK:
            self._give_up(code)
            raise smtplib.SMTPDataError(code, said)

    def _ask(self) -> tuple[int, bytes]:
        """The answer to the next command."""
        if not self._unanswered:
            commands, self._unsaid = self._unsaid[: self._at_once], self._unsaid[self._at_once :]
            self._smtp.send("".join(f"{command}\r\n" for command in commands))
            self._unanswered = len(commands)
        self._unanswered -= 1
        return self._smtp.getreply()

    def _give_up(self, code: int) -> None:
        """A command was refused: make the connection ready for another mail, or close it.

        What the server says to this changes nothing: the refusal is what counts.
        """
        if code == CLOSING:
            self._smtp.close()
            return
        with suppress(smtplib.SMTPServerDisconnected):
            while self._unanswered:
                code, _ = self._ask()
                if code == GO_ON:  # it waits for a text, though it has refused who sends or gets it
                    self._smtp.close()
                    return
            self._smtp.rset()
