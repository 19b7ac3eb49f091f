"""Make somebody's profile picture of what they have uploaded. Nothing else ever opens that file."""

from peewee import fn

from tasks.engine import Run, sweep_hook, user_task
from tasks.engine.models.state import ACTIVE
from tasks.lib.mail_once import line_up
from tasks.lib.pictures import Refused
from tasks.lib.profile_pictures import squares
from webapp.lib.phrases import phrase
from webapp.models import PictureUpload, Task, User
from webapp.models.picture import LARGE, SMALL

TITLE = phrase("prepare_picture.title", "Prepare a profile picture")
BEFORE_PEOPLE = 1  # somebody sits and looks at an empty circle
LONGEST = 60.0  # seconds


@sweep_hook
def line_up_pictures(at_once: int) -> None:
    """Start a task for each person whose picture is to be prepared, and has none."""
    under_way = Task.user == User.id, Task.name == prepare_picture.name, Task.state.in_(ACTIVE)
    waiting = PictureUpload.waiting(at_once).where(~fn.EXISTS(Task.select(Task.id).where(*under_way)))
    line_up(prepare_picture, list(waiting))


@user_task(title=TITLE, one_at_a_time=True, internal=True, priority=BEFORE_PEOPLE, timeout=LONGEST)
def prepare_picture(task: Run) -> None:
    """Make the picture, and another one if they have uploaded that meanwhile."""
    while upload := PictureUpload.begin(task.user):
        task.checkpoint()  # a run that has lost its task makes none
        try:
            large, small = squares(bytes(upload.data or b""), (LARGE, SMALL))
        except Refused as error:
            upload.refuse(error.reason)
        else:
            upload.become(large, small)
