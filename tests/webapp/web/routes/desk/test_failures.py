"""Why tasks fail, at the desk: causes and not single tasks; what viewers do not read; what it costs."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from webapp.dev.desk_factories import make_failure, make_staff
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import State, Task
from webapp.models.permissions import Role


@pytest.fixture
def operator(app):
    return browse(app, make_staff())


def _rows(answer) -> list[list[str]]:
    rows = answer.page.select("table.failures tbody tr")
    return [[" ".join(cell.get_text(" ", strip=True).split()) for cell in row.select("th, td")] for row in rows]


def test_tasks_of_one_cause_are_one_line_with_how_many_failed_since_when(operator):
    many = make_failure("The server is down", tasks=3)
    make_failure("It is full", kind="count_words")
    old = Task.select(Task.id).where(Task.fingerprint == many.fingerprint).limit(2)
    Task.update(finished_at=utcnow() - timedelta(hours=5)).where(Task.id.in_(old)).execute()
    answer = operator.get("/desk/failures?order=count")
    first, second = _rows(answer)
    assert first[0] == "The server is down ConnectionError · Countdown"
    assert first[1:4] == ["1", "3", "3"]
    assert second[0] == "It is full ConnectionError · Count words"
    assert answer.page.select_one("table.failures a")["href"] == f"/desk/failures/{many.fingerprint}"


def test_what_was_retried_does_not_count_any_more(operator):
    group = make_failure(tasks=2)
    Task.get(Task.fingerprint == group.fingerprint).retry()
    assert _rows(operator.get("/desk/failures"))[0][1:4] == ["1", "1", "1"]


def test_a_cause_of_which_no_task_is_failed_any_more_says_so(operator):
    group = make_failure()
    Task.get(Task.fingerprint == group.fingerprint).retry()
    assert _rows(operator.get("/desk/failures"))[0][1] == "all retried or deleted"


def test_causes_are_filtered_by_kind_and_by_when_they_were_seen(operator):
    make_failure("The server is down")
    old = make_failure("It is full", kind="count_words")
    old.last_at -= timedelta(days=3)
    old.save()

    def shown(query: str) -> list[str]:
        rows = _rows(operator.get(f"/desk/failures?{query}"))
        return [row[0].partition(" ConnectionError")[0].split()[-1] for row in rows]

    assert shown("") == ["down", "full"]
    assert shown("window=24h") == ["down"]
    assert shown("window=ever&kind=count_words") == ["full"]
    assert shown("kind=export_posts") == []


@pytest.mark.parametrize("query", ["window=1y", "kind=nothing", "order=%00", "window=%F0%9F%99%88"])
def test_a_filter_that_there_is_not_is_refused_in_words(operator, query):
    answer = operator.get(f"/desk/failures?{query}")
    assert answer.status_code == 422
    assert "Choose one of these." in answer.text


def test_the_page_of_a_cause_has_its_traceback_and_its_newest_tasks(operator):
    group = make_failure("The server is down", tasks=2)
    answer = operator.get(f"/desk/failures/{group.fingerprint}")
    assert "tasks/countdown.py:20 in countdown" in answer.text
    assert "The server is down" in answer.text
    assert len(answer.page.select("#newest + .scroll tbody tr")) == 2
    assert f"fingerprint={group.fingerprint}" in answer.text


def test_the_page_of_a_cause_says_to_operators_alone_what_its_newest_failed_task_said(app, operator):
    group = make_failure("The mail server says code …", tasks=2)
    task = Task.select().where(Task.fingerprint == group.fingerprint).order_by(Task.created_at.desc()).first()
    Task.update(error="The mail server says code 552-5.2.3", error_phrase=None).where(Task.id == task.id).execute()
    url = f"/desk/failures/{group.fingerprint}"
    assert "Latest: The mail server says code 552-5.2.3" in operator.get(url).page.select_one(".card.form").get_text()
    assert "552-5.2.3" not in browse(app, make_staff(Role.VIEWER)).get(url).text


def test_viewers_see_that_tasks_fail_and_not_by_which_message(app):
    group = make_failure("It would not open a.txt")
    viewer = browse(app, make_staff(Role.VIEWER))
    for url in ("/desk/failures", f"/desk/failures/{group.fingerprint}"):
        answer = viewer.get(url)
        assert "ConnectionError" in answer.text
        assert "would not open" not in answer.text
        assert "tasks/countdown.py" not in answer.text


@pytest.mark.parametrize("name", ["0123456789abcdef", "short", "%00" * 16, "🙈" * 16])
def test_a_cause_that_there_is_not_is_not_found(operator, name):
    assert operator.get(f"/desk/failures/{name}").status_code == 404


@pytest.mark.parametrize("number", [1, 12])
def test_the_pages_cost_the_same_number_of_queries_whatever_has_failed(app, queries, number):
    for each in range(number):
        group = make_failure("The server is down" + " and" * each, tasks=2)
    browser = browse(app, make_staff())
    browser.get("/desk/failures")
    with queries() as seen:
        browser.get("/desk/failures")
    assert seen.count == 4
    with queries() as seen:
        browser.get(f"/desk/failures/{group.fingerprint}")
    assert seen.count == 6


def test_a_cause_that_is_known_no_more_leaves_its_task_as_it_was(operator):
    make_task(State.FAILED)
    assert _rows(operator.get("/desk/failures")) == []
