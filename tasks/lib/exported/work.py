"""What a person gets of their tasks: what happened to each, what it was given and what it made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from peewee import Model, ModelSelect

from tasks.engine.models.artifact import Kind
from tasks.engine.models.sealed import is_sealed
from tasks.lib.exported.reasons import AS_WORDS, INNER, YOURS
from tasks.lib.exported.row import Column, Content, Excused, Exported, Inside, Row
from webapp.lib.filenames import safe_name
from webapp.lib.json_types import Json
from webapp.models import Artifact, ArtifactChunk, ForceEnd, Task, TaskEvent, User

EXPORT_NAME = "export_account"  # the task function whose files are in no export
HIDDEN = "[left out, since it is secret]"


def _tasks(user: User) -> "Sequence[ModelSelect[Any]]":
    """Those of their list, by its index; then the parts of them."""
    theirs = Task.select(Task.id, Task.created_at).where(Task.user == user.id, ~Task.hidden)
    theirs = theirs.order_by(Task.created_at, Task.id)
    return [theirs.where(Task.parent.is_null()), theirs.where(Task.parent.is_null(False))]


def _artifacts(user: User) -> "ModelSelect[Artifact]":
    made = Artifact.select().join(Task).where(Task.user == user.id, ~Task.hidden, Task.name != EXPORT_NAME)
    return made.where(Artifact.completed_at.is_null(False)).order_by(Artifact.id)


def _path(artifact: Artifact) -> str:
    ending = ".txt" if artifact.kind in (Kind.LINK, Kind.TEXT) and not artifact.name.endswith(".txt") else ""
    return f"files/tasks/{artifact.task_id}/{artifact.id.hex[:12]}/{safe_name(artifact.name + ending)}"


def _pieces(artifact: Artifact, first: int) -> Iterator[bytes]:
    return artifact.chunks(first)


def _arguments(task: Task) -> dict[str, Json]:
    """What it was started with, but for its secrets."""
    return {name: HIDDEN if is_sealed(value) else value for name, value in (task.arguments or {}).items()}


ROWS: Mapping[type[Model], Row] = {
    Task: Exported(
        file="tasks.json",
        title="your tasks",
        words="Oldest first; parts of larger tasks come last.",
        of=_tasks,
        columns={
            "id": Column("the id of the task, which is also in its address"),
            "user": YOURS,
            "parent": Column("the id of the task of which it is a part"),
            "root": INNER,
            "composition": Column("single, or how its parts are put together: chain, group or chord"),
            "step": INNER,
            "name": Column("the kind of task"),
            "title": Column("what it is called", value=lambda task: task.title_words()),
            "title_phrase": AS_WORDS,
            "hidden": Excused("Tasks that you don't see are the site's own work, such as sending you an email."),
            "arguments": Column("what you started it with, without secrets", value=_arguments),
            "state": Column("what has become of it"),
            "stage": Column("what it was last doing", value=lambda task: task.stage_words()),
            "stage_phrase": AS_WORDS,
            "done": Column("how many steps are done"),
            "total": Column("how many steps there are; null if unknown"),
            "expected": INNER,
            "share": INNER,
            "cursor": INNER,
            "result": Column("what it gave back"),
            "error": Column("what went wrong", value=lambda task: task.error_words()),
            "error_phrase": AS_WORDS,
            "attempts": Column("how often it was tried"),
            "retries": Column("how often it may be tried again"),
            "rescues": Column("how often a run of it was lost, and another took over"),
            "crashes": INNER,
            "interruptions": INNER,
            "priority": INNER,
            "queue_key": INNER,
            "queue_group": INNER,
            "fencing_token": INNER,
            "lease_until": INNER,
            "worker": INNER,
            "fingerprint": INNER,
            "unique_key": INNER,
            "active_unique_key": INNER,
            "run_at": Column("when it is or was to start"),
            "created_at": Column("when you started or scheduled it"),
            "ready_at": Column("when it last began to wait for a worker"),
            "started_at": Column("when its latest run began"),
            "updated_at": Column("when it last changed or got further"),
            "run_seconds": Column("how many seconds its runs took, without the latest"),
            "finished_at": Column("when it ended"),
            "dismissed_at": Column("when you closed its alert"),
            "undo_began_at": Column("when undoing it began"),
            "undone_at": Column("when it was undone"),
            "moves": INNER,
            "request_id": INNER,
        },
    ),
    TaskEvent: Inside(
        parent=Task,
        name="timeline",
        words="what happened to it, oldest first",
        of=lambda task: TaskEvent.select().where(TaskEvent.task == task.id),
        columns={
            "id": INNER,
            "task": Excused("It is the task in which it stands."),
            "at": Column("when it happened"),
            "kind": Column("what happened, for programs"),
            "text": Column("the same in words", value=lambda event: event.words()),
            "phrase": AS_WORDS,
            "link": Column("the id of another task that it tells of"),
        },
    ),
    ForceEnd: Excused("That a task is to end at once: its timeline says so."),
    Artifact: Exported(
        file="artifacts.json",
        title="the list of your files",
        words="What you gave to tasks and what they made, but for exports like this one.",
        of=lambda user: [_artifacts(user)],
        columns={
            "id": Column("the id of the file, which is also in its address"),
            "task": Column("the id of its task"),
            "kind": Column("upload: what you gave; file, link or text: what the task made"),
            "name": Column("its name"),
            "content_type": Column("the type of its content"),
            "size": Column("its size in bytes"),
            "number": INNER,
            "created_at": Column("when it was begun"),
            "completed_at": Column("when it was complete"),
            "expires_at": Column("when it will be deleted; null if its time isn't limited or it's gone"),
            "expired_at": Column("when it was deleted"),
            "deleted_at": Column("when you deleted it; null if you didn't"),
            "owner_id": YOURS,
        },
        more={
            "path": Column(
                "where it is in this ZIP file; null if it was deleted",
                value=lambda artifact: None if artifact.expired_at else _path(artifact),
            ),
        },
        content=Content(
            of=lambda user: _artifacts(user).where(Artifact.expired_at.is_null()),
            path=_path,
            pieces=_pieces,
            size=Artifact.size,
        ),
    ),
    ArtifactChunk: Excused("The bytes of your files: they are under files/, put together."),
}
