"""The operator's desk: everybody's tasks, and how the site is doing. For those whose role allows it; else 404."""

from webapp.web.routes.desk import (  # noqa: F401 - their routes
    alerts,
    audit,
    bulk,
    failures,
    kinds,
    overview,
    people,
    person_actions,
    reports,
    schedule,
    suppressions,
    system,
    task,
    task_actions,
    tasks,
)
from webapp.web.routes.desk.blueprint import bp

__all__ = ["bp"]
