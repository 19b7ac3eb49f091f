"""What a file belongs to that goes with a mail."""

from flask import url_for

from webapp.models.attached_files import AttachedFile


def place_of_attachment(file: AttachedFile) -> tuple[str, str, str]:
    """What that is, what it is called, and its address."""
    subject = file.mailing.subject or "No subject"
    if file.task is None:
        mailing_id = file.mailing.id if file.mailing.is_by_program else file.mailing.original_id
        return "Attached to the draft", subject, url_for("mail.show", mailing_id=mailing_id)
    return "Attached to the email", subject, url_for("mail.show", mailing_id=file.mailing.id)
