"""The operator's desk: everybody's tasks, and how the site is doing. For those whose role allows it; else 404."""

from webapp.web.routes.desk import forced_end, overview, workers  # noqa: F401 - its routes
from webapp.web.routes.desk.blueprint import bp

__all__ = ["bp"]
