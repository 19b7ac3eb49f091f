"""The list of people at the desk: who is found how, by whom, and at what cost."""

import pytest

from tests.browsing import browse
from webapp.dev.desk_factories import make_staff, make_suspension
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, User
from webapp.models.permissions import Role


@pytest.fixture
def operator(each_database):
    return browse(each_database, make_staff(name="oli"))


def names(answer) -> list[str]:
    assert answer.status_code == 200
    return [link.text for link in answer.page.select("tbody th a")]


def test_people_are_found_by_the_beginning_of_their_name_however_it_is_typed(operator):
    for name in ("ann", "ann_b", "ann-c", "annabel", "bob", "Anna.9"):
        make_user(name)
    assert names(operator.get("/desk/people?q=ANN")) == ["ann", "ann-c", "ann_b", "Anna.9", "annabel"]
    assert names(operator.get("/desk/people?q=ann_")) == ["ann_b"]
    assert names(operator.get("/desk/people?q=%25")) == []
    assert names(operator.get("/desk/people?q=" + "ﬀ" * 254)) == []


def test_pages_of_a_search_have_everybody_once(operator):
    for number in range(45):
        make_user(f"ann-{number:02}")
    seen, path = [], "/desk/people?q=ann-"
    while path:
        page = operator.get(path)
        seen += names(page)
        link = page.page.select("a[rel=next]")
        path = link[0]["href"] if link else None
    assert seen == [f"ann-{number:02}" for number in range(45)]


def test_operators_find_by_address_and_viewers_see_none(each_database):
    make_user("ann", email="Ann@Example.com")
    page = browse(each_database, make_staff()).get("/desk/people?q=ann@example.COM")
    assert names(page) == ["ann"]
    assert "Ann@Example.com" in page.words
    viewer = browse(each_database, make_staff(Role.VIEWER))
    assert "Only operators can search by address." in viewer.get("/desk/people?q=ann@example.com").words
    for path in ("/desk/people?q=ann", f"/desk/people/{User.by_username('ann').id}"):
        assert "example.com" not in viewer.get(path).get_data(as_text=True).lower()


def test_people_are_found_by_number(operator):
    ann = make_user("ann")
    assert names(operator.get(f"/desk/people?q={ann.id}")) == ["ann"]
    assert names(operator.get(f"/desk/people?q=%23{ann.id}")) == ["ann"]
    assert names(operator.get("/desk/people?q=" + "9" * 30)) == []


def test_the_lists_have_the_newest_those_with_a_role_and_the_suspended(operator):
    ann, bob = make_user("ann"), make_user("bob", suspended_at=utcnow())
    make_suspension(bob)
    make_user("gone", deletion_due_at=utcnow())
    assert names(operator.get("/desk/people")) == ["bob", "ann", "oli"]
    assert names(operator.get("/desk/people?show=staff")) == ["oli"]
    assert names(operator.get("/desk/people?show=suspended")) == ["bob"]
    assert operator.get("/desk/people?show=everything").status_code == 422
    assert operator.get("/desk/people?before=x").status_code == 400
    assert ann


def test_the_busiest_come_first_and_each_has_its_figures(operator):
    ann, bob = make_user("ann"), make_user("bob")
    for state in (State.PENDING, State.IN_PROGRESS, State.SCHEDULED, State.SUCCEEDED):
        make_task(state, ann)
    make_task(State.PAUSED, bob)
    make_artifact(make_task(State.SUCCEEDED, bob), data="x" * 2_000_000)
    page = operator.get("/desk/people?show=busiest")
    assert names(page) == ["ann", "bob"]
    figures = [[cell.text for cell in row.select("td.number")] for row in page.page.select("tbody tr")]
    assert figures == [["3", "0 MB"], ["1", "2 MB"]]


@pytest.mark.parametrize("query", ["", "?q=p", "?show=busiest", "?show=staff", "?show=suspended"])
def test_a_page_costs_as_many_queries_for_twenty_as_for_one(app, queries, query):
    browser = browse(app, make_staff())
    costs = []
    for number in (1, 20):
        for _ in range(number):
            make_task(State.PENDING, make_user(suspended_at=utcnow()))
        browser.get(f"/desk/people{query}")
        with queries() as seen:
            browser.get(f"/desk/people{query}")
        costs.append(len(seen.get_queries()))
    assert costs[0] == costs[1] <= 5
