"""What Errand remembers. One noun a file; this page lists them in the order in which they depend on each other."""

from webapp.models.artifact import Artifact, ArtifactChunk, ArtifactWriter
from webapp.models.notification import Notification
from webapp.models.post import Post
from webapp.models.task import AlreadyRunning, IllegalMove, State, Task, TaskEvent
from webapp.models.user import User, UsernameTaken

MODELS = (User, Post, Task, TaskEvent, Notification, Artifact, ArtifactChunk)

__all__ = [
    "MODELS",
    "AlreadyRunning",
    "Artifact",
    "ArtifactChunk",
    "ArtifactWriter",
    "IllegalMove",
    "Notification",
    "Post",
    "State",
    "Task",
    "TaskEvent",
    "User",
    "UsernameTaken",
]
