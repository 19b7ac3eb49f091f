"""A person's own settings, a page for each part."""

from webapp.web.routes.settings import profile, recovery_codes, security, sessions  # noqa: F401 - their routes
from webapp.web.routes.settings.blueprint import bp

__all__ = ["bp"]
