"""TaskRow: the columns of a task, and what can be read from them."""

from typing import TYPE_CHECKING, Self
from uuid import UUID, uuid4

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    Node,
    TextField,
    UUIDField,
)
from playhouse.fields import EnumField

from tasks.engine.models.composition import Composition
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.owner import OwnerKey
from tasks.engine.models.state import FINISHED, ON_RELEASE, UNSUCCESSFUL, State
from tasks.engine.models.words import TaskWords
from webapp.db import BaseModel
from webapp.db.traits import Trait, hide_references
from webapp.lib.times import utcnow

_ZERO: list[Node] = [SQL("DEFAULT 0")]  # in the database, too: a release from before the column does not name it


class TaskRow(TaskWords, BaseModel):
    """A row of `tasks`. What changes it are the traits of `Task`, and the functions that these share."""

    id = UUIDField(primary_key=True, default=uuid4)
    user = OwnerKey(on_delete="CASCADE")
    user_id: int
    parent = ForeignKeyField(
        "self", null=True, on_delete="CASCADE", index=False, help_text="the workflow of which it is a child"
    )
    parent_id: UUID | None
    root = ForeignKeyField("self", null=True, on_delete="CASCADE", help_text="the workflow at the top")
    root_id: UUID | None
    composition: "Field[Composition]" = EnumField(
        Composition, column_name="kind", max_length=8, default=Composition.SINGLE, constraints=[SQL("DEFAULT 'single'")]
    )
    step = IntegerField(
        default=0, constraints=_ZERO, help_text="children of one step run side by side, after those of the step before"
    )
    name = CharField(max_length=60, help_text="the task function; empty for a workflow")
    title = CharField(max_length=200, help_text="what people read")
    title_phrase = JSONField(null=True, help_text="the title as a phrase, unless an author wrote it")
    hidden = BooleanField(
        column_name="quiet",
        default=False,
        constraints=[SQL("DEFAULT FALSE")],
        help_text="an internal task, or one that is being deleted: its owner sees nothing of it",
    )
    arguments = JSONField(default=dict)
    state: "Field[State]" = EnumField(State, max_length=16, default=State.PENDING)
    stage = CharField(max_length=200, default="", help_text="what it is doing now, in words")
    stage_phrase = JSONField(null=True, help_text="the stage as a phrase, unless an author wrote it")
    done = IntegerField(default=0)
    total = IntegerField(null=True, help_text="null while unknown")
    expected = IntegerField(null=True, help_text="the total at its start; null if unknown then")
    share = FloatField(null=True, help_text="of a workflow: the share that is done, from 0 to 1; it never goes back")
    cursor = JSONField(null=True, help_text="where the next run continues; null for the beginning")
    result = JSONField(null=True, help_text="what its function returned")
    error = TextField(default="", help_text="what went wrong, in words for people")
    error_phrase = JSONField(null=True, help_text="the error as a phrase, unless an author wrote it")
    fingerprint = CharField(max_length=16, null=True, help_text="of the cause by which it, or its last attempt, failed")
    attempts = IntegerField(default=0, help_text="interruptions and pauses are not counted")
    retries = IntegerField(default=0, constraints=_ZERO, help_text="attempts allowed after the first")
    rescues = IntegerField(default=0, constraints=_ZERO, help_text="runs that crashed or were interrupted")
    crashes = IntegerField(
        column_name="deaths", default=0, constraints=_ZERO, help_text="crashes since its last progress"
    )
    interruptions = IntegerField(
        default=0, constraints=_ZERO, help_text="runs that the database ended since its last progress"
    )
    priority = IntegerField(default=0, constraints=_ZERO, help_text="higher goes first")
    queue_key = BigIntegerField(
        column_name="turn", null=True, help_text="its place in the fair queue; smaller goes first"
    )
    fencing_token = CharField(
        column_name="owner", max_length=32, null=True, help_text="of the run that holds its lease"
    )
    lease_until = DateTimeField(null=True, help_text="when the lease ends, unless the run renews it")
    worker = CharField(max_length=32, null=True, help_text="the token of the worker whose run has it, or had it last")
    queue_group = IntegerField(null=True, help_text="with whom its owner shares turns; null if with nobody")
    unique_key = CharField(max_length=120, null=True, help_text="only one active task may have it")
    active_unique_key = CharField(
        column_name="held_key",
        max_length=120,
        null=True,
        unique=True,
        help_text="the unique key, while the task is active",
    )
    run_at = DateTimeField(null=True, help_text="when to start or retry it, if not put off; canceled: was to start")
    created_at = DateTimeField(default=utcnow)
    ready_at = DateTimeField(
        null=True, help_text="when it last became pending, which a claim leaves; null if it never was"
    )
    started_at = DateTimeField(null=True, help_text="when the current run began")
    updated_at = DateTimeField(default=utcnow, help_text="when it last changed state or made progress")
    run_seconds = FloatField(
        column_name="worked",
        default=0,
        constraints=_ZERO,
        help_text="seconds that all runs before the current one took",
    )
    finished_at = DateTimeField(null=True)
    dismissed_at = DateTimeField(null=True, help_text="when its owner closed its alert")
    undo_began_at = DateTimeField(null=True, help_text="when its undo began")
    undone_at = DateTimeField(null=True, help_text="when its undo ended")
    moves = IntegerField(
        default=0,
        constraints=_ZERO,
        help_text="counts what changed otherwise than by the progress of a run: its states, its time, its title, …",
    )

    request_id = CharField(
        max_length=128, null=True, help_text="of the request that started it, as logs have it; null if none did"
    )

    class Meta:
        table_name = "tasks"
        indexes = (
            (("state", "queue_key"), False),  # the fair queue, and what workers hold
            (("hidden", "finished_at"), False),  # what is old
        )

    def __str__(self) -> str:
        return self.title_words()

    @property
    def is_workflow(self) -> bool:
        """Whether its work is that of its children."""
        return self.composition != Composition.SINGLE

    @property
    def is_scheduled(self) -> bool:
        """Whether its time has not come yet, so that it can still be changed."""
        return self.state == State.SCHEDULED

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in FINISHED

    @property
    def is_unsuccessful(self) -> bool:
        """Whether it ended otherwise than its owner wanted when they started it."""
        return self.state in UNSUCCESSFUL

    @property
    def is_stopping(self) -> bool:
        """Whether it pauses or is canceled as soon as its run reaches its next step."""
        return self.state in ON_RELEASE

    @property
    def party(self) -> int:
        """Who takes turns for it in the fair queue: a group below 0, or its owner."""
        return self.user_id if self.queue_group is None else self.queue_group

    @property
    def is_shown(self) -> bool:
        """Whether its owner sees it on its own: it is neither hidden nor a child."""
        return not self.hidden and self.parent_id is None

    def children(self) -> "ModelSelect[Self]":
        """The tasks that it is made of, in order. One query; a task that is no workflow has none."""
        model = type(self)
        return model.select().where(model.parent == self.id).order_by(model.step, model.created_at, model.id)

    def timeline(self) -> "ModelSelect[TaskEvent]":
        """What happened to it, oldest first."""
        return TaskEvent.select().where(TaskEvent.task == self.id).order_by(TaskEvent.id)

    def fresh(self) -> Self:
        """The row as it is now, as another object: this one keeps its fencing token, which is worth nothing by then."""
        return type(self).get_by_id(self.id)

    def reload(self) -> Self:
        """Read the row again, in place. Not for a run's own row: it would get another run's fencing token."""
        self.__data__.update(self.fresh().__data__)
        return self


hide_references(TaskRow)

if TYPE_CHECKING:
    TaskTrait = TaskRow
else:
    TaskTrait = Trait
