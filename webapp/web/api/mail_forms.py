"""The mail form, filled in by programs: what is wrong with it, at the places where they have said it."""

from datetime import datetime
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from webapp.mail.recipients import RejectedRecipient
from webapp.mail.templates import FREE
from webapp.models import Mailing, User
from webapp.web.api.forms import WITHOUT_COOKIES, refuse
from webapp.web.api.json_body import IN_THE_BODY, pointer
from webapp.web.api.parameters import WrongText, parse_moment
from webapp.web.api.problems import Fault
from webapp.web.forms.mail import MailForm

FIELDS: Final = {
    "recipients": "recipients",
    "subject": "subject",
    "template": "template",
    "body": "body",
    "run_at": "send_at",
}
INCOMPLETE: Final = "The mailing isn’t complete. The pointers are to its members."


class ProgramsMail:
    """What a mailing says, with what a program puts in the place of some of it. It is parsed once."""

    def __init__(self, user: User, said: dict[str, Any], mailing: Mailing | None = None) -> None:
        self._said = said
        self._lines: list[int] = []  # of a list of recipients: which of them a line is
        texts = {name: str(getattr(mailing, name) if mailing else "") for name in ("recipients", "subject", "body")}
        texts |= {name: said[name] for name in ("subject", "body") if name in said}
        texts["template"] = said.get("template", mailing.template if mailing else FREE)
        at = _moment(said["run_at"]) if "run_at" in said else mailing.send_at if mailing else None
        texts["send_at"] = at.isoformat(timespec="milliseconds") if at else ""
        if "recipients" in said:
            texts["recipients"] = self._text_of(said["recipients"])
        self.form = MailForm("UTC", formdata=MultiDict(texts), meta=WITHOUT_COOKIES)
        if not said.get("subject"):
            self.form.fill_in_subject(user)

    @property
    def addresses(self) -> list[str]:
        """Whom it goes to, each once."""
        return self.form.parsed_recipients.addresses

    @property
    def columns(self) -> dict[str, Any]:
        """What a draft has of it. Only once it was checked: what is too long is cut here."""
        return {**self.form.content, "people": len(self.addresses)}

    @property
    def at(self) -> datetime | None:
        """When it is to be sent; None is at once."""
        moment: datetime | None = self.form.send_at.data
        return moment

    def demand_right(self) -> None:
        """Raise Problem (422) for what the program has said wrongly; what is missing may come later."""
        self.form.validate()
        self._refuse({name for name, value in self._said.items() if value}, IN_THE_BODY)

    def demand_complete(self, *but: str) -> None:
        """Raise Problem (422) for whatever keeps it from being sent, but for these members."""
        self.form.validate()
        self._refuse(set(FIELDS) - set(but), IN_THE_BODY if self._said else INCOMPLETE)

    def _refuse(self, members: set[str], words: str) -> None:
        faults = [fault for name in FIELDS if name in members for fault in self._faults(name)]
        if faults:
            refuse(faults, words)

    def _faults(self, name: str) -> list[Fault]:
        errors = getattr(self.form, FIELDS[name]).errors
        found = [Fault(str(words), pointer=pointer(name)) for words in errors]
        if name == "recipients" and errors:
            found += [self._rejected(rejected) for rejected in self.form.parsed_recipients.invalid]
        return found

    def _rejected(self, rejected: RejectedRecipient) -> Fault:
        if self._lines:
            return Fault(rejected.reason, pointer=pointer("recipients", self._lines[rejected.line - 1]))
        words = f"Line {rejected.line}, “{rejected.text}”: {rejected.reason}"
        return Fault(words, pointer=pointer("recipients"))

    def _text_of(self, recipients: str | list[str]) -> str:
        """One line for each of a list, as what is wrong with them is known by line."""
        if isinstance(recipients, str):
            return recipients
        lines = [(number, " ".join(each.split())) for number, each in enumerate(recipients)]
        self._lines = [number for number, line in lines if line]
        return "\n".join(line for _, line in lines if line)


def _moment(text: str | None) -> datetime | None:
    try:
        return parse_moment(text) if text else None
    except WrongText as error:
        refuse([Fault(str(error), pointer=pointer("run_at"))])
