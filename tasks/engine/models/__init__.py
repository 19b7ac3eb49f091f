"""What the engine stores: tasks, what belongs to them, and who works on them.

A task is made of traits; `task` lists them. From the bottom: `state` (the table of states and transitions), `row` (the
columns), `action_table` (what owners may ask for), `phrases`, `locks`, `observers`, `signals`, `column_changes`,
`unique_key`, `transitions`, `workflow`; then what owners, runs and the sweeper do (`owner_actions`, `undoing`, `claim`,
`progress`, `outcome`, `sweeping`), and `task` itself. Around it are what belongs to a task (`event`, `artifact`), what
changes many (`bulk`, `removal`), and the processes that work (`worker`, `leader`). What operators decide of all tasks
of a kind is in `kind_control`.

The people whose tasks these are have a model that the app names with `owned_by`.
"""

from tasks.engine.models.artifact import Artifact, ArtifactChunk
from tasks.engine.models.artifact_writer import ArtifactWriter
from tasks.engine.models.composition import Composition
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.leader import Leader
from tasks.engine.models.owner import owned_by
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition
from tasks.engine.models.unique_key import AlreadyRunning
from tasks.engine.models.worker import Worker

MODELS = (Task, TaskEvent, Artifact, ArtifactChunk, Leader, Worker, KindControl)

__all__ = [
    "MODELS",
    "AlreadyRunning",
    "Artifact",
    "ArtifactChunk",
    "ArtifactWriter",
    "Composition",
    "IllegalTransition",
    "KindControl",
    "Leader",
    "State",
    "Task",
    "TaskEvent",
    "Worker",
    "owned_by",
]
