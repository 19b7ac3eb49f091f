"""Workflows as programs write them: a tree of kinds becomes a workflow, and each mistake is told where it stands."""

from typing import Annotated

import pytest
from annotated_types import Le

from tasks.engine import Upload
from tasks.engine.workflow_tree import DEEPEST, MOST, InvalidWorkflow, read_workflow
from webapp.dev.factories import make_user
from webapp.lib.quota_variables import Quota
from webapp.models import OverQuota, State, Task


@pytest.fixture
def kinds(declare) -> dict:
    @declare(title="Wait {seconds}")
    def wait(task, seconds: Annotated[int, Le(9)] = 1):
        """Wait."""
        task.log(f"{seconds}")

    @declare(title="Once", one_at_a_time=True)
    def once(task):
        """Do it once at a time."""

    @declare(title="Read")
    def read(task, file: Upload):
        """Read a file."""

    @declare(title="Hidden", listed=False)
    def unlisted(task):
        """Nobody starts this alone."""

    return {each.name: each for each in (wait, once, read, unlisted)}


@pytest.fixture
def user(app):
    return make_user()


def errors_of(tree: object, kinds: dict, user: object) -> dict[str, str]:
    with pytest.raises(InvalidWorkflow) as refused:
        read_workflow(tree, kinds, user)
    return refused.value.errors


def wait(seconds: object = 1) -> dict:
    return {"kind": "wait", "arguments": {"seconds": seconds}}


def test_a_tree_runs_as_the_workflow_that_it_says(kinds, user, run_tasks):
    both = {"group": [wait(2), {"kind": "once"}], "title": "Both"}
    tree = {"chain": [wait(1), both, {"chord": {"header": [wait(3)], "body": wait(4)}}]}
    read = read_workflow(tree, kinds, user)
    assert [leaf.pointer for leaf in read.leaves] == [
        "/chain/0",
        "/chain/1/group/0",
        "/chain/1/group/1",
        "/chain/2/chord/header/0",
        "/chain/2/chord/body",
    ]
    workflow = read.signature.launch(user)
    assert [str(child) for child in workflow.children()] == ["Wait 1", "Both", "Wait 3, then Wait 4"]
    run_tasks()
    assert {task.state for task in Task.select()} == {State.SUCCEEDED}
    assert Task.select().count() == 8


def test_a_tree_of_one_task_is_that_task(kinds, user):
    assert read_workflow(wait(5), kinds, user).signature.launch(user).name == "wait"


NO_SUCH_KIND = "There is no such kind of task. Use one of once, read, wait."


@pytest.mark.parametrize(
    ("tree", "errors"),
    [
        (None, {"": "Write an object."}),
        ([], {"": "Write an object."}),
        ({}, {"": "Write one of kind, chain, group or chord."}),
        ({"chain": [wait()], "group": [wait()]}, {"": "Write one of kind, chain, group or chord."}),
        ({"chain": []}, {"/chain": "Write a list of at least one."}),
        ({"chain": {}}, {"/chain": "Write a list of at least one."}),
        ({"chord": {"header": [wait()]}}, {"/chord": "Write an object with header and body."}),
        ({"chain": [wait()], "a/b": 1}, {"/a~1b": "There is no such member."}),
        ({"kind": "wait", "title": "Mine"}, {"/title": "There is no such member."}),
        ({"chain": [wait()], "title": ""}, {"/title": "Write a text of 1 to 200 characters."}),
        ({"chain": [wait()], "title": None}, {"/title": "Write a text of 1 to 200 characters."}),
        ({"chain": [wait()], "title": "\ud800"}, {"/title": "Write a text of 1 to 200 characters."}),
        (
            {"chain": [{"kind": "unlisted"}]},
            {"/chain/0/kind": NO_SUCH_KIND},
        ),
        (
            {"chain": [{"kind": ["wait"]}]},
            {"/chain/0/kind": NO_SUCH_KIND},
        ),
        ({"chain": [{"kind": "wait", "arguments": []}]}, {"/chain/0/arguments": "Write an object."}),
        ({"chain": [{"kind": "read"}]}, {"/chain/0/arguments/file": "This field is required."}),
        (
            {"chain": [wait(10), {"group": [wait("x"), wait(1), 5]}]},
            {
                "/chain/0/arguments/seconds": "Enter a number of at most 9.",
                "/chain/1/group/0/arguments/seconds": "Enter a whole number.",
                "/chain/1/group/2": "Write an object.",
            },
        ),
        (
            {"chain": [{"kind": "once"}, {"group": [{"kind": "once"}]}]},
            {"/chain/1/group/0": "You can have one of these at a time, and there is another in here."},
        ),
    ],
)
def test_each_mistake_is_told_where_it_stands(kinds, user, tree, errors):
    assert errors_of(tree, kinds, user) == errors
    assert not Task.select().exists()


def test_a_tree_has_an_end_in_depth_and_in_number(kinds, user):
    deep = wait()
    for _ in range(DEEPEST):
        deep = {"group": [deep]}
    assert read_workflow(deep, kinds, user).leaves
    assert errors_of({"group": [deep]}, kinds, user) == {"/group/0" * DEEPEST: "A workflow can have 5 levels."}
    assert len(read_workflow({"group": [wait()] * MOST}, kinds, user).leaves) == MOST
    assert errors_of({"group": [wait()] * 10_000}, kinds, user) == {"": "A workflow can have 100 tasks."}
    assert len(errors_of({"group": [5] * 100_000}, kinds, user)) == 100


def test_each_child_counts_by_the_quota_of_active_tasks(kinds, user, allow, run_tasks):
    allow(Quota.ACTIVE_TASKS, 3)
    tree = {"chain": [wait(), {"group": [wait(), wait()]}]}
    read_workflow(tree, kinds, user).signature.launch(user)
    with pytest.raises(OverQuota):
        kinds["wait"].launch(user)
    run_tasks()
    with pytest.raises(OverQuota):
        read_workflow({"group": [tree, wait()]}, kinds, user).signature.launch(user)
    assert Task.select().count() == 5, "of the second nothing is left"
    kinds["wait"].launch(user)


def test_each_child_is_a_start_and_a_workflow_that_is_larger_takes_all_of_them(kinds, user, allow):
    allow(Quota.LAUNCHES, 3)
    read_workflow({"group": [wait(), wait()]}, kinds, user).signature.launch(user)
    kinds["wait"].launch(user)
    with pytest.raises(OverQuota):
        kinds["wait"].launch(user)
    larger = make_user()
    read_workflow({"group": [wait()] * 5}, kinds, larger).signature.launch(larger)
    with pytest.raises(OverQuota):
        kinds["wait"].launch(larger)
