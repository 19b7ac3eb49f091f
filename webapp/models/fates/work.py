"""What becomes of somebody's tasks and their files, and of the numbers that all of their rows are counted in."""

from webapp.models import Artifact, ArtifactChunk, ChangeCount, ForceEnd, StorageCount, Task, TaskEvent
from webapp.models.fates.fate import GONE, Fate, Fates, of

ROWS: Fates = {
    Task: Fate("hidden from everybody, then deleted as what is old is, see `tasks.engine.retention`"),
    TaskEvent: Fate("deleted with its task"),
    ForceEnd: Fate("deleted with its task"),
    Artifact: Fate("deleted with its task"),
    ArtifactChunk: Fate("deleted with its artifact"),
    StorageCount: Fate(GONE, of(StorageCount.user)),
    ChangeCount: Fate(GONE, of(ChangeCount.user)),
}
