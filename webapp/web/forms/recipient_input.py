"""The recipients of a mail as they come with its form: what was typed, and what an uploaded file adds to that."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import FileStorage

from webapp.address_files import read_file
from webapp.recipients import Recipients, read_recipients, without_bad
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
        if not self.parsed.bad_number:
            return self
        text = without_bad(self.text)
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
        return RecipientInput(typed, read_recipients(typed), f"No address was found in {name}.")
    if parsed.unread:
        text = "\n".join(text.splitlines()[: max(parsed.last_line, len(typed.splitlines()))])
    error = ""
    if parsed.unread or file.unread:
        what = f"{file.unread:,} of its lines" if file.unread else f"{parsed.unread:,} of its entries"
        error = f"{name} is too long: the last {what} were not read."
    return RecipientInput(text, parsed, error, file.without)
