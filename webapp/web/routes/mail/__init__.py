"""Mail to many: writing and previewing a draft, sending it now or later, and what came of it."""

from webapp.web.routes.mail import attachments, drafts, mailings  # noqa: F401 - their routes
from webapp.web.routes.mail.blueprint import bp

__all__ = ["bp"]
