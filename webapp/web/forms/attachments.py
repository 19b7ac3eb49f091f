"""Files that are uploaded with a form to go with a mail."""

import re
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from werkzeug.datastructures import FileStorage

from webapp.lib.i18n import number
from webapp.models import Mailing
from webapp.models.mailing.attachments import FILE_NAME_LENGTH
from webapp.models.quotas import OverQuota
from webapp.web.request_guard import MEGABYTE

# Mail programs open a part of another type instead of offering it as a file.
CONTENT_TYPE = re.compile(r"(?!multipart/|message/)[a-z]+/[a-z0-9.+_-]{1,80}", re.IGNORECASE)
LONGEST_SUFFIX = 20  # characters, its dot among them; a longer one is cut as any other part of a name


def chosen_files(data: Any) -> list[FileStorage]:
    """The uploads in a file field's data. A field in which nothing was chosen sends one without a name."""
    files = data if isinstance(data, list) else [data]
    return [file for file in files if isinstance(file, FileStorage) and file.filename]


@dataclass
class Unattached:
    """The names of files for which there was no room, and why; empty if all were attached."""

    names: list[str] = field(default_factory=list)
    reason: str = ""


def attach_files(draft: Mailing, files: list[FileStorage]) -> Unattached:
    """Attach files to a draft while they fit into the site's upload limit and what its writer may store."""
    room = upload_limit() - sum(file.size for file in draft.files())
    refused = Unattached()
    for file in files:
        file.seek(0)  # it may have been read into a draft that is gone
        data, name = file.read(), safe_file_name(file.filename or "")
        if len(data) > room:
            refused.names.append(name)
            refused.reason = refused.reason or f"Attachments can total {number(upload_limit() // MEGABYTE)} MB."
            continue
        is_known = CONTENT_TYPE.fullmatch(file.mimetype)
        try:
            draft.attach(name, file.mimetype if is_known else "application/octet-stream", data)
            room -= len(data)
        except OverQuota as error:
            refused.names.append(name)
            refused.reason = error.words()
    return refused


def upload_limit() -> int:
    """How much may be attached in all, in bytes."""
    return int(current_app.config["SETTINGS"].max_upload)


def safe_file_name(name: str) -> str:
    """The name without its folder and control characters, cut before its suffix to FILE_NAME_LENGTH characters."""
    name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip() or "attachment"
    if len(name) <= FILE_NAME_LENGTH:
        return name
    stem, dot, suffix = name.rpartition(".")
    suffix = dot + suffix if stem and len(suffix) < LONGEST_SUFFIX else ""
    return name[: FILE_NAME_LENGTH - len(suffix)] + suffix
