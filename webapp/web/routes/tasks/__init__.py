"""Tasks: the catalogue, starting one, the list of them, and one task with its actions."""

from webapp.web.routes.tasks import actions, index, new, show  # noqa: F401 - their routes
from webapp.web.routes.tasks.blueprint import bp

__all__ = ["bp"]
