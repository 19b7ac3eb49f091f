"""What people read of a task: its owner as ever, others by its owner's name."""

import pytest

from tasks.engine import chain, executor, group
from tasks.engine.config import config
from tasks.engine.models import phrases
from tests.webapp.models.everything import row
from webapp.dev.factories import make_task, make_user
from webapp.lib.phrases import WORDINGS, Phrase, phrase
from webapp.models import State, Task, TaskEvent
from webapp.models.restore import cancel_all

CHECKING = phrase("test_words.checking", "Checking your {number} posts", others="Checking {number} posts of {owner}")


def _ours_without_phrase() -> list[str]:
    """What the engine has written into timelines and errors as a text alone."""
    ours = [event.text for event in TaskEvent.select().where(TaskEvent.phrase.is_null())]
    return ours + [task.error for task in Task.select().where(Task.error != "", Task.error_phrase.is_null())]


@pytest.mark.parametrize("action", ["cancel", "pause"])
@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS])
def test_what_its_owner_did_is_said_to_others_by_their_name(app, state, action):
    task = make_task(state)
    getattr(task, action)()
    line = list(task.timeline())[-1]
    assert line.words() == line.text
    assert " by you" in line.words()
    assert line.words(owner="ann") == line.text.replace("you", "ann")


def test_the_phrases_of_its_owner_all_have_words_for_others():
    wordings = [wording for wording in WORDINGS.values() if wording.id.startswith("task.")]
    by_owner = [wording for wording in wordings if "you" in wording.owner.split() or "you;" in wording.owner.split()]
    assert len(by_owner) > 8
    assert all("{owner}" in wording.others and "you" not in wording.others.split() for wording in by_owner)


def test_what_a_run_says_is_read_by_whoever_reads_it(app):
    task = make_task(State.IN_PROGRESS)
    assert task.advance(1, 2, CHECKING(number=3))
    assert row(task).stage_words() == row(task).stage == "Checking your 3 posts"
    assert row(task).stage_words(owner="ann") == "Checking 3 posts of ann"
    task.rename(CHECKING(number=4))
    assert (str(row(task)), row(task).title_words(owner="ann")) == ("Checking your 4 posts", "Checking 4 posts of ann")
    task.fail(CHECKING(number=5))
    assert (
        row(task).error_words(owner="ann") == list(task.timeline())[-1].words(owner="ann") == "Checking 5 posts of ann"
    )
    assert row(task).stage_words() == ""


def test_what_the_release_before_has_written_is_shown_though_a_phrase_is_left_beside_it(app):
    task = make_task(State.IN_PROGRESS)
    task.fail(phrases.UNEXPECTED())
    Task.update(error="Row 3 is broken.", title="Named anew").where(Task.id == task.id).execute()
    assert (row(task).error_words(), str(row(task))) == ("Row 3 is broken.", "Named anew")
    Task.update(error="").where(Task.id == task.id).execute()
    assert row(task).error_words() == ""


def test_what_went_wrong_takes_no_more_room_than_people_read(app):
    task, whole = make_task(State.IN_PROGRESS), make_task(State.IN_PROGRESS)
    task.fail("x" * 1_000_000)
    whole.fail(phrase("test_words.wrong", "Wrong: {what}")(what="x" * 1_000_000))
    assert {len(row(each).error) for each in (task, whole)} == {4000}
    assert row(whole).error_phrase is None


def test_a_workflow_says_the_phrase_of_its_part_and_of_what_failed(declare, each_database):
    @declare(title=phrase("test_words.part", "Part {number}"), retries=1)
    def part(task, number: int):
        pass

    parent = chain(group(part.s(number=1), part.s(number=2)), part.s(number=3)).launch(make_user())
    assert parent.title_words() == "Part 1, Part 2, then Part 3"
    assert isinstance(parent.fresh().own_title, Phrase)
    one, other = Task.claim(config().lease), Task.claim(config().lease)
    one.advance(1, 2, CHECKING(number=3))
    other.advance(1, 2, "Packing")
    other.succeed()
    assert parent.fresh().stage_words(owner="ann") == "Checking 3 posts of ann"
    one.fail(phrases.UNEXPECTED())
    assert parent.fresh().error_words() == (
        "1 of 2 parts failed. Part 1, Part 2: 1 of 2 parts failed. Part 1: " + phrases.UNEXPECTED().words()
    )
    assert _ours_without_phrase() == []


def test_every_line_and_error_of_the_engines_own_is_a_phrase(app, declare, run_tasks):
    """What no table of verbs goes through: workflows, retries, schedules, unknown functions, and a restore."""

    @declare(title="Fail", retries=1)
    def fail(task):
        raise OSError

    user = make_user()
    parent = chain(fail.s(), fail.s(), group(fail.s(), fail.s())).launch(user)
    for _ in range(2):
        assert executor.execute_next()
        Task.update(run_at=Task.created_at).where(Task.state == State.RETRYING).execute()
        for task in Task.due(9):
            task.enqueue()
    assert parent.fresh().state == State.FAILED
    parent.fresh().retry()
    Task.start(user, "nobody knows it", phrases.CHAIN(titles=["x"]), {}).begin()
    run_tasks()
    cancel_all()
    assert TaskEvent.select().count() > 20
    assert _ours_without_phrase() == []
