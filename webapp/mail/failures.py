"""MailError: why a mail was not sent, in words for people, and what may be done about it."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from webapp.lib.phrases import Phrase, phrase
from webapp.mail.headers import InvalidHeader

_REFUSED_ADDRESS = phrase("mail.refused_address", "the mail server refused the address {address}.")
_REFUSED_SIGN_IN = phrase("mail.refused_sign_in", "the mail server refused our sign-in.")
_NOT_VERIFIED = phrase("mail.not_verified", "the mail server's certificate could not be verified.")
_NO_ANSWER = phrase("mail.no_answer", "the mail server did not answer in time.")
_NOT_OFFERED = phrase("mail.not_offered", "the mail server does not offer what MAIL_USE_TLS or MAIL_USERNAME asks for.")
_REFUSED = phrase("mail.refused", "the mail server refused it (code {code}).")
_BAD_ADDRESS = phrase("mail.bad_address", "the address {address} cannot be mailed to.")
_BAD_HEADER = phrase("mail.bad_header", "its {name} cannot stand in a mail.")
_NOT_REACHED = phrase("mail.not_reached", "the mail server could not be reached.")

# No such mailbox, or domain; bad syntax; moved, and nobody says where to; the domain takes no mail; disabled.
NO_SUCH_ADDRESS = {b"5.1.1", b"5.1.2", b"5.1.3", b"5.1.6", b"5.1.10", b"5.2.1"}


CLOSING, DEFERRALS = 421, (450, 451, 452, 454)
_POLICY = re.compile(r"4\.(?:7\.\d+|3\.2|4\.5|5\.3)\b")
_GREYLISTING = re.compile(r"gr[ae]y-?list", re.IGNORECASE)


class MailError(Exception):
    """A mail that was not sent. Its `reason` says why, for people, and is its text.

    `may_retry`: whether a later try may do. `for_everybody`: it would be the same for every recipient.
    `connection_lost`: the server hung up or fell silent, so it may have got the mail. `timed_out`: it was the latter.
    `unheard`: the server could not be reached any more to be told of this mail, so it has not got it. `is_throttling`:
    the server asks for fewer mails. `no_such_address`: the server knows that there is none such, and said so by its
    code (RFC 3463). `after`: it is a wait of so many seconds, and nothing went wrong; None otherwise.
    """

    def __init__(
        self,
        reason: Phrase,
        may_retry: bool,
        for_everybody: bool = False,
        connection_lost: bool = False,
        timed_out: bool = False,
        unheard: bool = False,
        is_throttling: bool = False,
        no_such_address: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_retry, self.for_everybody = may_retry, for_everybody
        self.connection_lost, self.timed_out, self.unheard = connection_lost, timed_out, unheard
        self.is_throttling, self.no_such_address = is_throttling, no_such_address
        self.after: float | None = None


@contextmanager
def as_mail_error(recipient: str = "", unheard: bool = False) -> Iterator[None]:
    """Raise what sending a mail to somebody raises in this block as a MailError, `unheard` if that is said here."""
    try:
        yield
    except (OSError, InvalidHeader, UnicodeError) as error:  # smtplib's exceptions are all OSErrors
        said = _last_word(error)
        raise MailError(
            _reason(said, recipient),
            may_retry=_may_retry(said),
            for_everybody=_is_for_everybody(said),
            connection_lost=_is_connection_lost(said),
            timed_out=isinstance(said, TimeoutError),
            unheard=unheard,
            is_throttling=_is_throttling(said),
            no_such_address=_is_no_such_address(said),
        ) from error


def _last_word(error: BaseException) -> BaseException:
    """What the server had said before time was up, if that was a refusal; smtplib takes half an answer for one."""
    said = error.__cause__
    if isinstance(error, TimeoutError) and isinstance(said, smtplib.SMTPRecipientsRefused):
        return said if all(code >= 400 for code, _ in said.recipients.values()) else error
    if isinstance(error, TimeoutError) and isinstance(said, smtplib.SMTPResponseException):
        return said if said.smtp_code >= 400 else error
    return error


def _is_throttling(error: BaseException) -> bool:
    """Whether the server asks for fewer mails: by 421, or a 45x whose enhanced code says that it is its policy (4.7,
    RFC 3463), or that it has too much to do (4.3.2, 4.4.5, 4.5.3). To be put off as a stranger is no such thing.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            answers: list[tuple[int, bytes | str]] = list(error.recipients.values())
        case smtplib.SMTPResponseException():
            answers = [(error.smtp_code, error.smtp_error)]
        case _:
            return False
    return any(_asks_for_less(code, said) for code, said in answers)


def _asks_for_less(code: int, said: bytes | str) -> bool:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    if code == CLOSING:
        return True
    return code in DEFERRALS and bool(_POLICY.match(text)) and not _GREYLISTING.search(text)


def _is_for_everybody(error: BaseException) -> bool:
    is_ours = isinstance(error, InvalidHeader) and error.name != "To"
    return is_ours or isinstance(error, smtplib.SMTPSenderRefused)


def _is_no_such_address(error: BaseException) -> bool:
    """Without one of these codes a refusal may be about us, or about all mail: a list would be lost by that."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return False
    said = [(code, text.split()) for code, text in error.recipients.values()]
    return all(code >= 500 and words and words[0] in NO_SUCH_ADDRESS for code, words in said)


def _is_connection_lost(error: BaseException) -> bool:
    answered = isinstance(error, (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused))
    return isinstance(error, OSError) and not answered


def _may_retry(error: BaseException) -> bool:
    """A refusal with a code of 500 or more is for good (RFC 5321, 4.2.1); so is what is wrong on our side."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code < 500 for code, _ in error.recipients.values())
        case smtplib.SMTPResponseException():
            return error.smtp_code < 500
        case smtplib.SMTPNotSupportedError() | ssl.SSLError() | UnicodeError() | InvalidHeader():
            return False
    return True


def _reason(error: BaseException, recipient: str) -> Phrase:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return _REFUSED_ADDRESS(address=recipient)
        case smtplib.SMTPAuthenticationError():
            return _REFUSED_SIGN_IN()
        case ssl.SSLError():
            return _NOT_VERIFIED()
        case TimeoutError():
            return _NO_ANSWER()
        case smtplib.SMTPNotSupportedError():
            return _NOT_OFFERED()
        case smtplib.SMTPResponseException():
            return _REFUSED(code=str(error.smtp_code))
        case InvalidHeader(name="To"):
            return _BAD_ADDRESS(address=recipient)
        case InvalidHeader():
            return _BAD_HEADER(name=error.name)
        case _:
            return _NOT_REACHED()
