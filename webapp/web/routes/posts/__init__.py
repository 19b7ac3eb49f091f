"""Posts: written, read one by one, changed by their authors, and reported by others."""

from webapp.web.routes.posts import changing, reporting, writing  # noqa: F401 - their routes
from webapp.web.routes.posts.blueprint import bp

__all__ = ["bp"]
