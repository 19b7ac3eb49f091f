"""TaskFunction: what `@user_task` makes of a function, and the one door through which tasks start."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from inspect import cleandoc
from typing import Unpack
from uuid import uuid4

from peewee import Model

from tasks.engine.function_checks import check_body
from tasks.engine.functions import Function
from tasks.engine.models import Task, observers
from tasks.engine.models.owner import owner_id
from tasks.engine.option_checks import check_options
from tasks.engine.options import Options
from tasks.engine.parameters.arguments import check_arguments, check_own, dump_arguments, refill
from tasks.engine.parameters.conversions import NOWHERE, Place, Value
from tasks.engine.parameters.json_arguments import NO_FILES, Files, read_json_arguments
from tasks.engine.parameters.parameter import Parameter
from tasks.engine.parameters.reader import read_parameters
from tasks.engine.parameters.schema import schema_of
from tasks.engine.preview import Preview, make_preview
from tasks.engine.retries import Retries
from tasks.engine.signature import Signature, StartOptions
from tasks.engine.undo import Undo
from tasks.engine.uploads import store
from webapp.db import database
from webapp.lib.json_types import Json
from webapp.lib.phrases import Wording, Words


class TaskFunction:
    """A kind of task that people can start. Its name, form and description come from the function itself.

    Raises DeclarationError for whatever could never work.
    """

    def __init__(self, body: Function[object], options: Options) -> None:
        check_body(body)
        self.body = body
        self.name: str = body.__name__
        self.parameters: tuple[Parameter, ...] = read_parameters(body)
        self.options = options
        self.is_undo = False
        check_options(self)
        if self.undo:
            self.undo.function.is_undo = True

    @property
    def label(self) -> str:
        """The function's name as people read it, like 'Export posts'."""
        return self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        """What it does: the function's docstring."""
        return cleandoc(self.body.__doc__ or "")

    @property
    def takes_files(self) -> bool:
        """Whether its form sends any file."""
        return any(parameter.is_file for parameter in self.parameters)

    @property
    def retries(self) -> Retries:
        """How an attempt that failed is tried again."""
        retries = self.options.retries
        return retries if isinstance(retries, Retries) else Retries(retries)

    @property
    def internal(self) -> bool:
        """Whether it is the site's own work, which people do not see."""
        return self.options.internal

    @property
    def is_limited(self) -> bool:
        """Whether its tasks fail once they make more than their owner has room for.

        What the site does for itself does not, nor what takes back what was done.
        """
        return not (self.options.may_exceed_storage or self.internal or self.is_undo)

    @property
    def listed(self) -> bool:
        """Whether it has a form of its own."""
        return self.options.listed and not self.internal and not self.is_undo

    @property
    def preview(self) -> Function[Preview] | None:
        """The function that says what a task would do, if it has one."""
        return self.options.preview

    @property
    def undo(self) -> Undo | None:
        """How a finished task is taken back, if it can be."""
        return self.options.undo

    def title(self, arguments: dict[str, Value]) -> Words:
        """The title of a task with these arguments."""
        title = self.label if self.options.title is None else self.options.title
        if callable(title) and not isinstance(title, Wording):
            return title(**arguments)
        known = [parameter for parameter in self.parameters if parameter.name in arguments]
        written = {each.name: each.in_title(arguments[each.name]) for each in known}
        return title(**written) if isinstance(title, Wording) else title.format(**written)

    def schema(self, owner: Model | None = None) -> dict[str, Json]:
        """What it takes, as JSON Schema 2020-12; for an `owner`, with what there is to choose of their own."""
        return schema_of(self.parameters, owner)

    def read_json(
        self, arguments: Mapping[str, Json], files: Files = NO_FILES, owner: Model | None = None
    ) -> dict[str, Value]:
        """What programs send, as `launch` takes it: what `schema` accepts, and files beside it by their parameters.

        Raises InvalidArguments, with pointers such as `numbers/3`; for an `owner`, also for what is not theirs.
        """
        return read_json_arguments(self.parameters, arguments, files, owner)

    def total(self, arguments: dict[str, Value]) -> int | None:
        """How many steps a task with these arguments has; None where that is unknown before it runs.

        Raises ValueError for what is no number of steps.
        """
        total = self.options.total
        number = total(**arguments) if callable(total) else total
        if number is not None and (not isinstance(number, int) or number < 0):
            raise ValueError(f"{self.name}: its total is {number!r}, which is no number of steps")
        return number

    def refill(self, task: Task) -> dict[str, Value]:
        """The arguments of an earlier task that can fill in a form: all but files, secrets and what is outdated."""
        return refill(self.parameters, task.arguments, Place(task.id))

    def make_preview(self, arguments: dict[str, Value]) -> Preview | None:
        """What a task with these arguments would do; None without a preview function. Raises as `preview` says."""
        return make_preview(self.preview, arguments) if self.preview else None

    def s(self, **arguments: object) -> Signature:
        """The function with its arguments, as a child of a chain, a group or a chord. Raises InvalidArguments."""
        complete = check_arguments(self.parameters, arguments)
        return Signature(self.title(complete), lambda user, **place: self._start(user, complete, **place))

    def launch(self, user: Model, *, run_at: datetime | None = None, **arguments: object) -> Task:
        """Start a task for a user, or schedule it for `run_at` (naive UTC), and return its row.

        Raises InvalidArguments, also for what is not the user's own now, AlreadyRunning where only one at a time is
        allowed, or StartRefused, as for a quota of the app. The row is written now, in the caller's transaction if
        there is one; the queue hears of it after the commit. If the queue is down, or this process dies before that,
        this still succeeds, and the sweeper sends the wake-up.
        """
        return self.s(**arguments).launch(user, run_at=run_at)

    def under_way(self, user: Model, **arguments: object) -> Task | None:
        """The active task that would keep such a one from starting, where only one at a time is allowed.

        Raises WrongValue for an argument that decides that and that the function does not take.
        """
        names = self.options.one_at_a_time if isinstance(self.options.one_at_a_time, tuple) else ()
        chosen = [parameter for parameter in self.parameters if parameter.name in names]
        key = self.unique_key(user, {each.name: each.check(arguments.get(each.name, each.default)) for each in chosen})
        return Task.get_or_none(Task.active_unique_key == key) if key else None

    def _start(self, user: Model, arguments: dict[str, Value], **place: Unpack[StartOptions]) -> Task:
        check_own(self.parameters, user, arguments)
        kept = Place(uuid4())
        saved = dump_arguments(self.parameters, arguments, kept)
        unique_key, total = self.unique_key(user, arguments), self.total(arguments)
        with database.atomic():
            task = Task.start(
                user,
                self.name,
                self.title(arguments),
                saved,
                id=kept.task_id,
                unique_key=unique_key,
                retries=self.retries.times,
                priority=self.options.priority,
                hidden=self.internal,
                total=total,
                **place,
            )
            observers.starting(task)
            store(task, kept.files)
        return task

    def unique_key(self, user: Model, arguments: dict[str, Value]) -> str | None:
        """What only one active task may have, of those with these arguments; None where many may be active."""
        if not (names := self.options.one_at_a_time):
            return None
        known = {parameter.name: parameter for parameter in self.parameters}
        chosen = [known[name].dump(arguments[name], NOWHERE) for name in names] if isinstance(names, tuple) else []
        # A digest, because arguments may be longer than a key.
        digest = hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:32] if chosen else ""
        return f"{self.name}:{owner_id(user)}:{digest}"
