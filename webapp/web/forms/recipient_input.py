"""The recipients of a mail as they come with its form: what was typed, and what an uploaded file adds to that."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import FileStorage

from webapp.lib.i18n import ngettext, number
from webapp.mail.address_files import read_file
from webapp.mail.recipients import MOST_RECIPIENTS, Recipients, read_recipients, without_invalid
from webapp.web.forms.attachments import safe_file_name


@dataclass(frozen=True)
class RecipientInput:
    """What was typed and uploaded as one `text`, and the addresses `parsed` from it.

    `file_error` says what is wrong with the file, and is empty if nothing is. `rows_without_address` counts the rows of
    the file that were skipped.
    """

    text: str
    parsed: Recipients
    file_error: str = ""
    rows_without_address: int = 0

    def without_invalid(self) -> "RecipientInput":
        """The same without the entries that are not addresses. Parses again only if there are any."""
        if not self.parsed.invalid_count:
            return self
        text = without_invalid(self.text)
        return replace(self, text=text, parsed=read_recipients(text))


def read_recipient_input(typed: str, upload: FileStorage | None) -> RecipientInput:
    """Parse what was typed together with an uploaded file, reading each once.

    Line numbers in error messages are those of `text`, whose lines are as browsers show them. A file in which there is
    no address adds nothing. Of a file that is too long, `text` has what was read.
    """
    typed = "\n".join(typed.splitlines())
    if upload is None:
        return RecipientInput(typed, read_recipients(typed))
    file, name = read_file(upload.stream), safe_file_name(upload.filename or "")
    text = "\n".join(filter(None, [typed, file.text]))
    parsed = read_recipients(text)
    may_have_addresses = "@" in file.text and "\N{REPLACEMENT CHARACTER}" not in file.text
    if not may_have_addresses and not read_recipients(file.text).addresses:
        return RecipientInput(typed, read_recipients(typed), f"No addresses found in {name}.")
    if parsed.unread:
        text = "\n".join(text.splitlines()[: max(parsed.last_line, len(typed.splitlines()))])
    error = ""
    if parsed.unread or file.unread:
        unread = _lines_not_read(file.unread) if file.unread else _entries_not_read(parsed.unread)
        error = f"{name} is too long: {unread}"
    return RecipientInput(text, parsed, error, file.without)


def recipients_error(found: Recipients) -> str:
    """Why nothing can be sent to these recipients; empty if nothing is wrong with them."""
    count = len(found.addresses)
    if count > MOST_RECIPIENTS:
        words = ngettext("You have %(num)s recipient", "You have %(num)s recipients", count)
        if found.unread:
            words += ngettext(
                ", and %(num)s more entry wasn’t read", ", and %(num)s more entries weren’t read", found.unread
            )
        return f"{words}. The limit is {number(MOST_RECIPIENTS)}."
    if found.invalid_count:
        return ngettext(
            "%(num)s address isn’t valid. Correct or remove it.",
            "%(num)s addresses aren’t valid. Correct or remove them.",
            found.invalid_count,
        )
    if found.unread:
        return f"The list is too long: {_entries_not_read(found.unread)}"
    return "" if count else "Add at least one recipient."


def _lines_not_read(count: int) -> str:
    return ngettext("the last line wasn’t read.", "the last %(num)s lines weren’t read.", count)


def _entries_not_read(count: int) -> str:
    return ngettext("the last entry wasn’t read.", "the last %(num)s entries weren’t read.", count)
