"""A kind of task that people can start, as programs see it."""

from dataclasses import dataclass

from tasks.engine import TaskFunction
from tasks.engine.config import config
from webapp.lib.json_types import Json
from webapp.models import User
from webapp.web.api.resource import BOOLEAN, INTEGER, STRING, Field, Resource, array, nullable


@dataclass(frozen=True)
class OfferedKind:
    """A task function for somebody who may start it."""

    function: TaskFunction
    user: User

    @property
    def one_at_a_time(self) -> Json:
        """The arguments of which each combination may be under way once; none for once at all; None for no limit."""
        names = self.function.options.one_at_a_time
        return list(names) if isinstance(names, tuple) else [] if names else None


KIND = Resource[OfferedKind](
    "Kind",
    "A kind of task.",
    (
        Field("name", STRING, lambda kind: kind.function.name, "What tasks have as their `kind`."),
        Field("title", STRING, lambda kind: kind.function.label),
        Field("description", STRING, lambda kind: kind.function.description),
        Field(
            "arguments",
            {"type": "object"},
            lambda kind: kind.function.schema(kind.user),
            "What it takes, as JSON Schema 2020-12: also what there is to choose of your own.",
        ),
        Field(
            "takes_files",
            BOOLEAN,
            lambda kind: kind.function.takes_files,
            "Whether it is started by a form with files, “multipart/form-data”.",
        ),
        Field("max_upload", INTEGER, lambda _: config().max_upload, "How many bytes all files together may have."),
        Field(
            "one_at_a_time",
            nullable(array(STRING)),
            lambda kind: kind.one_at_a_time,
            "Null where any number of them may be under way. Otherwise you can have one for each combination of these "
            "arguments, or one at all if there are none here.",
        ),
        Field("retries", INTEGER, lambda kind: kind.function.retries.times, "Attempts after the first."),
    ),
)
