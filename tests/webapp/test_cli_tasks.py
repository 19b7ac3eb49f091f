"""`flask tasks`: everybody's tasks on the command line."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, State, Task
from webapp.models.audit import Audited, Outcome, Via


@pytest.fixture
def flask(app):
    """`flask(*words)`: the exit code and output of a command."""

    def run(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["tasks", *words])
        return result.exit_code, result.output

    return run


@pytest.fixture
def failed(app) -> list[Task]:
    """Two tasks of Ann's that have failed by one cause, and one of Bob's by another."""
    ann, bob = make_user("ann"), make_user("bob")
    causes = (ann, "one"), (ann, "one"), (bob, "two")
    return [make_task(State.FAILED, owner, fingerprint=cause, name="export_posts") for owner, cause in causes]


def test_tasks_are_listed_by_the_filter_as_lines(flask, failed):
    make_task(State.PENDING)
    code, output = flask("list", "--state", "failed", "--kind", "export_posts", "--owner", "ann", "--failure", "one")
    assert code == 0
    assert [line.split()[:4] for line in output.splitlines()] == [
        [str(task.id), "failed", "export_posts", "ann"] for task in reversed(failed[:2])
    ]
    assert len(flask("list", "--limit", "2")[1].splitlines()) == 2


def test_tasks_are_listed_as_json(flask, failed):
    documents = [json.loads(line) for line in flask("list", "--json", "--failure", "two")[1].splitlines()]
    assert [(each["id"], each["owner"], each["failure"]) for each in documents] == [(str(failed[2].id), "bob", "two")]


def test_no_control_character_of_a_title_reaches_the_terminal(flask):
    make_task(title="\x1b[31mred\nnew line")
    output = flask("list")[1]
    assert len(output.splitlines()) == 1
    assert "\x1b" not in output


@pytest.mark.parametrize(
    "words", ["--owner nobody", "--state asleep", "--created-after x", "--argument a;b=1", "--argument a", "--limit 0"]
)
def test_options_that_make_no_sense_end_the_command(flask, words):
    assert flask("list", *words.split())[0] == 2


def test_a_task_is_shown_with_its_timeline_and_without_its_arguments(flask):
    task = make_task(State.FAILED, make_user("ann"), arguments={"file": "diary"}, error="It broke.")
    code, output = flask("show", str(task.id))
    assert (code, "It broke." in output, "diary" in output) == (0, True, False)
    assert "Started by you" in output or "Started by ann" in output
    shown = json.loads(flask("show", str(task.id), "--json")[1])
    assert (shown["arguments"], shown["events"][0]["type"]) == (["file"], "launched")
    assert flask("show", "00000000-0000-0000-0000-000000000000")[0] == 1


ONE, OTHER = UUID("01234567-89ab-4def-8123-456789abcdef"), UUID("01234567-99ab-4def-8123-456789abcdef")


@pytest.mark.parametrize("name", ["012345678", "01234567-8", " 01234567-89AB", str(ONE), ONE.hex, str(ONE).upper()])
def test_the_beginning_of_an_id_will_do_where_only_one_task_has_it(flask, name):
    make_task(State.FAILED, id=ONE)
    make_task(State.FAILED, id=OTHER)
    code, output = flask("show", name, "--json")
    assert (code, json.loads(output)["id"]) == (0, str(ONE))
    assert flask("retry", name, str(ONE), "--reason", "Again.") == (0, "Retried 1 task.\n")
    assert Task.get_by_id(OTHER).state == State.FAILED


@pytest.mark.parametrize("others", [2, 20])
def test_where_several_ids_begin_so_they_are_named_up_to_five_and_nothing_is_done(flask, queries, others):
    tasks = [make_task(State.PENDING, id=UUID(f"abcdef01-{n:04x}-4def-8123-456789abcdef")) for n in range(others)]
    named = ", ".join(str(task.id) for task in tasks[:5])
    words = f"Error: several tasks begin with abcdef01: {named}{' and more' if others > 5 else ''}"
    with queries() as asked:
        assert flask("show", "ABCDEF01") == (1, f"{words}\n")
    assert asked.count <= 1
    assert flask("cancel", str(tasks[0].id), "abcdef01", "--reason", "Stop.") == (1, f"{words}; nothing was done\n")
    assert {task.reload().state for task in tasks} == {State.PENDING}


@pytest.mark.parametrize("name", ["abcdef0", "abcdefgh", f"{ONE}0", "", "--", "abcdef0٣"])
def test_what_can_be_no_id_is_a_wrong_use(flask, name):
    assert [flask(verb, "--reason", "x", "--", name)[0] for verb in ("cancel", "retry")] == [2, 2]
    assert flask("show", "--", name)[0] == 2


def test_stats_say_what_waits_since_when_and_what_runs(flask):
    ready = utcnow().replace(microsecond=0) - timedelta(hours=1)
    make_task(State.PENDING, ready_at=ready)
    make_task(State.PENDING, ready_at=utcnow())
    make_task(State.IN_PROGRESS)
    make_task(State.IN_PROGRESS, name="", title="Both", composition="group")
    make_task(State.FAILED)
    kinds = [json.loads(line) for line in flask("stats", "--json")[1].splitlines()]
    assert kinds == [
        {"kind": "workflow", "waiting": 0, "oldest": None, "running": 1},
        {"kind": "countdown", "waiting": 2, "oldest": f"{ready.isoformat()}Z", "running": 1},
    ]
    assert f"countdown                   2 {ready.isoformat()}Z        1" in flask("stats")[1]


def test_what_options_choose_is_counted_first_and_done_with_yes(flask, failed):
    chosen = ("retry", "--failure", "one", "--reason", "The disk has room again.")
    assert flask(*chosen) == (0, "Retry 2 tasks: say --yes to do it.\n")
    assert {task.reload().state for task in failed} == {State.FAILED}
    assert AuditEntry.select().count() == 0
    assert flask(*chosen, "--yes") == (0, "Retried 2 tasks.\n")
    assert [task.reload().state for task in failed] == [State.PENDING, State.PENDING, State.FAILED]
    entries = list(AuditEntry.select())
    assert {entry.target for entry in entries} == {f"task {task.id}" for task in failed[:2]}
    for entry in entries:
        assert (entry.action, entry.via, entry.outcome) == (Audited.RETRY_TASK, Via.COMMAND, Outcome.DONE)
        assert (entry.reason, bool(entry.command_user), entry.actor_id) == ("The disk has room again.", True, None)
    assert "The disk has room again." in [*failed[0].timeline()][-1].words()


def test_what_is_refused_is_told_and_the_others_are_done(flask):
    waiting, over = make_task(State.PENDING), make_task(State.SUCCEEDED)
    code, output = flask("cancel", str(over.id), str(waiting.id), "--reason", "Stop.")
    assert (code, "Canceled 1 task." in output) == (3, True)
    assert f"{over.id} refused: it is finished" in output
    assert waiting.reload().state == State.CANCELED
    assert {entry.outcome for entry in AuditEntry.select()} == {Outcome.DONE, Outcome.REFUSED}


def test_a_task_that_is_not_there_stops_all(flask):
    task = make_task(State.PENDING)
    assert flask("cancel", str(task.id), "00000000-0000-0000-0000-000000000000", "--reason", "Stop.")[0] == 1
    assert task.reload().state == State.PENDING


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--reason", "x"),
        ("--reason", " ", "--owner", "ann"),
        ("--owner", "ann"),
        ("--reason", "x" * 301, "--rescued"),
    ],
)
def test_neither_all_tasks_nor_any_without_a_reason_are_canceled(flask, words):
    make_task(State.PENDING, make_user("ann"))
    assert flask("cancel", *words)[0] == 2
    assert Task.get().state == State.PENDING


def test_what_retry_would_start_for_the_first_time_is_left_alone(flask):
    make_task(State.CANCELED, started_at=None)
    code, output = flask("retry", "--state", "canceled", "--reason", "Again.", "--yes")
    assert (code, output) == (0, "Retried 0 tasks.\n")
