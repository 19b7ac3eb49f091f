"""Lists of tasks: what is in them, page by page, and what that costs."""

import random
import re
from datetime import timedelta
from itertools import count
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import pytest

from tasks.engine.models.composition import Composition
from tasks.engine.models.state import ACTIVE, FINISHED
from tests.task_plans import NOON, fill, plans
from tests.webapp.web.api.client import Program, pointers
from webapp.dev.factories import make_user
from webapp.models import State, Task
from webapp.models.permissions import Role
from webapp.models.scopes import Scope

DAY = timedelta(days=1)
numbers = count()


def make(owner, state=State.SUCCEEDED, **fields):
    """A task as a row alone; many of them are needed."""
    at = NOON + next(numbers) * timedelta(minutes=1)
    ended = {"finished_at": at + DAY} if state in FINISHED else {}
    defaults = {"name": "countdown", "title": "Count down", "created_at": at, "updated_at": at} | ended
    return Task.create(user=owner, state=state, **defaults | fields)


def ask(program, **query):
    answer = program.get(f"/tasks?{urlencode(query)}")
    assert answer.status_code == 200, answer.json
    return answer


def pages(program, path="/tasks", **query):
    """The items of each page from the first to the last, as `next` leads on."""
    found = []
    while True:
        answer = program.get(f"{path}?{urlencode(query)}")
        assert answer.status_code == 200, answer.json
        found.append(answer.json["items"])
        if answer.json["next"] is None:
            assert "Link" not in answer.headers
            return found
        query["cursor"] = answer.json["next"]


def ids(program, path="/tasks", **query):
    return [item["id"] for items in pages(program, path, **query) for item in items]


def names(tasks):
    return [str(task.id) for task in tasks]


@pytest.fixture
def operator(app):
    """A program of somebody who sees everybody's tasks."""
    user = make_user(role=Role.VIEWER, totp_secret="sealed")
    return Program(app, user, [Scope.TASKS_READ, Scope.DESK_READ])


# What is in it


def test_the_latest_come_first_without_others_tasks_children_and_internal_ones(anns):
    tasks = [make(anns.user) for _ in range(5)]
    make(make_user())
    make(anns.user, hidden=True)
    make(anns.user, parent=tasks[0], root=tasks[0])
    assert ids(anns, limit=2) == names(reversed(tasks))


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_what_comes_while_paging_is_neither_skipped_nor_repeated(anns, limit):
    tasks = [make(anns.user) for _ in range(7)]
    found, cursor = [], {}
    while True:
        answer = ask(anns, limit=limit, **cursor).json
        found += [item["id"] for item in answer["items"]]
        if not (following := answer["next"]):
            break
        make(anns.user)
        cursor = {"cursor": following}
    assert found == names(reversed(tasks))


def test_tasks_of_one_moment_are_all_there(anns):
    tasks = [make(anns.user, created_at=NOON) for _ in range(7)]
    assert sorted(ids(anns, limit=2)) == sorted(names(tasks))


def test_link_leads_to_the_next_page(anns):
    tasks = [make(anns.user, State.FAILED, title="50 % done") for _ in range(3)]
    answer = ask(anns, limit=2, q="50 %", state="failed")
    url, rel = re.fullmatch(r'<(.*)>; rel="(.*)"', answer.headers["Link"]).groups()
    assert rel == "next"
    assert [item["id"] for item in anns.get(url).json["items"]] == names(tasks[:1])


def test_states_are_named_one_by_one_or_as_groups(anns):
    by_state = {state: str(make(anns.user, state).id) for state in State}
    assert set(ids(anns, state="failed,canceled")) == {by_state[State.FAILED], by_state[State.CANCELED]}
    assert set(ids(anns, state="active", limit=2)) == {by_state[state] for state in ACTIVE}
    assert set(ids(anns, state="finished", limit=2)) == {by_state[state] for state in FINISHED}
    assert set(ids(anns, state="active,finished", limit=2)) == {*by_state.values()}


def test_a_kind_is_named_and_workflows_are_one(anns):
    make(anns.user)
    export = make(anns.user, name="export_posts")
    workflow = make(anns.user, name="", composition=Composition.GROUP, share=0.0)
    assert ids(anns, kind="export_posts") == names([export])
    assert ids(anns, kind="workflow") == names([workflow])
    assert ids(anns, kind="never_heard_of") == []


def test_times_are_half_open_so_that_spans_meet(anns):
    tasks = [make(anns.user) for _ in range(3)]
    at = tasks[1].created_at.isoformat() + "Z"
    assert ids(anns, created_before=at) == names(tasks[:1])
    assert ids(anns, created_after=at) == names(reversed(tasks[1:]))
    assert ids(anns, created_after="2026-01-01T00:00:00+05:00", created_before="2026-01-01T00:00:00Z") == []


def test_words_are_searched_as_they_are(anns):
    found = make(anns.user, title="Export 100% of_it")
    make(anns.user, title="Export 1000 of it")
    for words in ("100%", "of_it export", "EXPORT 100%"):
        assert ids(anns, q=words) == names([found])
    assert ids(anns, q="%") == ids(anns, q="_") == names([found])
    failed = make(anns.user, State.FAILED, error="The mail server refused")
    assert ids(anns, q="refused") == names([failed])


def test_children_are_found_by_their_parent(anns, bob, program_of):
    parent = make(anns.user, name="", composition=Composition.GROUP, share=0.0)
    children = [make(anns.user, state, parent=parent, root=parent) for state in (State.FAILED, State.SUCCEEDED)]
    assert ids(anns, parent=parent.id) == names(reversed(children))
    assert ids(anns, parent=parent.id, state="failed") == names(children[:1])
    assert program_of(make_user()).get(f"/tasks?parent={parent.id}").status_code == 404
    assert anns.get(f"/tasks?parent={uuid4()}").status_code == 404


def test_everybodys_tasks_are_for_a_role_with_a_scope(anns, operator, program_of):
    own, anns_task = make(operator.user), make(anns.user, State.FAILED, error="secret@example.com refused")
    assert ids(operator) == names([own])
    assert ids(operator, owner="all", limit=1) == names([anns_task, own])
    refused = anns.get("/tasks?owner=all")
    assert (refused.status_code, refused.json["type"]) == (403, "/developers/problems/forbidden")
    assert program_of(operator.user, Scope.TASKS_READ).get("/tasks?owner=all").status_code == 403
    found = ask(operator, owner="all", state="failed").json["items"]
    assert [item["owner"]["username"] for item in found] == ["ann"]
    assert "example.com" not in str(found)
    assert ids(operator, owner="all", q="refused") == [], "a viewer can guess at what went wrong"


# Any filter, held against the simplest thing that could be right


def _some_query(chance):
    def time():
        return (NOON + chance.randrange(-10, 90) * timedelta(minutes=1)).isoformat() + "Z"

    states = [*State, "active", "finished"]
    choices = {
        "state": lambda: ",".join(chance.sample(states, chance.choice([1, 1, 2, 4]))),
        "kind": lambda: chance.choice(["countdown", "export_posts", "workflow"]),
        "q": lambda: chance.choice(["a", "b", "a b", "refused"]),
        "created_after": time,
        "created_before": time,
    }
    return {name: choices[name]() for name in chance.sample(sorted(choices), chance.randrange(4))}


def _fits(task, query):
    states = {state for name in query.get("state", "active,finished").split(",") for state in _states(name)}
    kind = query.get("kind", task.name)
    at = task.created_at.isoformat() + "Z"
    return (
        task.state in states
        and task.name == ("" if kind == "workflow" else kind)
        and all(word in f"{task.title} {task.error}" for word in query.get("q", "").split())
        and query.get("created_after", at) <= at
        and (at < query["created_before"] if "created_before" in query else True)
    )


def _states(name):
    return {"active": ACTIVE, "finished": FINISHED}.get(name) or {State(name)}


@pytest.mark.parametrize("searched", [4, 1000])
def test_each_filter_finds_what_it_says_once(each_database, monkeypatch, searched):
    monkeypatch.setattr("webapp.models.task_list.MOST_SEARCHED", searched)
    chance, program = random.Random(7), Program(each_database, make_user("ann"))
    for _ in range(60):
        kind = chance.choice([{"name": "countdown"}, {"name": "export_posts"}, {"name": "", "share": 0.5}])
        title, error = chance.choice(["a", "b", "a b"]), chance.choice(["", "refused"])
        at = NOON + chance.randrange(80) * timedelta(minutes=1)
        state = chance.choice([*State])
        ended = {"finished_at": at + chance.randrange(80) * timedelta(minutes=1)} if state in FINISHED else {}
        make(program.user, state, title=title, error=error, created_at=at, **kind, **ended)
    make(make_user(), title="a b")
    tasks = list(Task.select().where(Task.user == program.user))
    for _ in range(40):
        query = _some_query(chance)
        found = ids(program, limit=chance.choice([1, 3, 200]), **query)
        assert sorted(found) == sorted(names(task for task in tasks if _fits(task, query))), query
        rows = {str(task.id): task for task in tasks}
        order = [rows[each].created_at for each in found]
        if not _states(query.get("state", "active").split(",")[0]) <= FINISHED:
            assert order == sorted(order, reverse=True), query


# What it costs


TIMES = {"created_after": "2020-01-01T00:00:00Z", "created_before": "2100-01-01T00:00:00Z"}
COSTS = [
    ({}, 1, {"tasks_shown"}),
    (TIMES, 1, {"tasks_shown"}),
    ({"kind": "countdown"}, 1, {"tasks_of_kind"}),
    ({"kind": "countdown"} | TIMES, 1, {"tasks_of_kind"}),
    ({"state": "failed"}, 1, {"tasks_ended"}),
    ({"state": "failed", "kind": "countdown"}, 2, {"tasks_ended"}),
    ({"state": "paused", "kind": "countdown"}, 2, {"tasks_unfinished"}),
    ({"state": "failed", "created_after": TIMES["created_after"]}, 2, {"tasks_ended"}),
    ({"state": "failed"} | TIMES, 2, {"tasks_shown"}),
    ({"state": "paused"} | TIMES, 1, {"tasks_unfinished"}),
    ({"state": "finished"}, 2, {"tasks_ended", "tasks_pkey"}),
    ({"state": "active"}, 2, {"tasks_unfinished", "tasks_pkey"}),
    ({"state": "active", "q": "count", "kind": "countdown"} | TIMES, 3, {"tasks_unfinished", "tasks_pkey"}),
    ({"state": "paused,failed", "q": "count", "kind": "countdown"} | TIMES, 2, {"tasks_of_kind"}),
    ({"q": "count"}, 2, {"tasks_shown"}),
    ({"q": "count", "kind": "countdown"}, 2, {"tasks_of_kind"}),
    ({"owner": "all"}, 1, {"tasks_of_all"}),
    ({"owner": "all", "state": "failed", "kind": "countdown", "q": "count"} | TIMES, 2, {"tasks_of_all"}),
]


@pytest.mark.parametrize("searched", [3, 1000])
def test_each_filter_is_read_by_an_index_in_its_order(each_database, queries, monkeypatch, searched):
    monkeypatch.setattr("webapp.models.task_list.MOST_SEARCHED", searched)
    program = Program(each_database, make_user(role=Role.OPERATOR, totp_secret="sealed"))
    fill([program.user, *(make_user() for _ in range(20))])
    for query, number, indexes in COSTS:
        for cursor in ({}, {"cursor": ask(program, limit=1, **query).json["next"]}):
            with queries() as seen:
                ask(program, limit=1, **query, **cursor)
            found = list(plans(seen))
            assert 1 <= len(found) <= number, (query, found)
            for sql, plan in found:
                if "UNION" in sql:
                    states = _states(query["state"])
                    assert len(re.findall(r"SEARCH t\d+ USING|Index (Only )?Scan ", plan)) >= len(states), (query, plan)
                else:
                    assert not re.search(r"SCAN t1(?! USING)|Seq Scan on tasks", plan), (query, sql, plan)
                    assert not re.search(r"TEMP B-TREE|Sort ", plan), (query, sql, plan)
            used = {name for _, plan in found for name in re.findall(r"\btasks_[a-z_]+", plan)}
            assert used <= indexes, (query, found)


@pytest.mark.parametrize("number", [1, 20])
def test_a_page_costs_as_many_queries_however_many_are_on_it(app, queries, number):
    program = Program(app, make_user(role=Role.OPERATOR, totp_secret="sealed"))
    for _ in range(number):
        make(make_user(), State.PENDING, queue_key=next(numbers))
    ask(program, owner="all")
    with queries(4):  # the token, the tasks, their places in the queue, their owners
        assert len(ask(program, owner="all").json["items"]) == number


# What it refuses


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=abc", "limit"),
        ("limit=-1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("state=", "state"),
        ("state=waiting,", "state"),
        ("state=done", "state"),
        ("state=failed&state=canceled", "state"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-01-01T00:00:00", "created_before"),
        ("parent=1", "parent"),
        ("owner=ann", "owner"),
        ("sort=title", "sort"),
        ("cursor=x", "cursor"),
        ("cursor=" + "x" * 501, "cursor"),
        ("cursor=%00", "cursor"),
        ("q=" + "x" * 101, "q"),
    ],
)
def test_what_a_query_may_not_say_is_named(anns, query, place):
    answer = anns.get(f"/tasks?{query}")
    assert answer.status_code == 422
    assert list(pointers(answer)) == [place]


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "'; DROP TABLE tasks", "\\", "💥" * 50])
def test_no_text_breaks_a_search(each_database, text):
    program = Program(each_database, make_user())
    make(program.user)
    said = quote(text.encode("utf-8", "surrogatepass"))
    for name in ("q", "kind"):
        assert program.get(f"/tasks?{name}={said}").status_code == 200


def test_a_cursor_is_good_for_one_person_list_and_filter(anns, program_of):
    parent = make(anns.user, name="", composition=Composition.GROUP, share=0.0)
    for _ in range(3):
        make(anns.user, parent=parent, root=parent)
        make(anns.user, State.FAILED)
    mine = {"limit": 1, "state": "failed"}
    cursor = ask(anns, **mine).json["next"]
    assert len(ask(anns, cursor=cursor, **mine | {"limit": 2}).json["items"]) == 2
    others = program_of(make_user())
    refused = [
        (anns, f"/tasks?state=canceled&cursor={cursor}"),
        (anns, f"/tasks?cursor={cursor}"),
        (anns, f"/tasks?state=failed&q=count&cursor={cursor}"),
        (anns, f"/tasks/{parent.id}/children?cursor={cursor}"),
        (anns, f"/tasks/{parent.id}/events?cursor={cursor}"),
        (others, f"/tasks?state=failed&cursor={cursor}"),
        (anns, f"/tasks?state=failed&cursor={cursor[:-1]}"),
    ]
    for program, path in refused:
        answer = program.get(path)
        assert answer.status_code == 422, path
        assert list(pointers(answer)) == ["cursor"]


def test_the_same_states_in_another_order_are_the_same_filter(anns):
    for _ in range(2):
        make(anns.user, State.FAILED)
    cursor = ask(anns, limit=1, state="failed,canceled").json["next"]
    assert len(ask(anns, limit=1, state="canceled,failed", cursor=cursor).json["items"]) == 1


def test_ids_are_uuids(anns):
    make(anns.user)
    assert [str(UUID(each)) for each in ids(anns)] == ids(anns)
