"""What pages tell to those who do not see them or use no mouse, as far as their HTML shows it."""

import re
from itertools import product

import pytest

from webapp.dev.factories import make_post, make_task
from webapp.models import Message, State, Task

HTMX = {"HX-Request": "true"}
PLACES = {"an alert": "/live", "a row": "/tasks/_list", "a page": "/tasks/{id}/_panel"}


def _buttons(browser, path: str, task: Task) -> dict[str, str]:
    """What the buttons of a task do, by their places; nothing for those that do nothing."""
    found = browser.get(path.format(id=task.id), headers=HTMX).one(f"#task-{task.id}").select(".actions button")
    what = {button["id"]: button.get("formaction", "").partition("?")[0].rpartition("/")[2] for button in found}
    return {name.removeprefix(f"task-{task.id}-"): action for name, action in what.items()}


@pytest.mark.parametrize("place", PLACES)
def test_a_button_that_goes_leaves_another_in_its_place_that_starts_nothing(ann, place):
    """Whoever presses twice, because the first press took a while, must not start what they have just stopped."""
    made = {}
    for state in State:
        Task.delete().execute()  # or the alerts would be too many
        made[state] = _buttons(ann, PLACES[place], make_task(state, ann.user))
    for before, after in product(made.values(), repeat=2):
        for button, action in before.items():
            if action == "cancellation":
                assert after[button] in (action, "")
            elif action == "pause":
                assert after[button] in (action, "", "resumption", "retry")  # what is for later by now can begin now


@pytest.mark.parametrize(
    ("poll", "page", "region", "title"),
    [("/tasks/_list", "/tasks", "task-list", "task-list-title"), ("/live", "/", "task-alerts", "tray-title")],
)
def test_a_list_without_a_row_has_its_title_ready_for_who_was_on_it(ann, poll, page, region, title):
    kept = {f"task-{make_task(State.FAILED, ann.user).id}" for _ in range(2)}
    fallback = ann.get(poll, headers=HTMX).one("hx-partial[data-focus-fallback]")
    target = fallback["hx-target"]
    assert target.startswith(f"body:has(#{region} [data-row]:not(")
    assert target.endswith(f":focus-within) #{title}")
    assert set(re.findall(r":not\(\[id='([^']+)'\]\)", target)) == kept, "who is on another row stays there"
    heading, shown = fallback.select_one("[autofocus]"), ann.get(page).one(f"#{title}")
    assert (heading["id"], heading.name, heading.text) == (shown["id"], shown.name, shown.text)
    assert shown["tabindex"] == "-1"
    assert not shown.has_attr("autofocus"), "a page that is opened begins at its beginning"


def test_who_closes_an_alert_by_htmx_is_led_to_the_next_only_from_its_button(ann):
    tasks = [make_task(state, ann.user) for state in (State.SUCCEEDED, State.FAILED)]
    first, second = ann.get("/live", headers=HTMX).page.select(".alert")
    close = first.select_one("button[formaction*=dismissal]")
    partial = ann.submit(close["formaction"], headers=HTMX).one("hx-partial[hx-target^='#task-alerts']")
    assert partial["hx-target"] == f"#task-alerts:has(#{close['id']}:focus)"
    [focus] = partial.select("[autofocus]")
    assert focus["id"] == f"{second['id']}-dismiss"
    assert not ann.submit(focus["formaction"], headers=HTMX).page.select("[autofocus]"), "nothing is left to be closed"
    assert all(Task.get_by_id(task.id).dismissed_at for task in tasks)


def test_the_navigation_says_which_page_this_is_or_which_part_of_the_site(ann):
    task = make_task(State.FAILED, ann.user)
    for path, current in (
        ("/", {"/": "page"}),
        ("/tasks", {"/tasks": "page"}),
        ("/tasks/new", {"/tasks": "true"}),
        (f"/tasks/{task.id}", {"/tasks": "true"}),
        ("/settings", {"/settings": "page"}),
        ("/people/ann", {"/people/ann": "page"}),
        ("/notifications", {"/notifications": "page"}),
    ):
        links = ann.get(path).page.select("nav[aria-label=Main] [aria-current]")
        assert {link["href"]: link["aria-current"] for link in links} == current, path


def test_one_can_skip_to_the_tasks_where_they_are(ann, visitor):
    for path in ("/", "/settings", "/tasks/new"):
        page = ann.get(path)
        assert [link["href"] for link in page.page.select(".skip")] == ["#main", "#tray-title"]
        assert page.one("#tray-title")["tabindex"] == "-1"
    for page in (ann.get("/tasks"), visitor.get("/")):
        assert [link["href"] for link in page.page.select(".skip")] == ["#main"]


def test_checkboxes_of_tasks_with_one_title_have_names_of_their_own(ann):
    first = make_task(State.FAILED, ann.user)
    make_task(State.FAILED, ann.user, created_at=first.created_at.replace(year=2025))
    names = [" ".join(label.text.split()) for label in ann.get("/tasks").page.select("#task-list li .check")]
    assert len(set(names)) == 2
    assert all(name.startswith("Select Count down from 40, created ") for name in names)


def test_posts_and_tasks_are_found_by_their_headings(ann):
    post, task = make_post(ann.user), make_task(State.FAILED, ann.user)
    page = ann.get("/")
    article = page.one(f"#post-{post.id}")
    assert article.h2.text == "ann"
    assert page.one(f"#{article['aria-labelledby']}").text.split()[0] == "ann"
    assert page.one(f"#task-{task.id} h3").text == task.title
    assert ann.get("/tasks").one(f"#task-{task.id} h2").text == task.title


RUSSIAN, HEBREW = "Завтра мы репетируем в семь.", "החזרה מתחילה בשבע."


def _written(tag) -> tuple[str, str]:
    return tag["lang"], tag["dir"]


def test_a_text_by_people_has_its_language_and_direction(ann, bob):
    posts = [make_post(ann.user, body) for body in (RUSSIAN, "Seven it is")]
    home = ann.get("/")
    assert [_written(home.one(f"#post-{post.id} p")) for post in posts] == [("ru", "auto"), ("", "auto")]
    ann.submit("/messages/bob", body=HEBREW)
    assert _written(bob.get("/messages/ann").one(f"#message-{Message.get().id} p")) == ("he", "auto")
    assert _written(bob.get("/messages").one("#inbox .excerpt bdi")) == ("he", "auto")
    assert _written(bob.get(f"/messages?q={HEBREW.split()[0]}").one(".found .excerpt bdi")) == ("he", "auto")
    ann.submit("/settings/profile", about=RUSSIAN, time_zone="UTC")
    assert _written(bob.get("/people/ann").one(".about")) == ("ru", "auto")
    ann.submit("/mail/draft", recipients="", subject=HEBREW, template="free", body="")
    assert _written(ann.get("/mail").one("#mailings strong")) == ("he", "auto")
    task = make_task(State.FAILED, ann.user, title=f"Email to 2 people: {HEBREW}")
    assert ann.get(f"/tasks/{task.id}").one("h1[dir=auto]").text == task.title


def test_a_text_field_follows_the_direction_of_its_text(ann, bob):
    for path, fields in {
        "/": ["#body"],
        "/messages/bob": ["#body"],
        "/mail": ["#subject", "#body"],
        "/settings": ["#about"],
        "/tasks?q=x": ["#q"],
    }.items():
        page = ann.get(path)
        assert {page.one(field).get("dir") for field in fields} == {"auto"}, path
    bob.submit("/messages/ann", body="Hello")
    assert ann.get("/messages").page.select("#inbox strong bdi"), "a name is apart from what stands around it"
