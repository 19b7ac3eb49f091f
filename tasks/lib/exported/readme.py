"""README.txt: what is in the ZIP file of everything, for whoever opens it years from now."""

import textwrap
from collections.abc import Iterator

from tasks.lib.exported import EXPORTED, Excused, Exported, Inside, columns_of, exported_models, inside
from webapp.lib.times import iso, utcnow
from webapp.models import User

WIDTH = 100
NAME = "README.txt"


def readme(user: User, site: str) -> str:
    """The text of the file."""
    blocks = [_title(user, site), *_files(), _content(), _left_out()]
    return "\r\n".join("\n\n".join(blocks).splitlines()) + "\r\n"


def _title(user: User, site: str) -> str:
    title = f"Everything in the account {user.username} at {site}"
    about = (
        f"Collected on {iso(utcnow())}. What was written or changed while it was being collected may be in here or not."
    )
    form = (
        "The files that end in .json are JSON, encoded in UTF-8: programs read them, and any text editor shows them."
        " Most hold a list with one object a line. Times are in UTC and look like 2026-11-28T09:30:00Z, with up to"
        " six decimals of the second; null means that there is none. Other people are named by their usernames;"
        " nobody's email address is in here but yours and those that you emailed."
    )
    return "\n\n".join([f"{title}\n{'=' * len(title)}", _wrapped(about), _wrapped(form)])


def _files() -> Iterator[str]:
    for model, row in exported_models():
        lines = [f"{row.file}\n{'-' * len(row.file)}", _wrapped(_sentence(row)), *_fields(row)]
        if nested := inside(model):
            _, listed = nested
            lines += [f"  {listed.name}: {listed.words}; a list with", *(f"    {line}" for line in _fields(listed))]
        yield "\n".join(lines)


def _sentence(row: Exported) -> str:
    return " ".join(filter(None, [f"{row.title[0].upper()}{row.title[1:]}.", row.words]))


def _fields(row: Exported | Inside) -> list[str]:
    return [
        textwrap.fill(f"{name}: {column.words}", WIDTH, initial_indent="  ", subsequent_indent="      ")
        for name, column in columns_of(row)
    ]


def _content() -> str:
    words = (
        "What you gave to tasks, what they made, and what you attached to emails, as far as it has not been deleted."
        " artifacts.json and attachments.json say where each is. Exports like this one are left out."
    )
    return f"files/\n------\n{_wrapped(words)}"


def _left_out() -> str:
    secrets = (
        "Your password, the secret of your authenticator app, your recovery codes and the keys of your sessions:"
        " whoever gets hold of this file should not get into your account by it."
    )
    reasons = [secrets, *(row.why for row in EXPORTED.values() if isinstance(row, Excused))]
    listed = [textwrap.fill(why, WIDTH, initial_indent="- ", subsequent_indent="  ") for why in reasons]
    return "\n".join(["What is not here\n----------------", *listed])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH)
