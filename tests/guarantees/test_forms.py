"""Forms that come twice, through a real web server that is really killed."""

import psutil
import pytest

from tests.browsing import one
from tests.processes import until
from tests.surfing import Surfer
from webapp.models import Post, Task, User

POSTS, COUNTDOWNS = "/posts", "/tasks/new/countdown"


def _form(surfer: Surfer, page: str, selector: str, **fields: str) -> dict[str, str]:
    form = one(surfer.visit(page), selector)
    hidden = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    return hidden | fields


@pytest.mark.parametrize("shared_site", ["sqlite", "postgres and redis"], indirect=True)
def test_forms_whose_answers_were_lost_are_sent_again_and_make_each_thing_once(site):
    site.rest()
    web = site.start_web()
    surfer = Surfer(site.url)
    surfer.submit("/guest")
    me = User.select().order_by(User.id.desc()).get()
    posts = [_form(surfer, "/", "form.composer", body=f"Post {number}") for number in range(8)]
    tasks = [_form(surfer, COUNTDOWNS, "form.form", seconds=str(number)) for number in range(50, 58)]
    forms = [(POSTS, form) for form in posts] + [(COUNTDOWNS, form) for form in tasks]

    def made() -> int:
        return Post.select().where(Post.user == me).count() + Task.select().where(Task.user == me).count()

    for path, form in forms:
        surfer.lose(path, form)
    until(lambda: made() > 2)
    family = web.family()  # before it is killed: nobody's children are found any more after that
    for process in family:  # some are made, some are being made, and some have not been heard of
        process.kill()
    web.popen.wait()
    psutil.wait_procs(family)
    site.processes.pop("web")
    site.start_web()
    for path, form in forms:
        for _ in range(2):
            surfer.read(path, form)
            assert surfer.status == 200, "it leads to what was made"
    bodies = [post.body for post in Post.select().where(Post.user == me)]
    assert sorted(bodies) == [form["body"] for form in posts]
    started = list(Task.select().where(Task.user == me))
    assert sorted(task.arguments["seconds"] for task in started) == list(range(50, 58))
    for task in started:  # the site's next worker has others to run
        task.cancel()
