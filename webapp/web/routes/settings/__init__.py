"""A person's own settings, a page for each part."""

from webapp.web.routes.settings import (  # noqa: F401 - their routes
    blocked,
    data,
    deletion,
    email,
    picture,
    profile,
    recovery_codes,
    security,
    sessions,
    storage,
    tokens,
    username,
)
from webapp.web.routes.settings.blueprint import bp

__all__ = ["bp"]
