"""What a suspended account has under way stops, whoever is killed meanwhile, and goes on afterwards; nothing twice."""

import pytest

from tests.guarantees.sites import assert_stamped_once, is_under_way, process_of, state_of
from tests.guarantees.worker import stamp
from tests.processes import until
from webapp.models import HeldTask, State, Suspension

ON_EACH_DATABASE = pytest.mark.parametrize("shared_site", ["sqlite", "postgres"], indirect=True)


@ON_EACH_DATABASE
def test_a_running_task_is_held_and_goes_on_though_web_and_worker_are_killed(site, user):
    site.worker()
    task = stamp.launch(user, steps=60, pause=0.05)
    until(lambda: is_under_way(task))
    Suspension.begin(user, "Sends spam.")  # and who pressed the button is killed before it goes on
    until(lambda: state_of(task) == State.PAUSED)
    until(lambda: HeldTask.select().where(HeldTask.task == task.id).exists())
    Suspension.lift(user)
    until(lambda: is_under_way(task))
    process_of(task).kill()
    until(lambda: state_of(task) == State.SUCCEEDED)
    assert_stamped_once(task)
    until(lambda: not Suspension.select().where(Suspension.user == user.id).exists())
