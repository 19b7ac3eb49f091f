"""Mail to many: writing and previewing a draft, sending it now or later, and what came of it."""

from webapp.web.routes.mail import attachments, drafts, mailings, suppressed, task_page, to_myself  # noqa: F401 - what they register
from webapp.web.routes.mail.blueprint import bp

__all__ = ["bp"]
