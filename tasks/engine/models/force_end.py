"""ForceEnd: that a task is to end whatever its run does, as an operator asks for where a step never ends."""

from uuid import UUID

from peewee import AutoField, BooleanField, CharField, DateTimeField, DeferredForeignKey

from tasks.engine.models import phrases
from tasks.engine.models.actor import LONGEST_REASON
from webapp.db import BaseModel
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow


class ForceEnd(BaseModel):
    """One request, about one run. A sweeper deletes it once that has ended.

    A row of its own: to write it takes no lock that a run could hold.
    """

    id = AutoField()
    task = DeferredForeignKey("Task", unique=True, on_delete="CASCADE", backref="+")
    task_id: UUID
    fencing_token = CharField(max_length=32, help_text="of the run that is to end")
    reason = CharField(max_length=LONGEST_REASON, default="", help_text="why, as its owner reads it")
    is_told = BooleanField(default=False, help_text="whether its task is in the state that this brings about")
    asked_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "force_ends"

    def words(self) -> Phrase:
        """What the timeline says of it."""
        return phrases.FORCED_BECAUSE(reason=self.reason) if self.reason else phrases.FORCED()
