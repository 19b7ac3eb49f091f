"""The web while its PostgreSQL hangs: people read so at once, probes are answered, and all is well by itself after."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from bs4 import BeautifulSoup

from tests.processes import until
from tests.surfing import Surfer
from webapp.models import Post

SOON = 3.0  # seconds: 503 takes milliseconds here, a thread that waits for the database at least 5 seconds
HANGS = 12.0  # seconds
BACK_WITHIN = 20.0  # seconds
TABS = 50
POLL_EVERY = 5.0  # seconds


@pytest.fixture(scope="module")
def site(new_site):
    """A site whose web reaches PostgreSQL by a network."""
    site = new_site("postgres")
    with site.far_away() as network:
        site.network = network
        site.start_web()
        yield site
        network.heal()
        site.close()


@pytest.fixture
def ann(site) -> Iterator[Surfer]:
    site.network.heal()
    surfer = Surfer(site.url)
    until(lambda: surfer.submit("/guest") and surfer.status == 200)
    return surfer


class Visitors:
    """People at a site, each in a thread, and how long each answer of theirs took."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self.answers: dict[str, list[tuple[float, int]]] = {}

    @contextmanager
    def coming(self, *visits: tuple[str, Surfer, str, dict[str, str] | None, float]) -> Iterator[None]:
        """Let each send its request again and again, after a pause, while the block lasts."""
        with ThreadPoolExecutor(len(visits)) as threads:
            for visit in visits:
                threads.submit(self._come, *visit)
            try:
                yield
            finally:
                self._over.set()

    def _come(self, who: str, surfer: Surfer, path: str, form: dict[str, str] | None, pause: float) -> None:
        while not self._over.wait(pause):
            begun = time.monotonic()
            try:
                surfer.read(path, form)
            except OSError:
                surfer.status = 0
            self.answers.setdefault(who, []).append((time.monotonic() - begun, surfer.status))


def _copy(surfer: Surfer) -> Surfer:
    """The same person in another tab."""
    other = Surfer(surfer.site)
    other._open = surfer._open
    return other


def _tabs(ann: Surfer, number: int) -> list[tuple[str, Surfer, str, None, float]]:
    return [("tabs", _copy(ann), "/live", None, POLL_EVERY) for _ in range(number)]


def _answers_for(seconds: float, visitors: Visitors, who: str) -> list[tuple[float, int]]:
    time.sleep(seconds)
    return visitors.answers[who]


@pytest.mark.parametrize("hang", ["stall", "swallow"])
def test_while_it_hangs_probes_are_answered_and_people_read_so_at_once(site, ann, hang):
    token = ann.visit("/").select_one("input[name=csrf_token]")["value"]
    form = {"body": "Typed while it hung", "csrf_token": token}
    posting = [("posts", _copy(ann), "/posts", form, 0.1) for _ in range(8)]
    probing = [("probes", Surfer(site.url), "/healthz", None, 0.1)]
    visitors = Visitors()
    with visitors.coming(*_tabs(ann, TABS), *probing):
        until(lambda: "tabs" in visitors.answers)
        getattr(site.network, hang)()
        probes = _answers_for(HANGS / 2, visitors, "probes")
        posts = Visitors()
        with posts.coming(*posting):
            time.sleep(HANGS / 2)
        pages = [_page(ann) for _ in range(5)]
        ready = _timed(ann, "/readyz")
        site.network.heal()
        begun = time.monotonic()
        until(lambda: _timed(ann, "/")[1] == 200, BACK_WITHIN)
        print(f"{hang}: back {time.monotonic() - begun:.1f} s after")
    longest = max(took for took, _ in probes)
    print(f"{hang}: {len(probes)} probes, the longest took {longest:.2f} s")
    assert {status for _, status in probes} == {200}
    assert longest < SOON
    assert {status for _, status in posts.answers["posts"]} == {503}
    assert all(took < SOON and page.h1.text == "We’ll be right back" for took, page in pages)
    assert ready[0] < SOON
    assert ready[1] == 503
    # Each web process finds by itself that the database is back, and the one that showed the page may be another.
    until(lambda: ann.read("/posts", form) and ann.status == 200, BACK_WITHIN)
    assert not site.processes["web"].output().count("Traceback")


def _timed(surfer: Surfer, path: str) -> tuple[float, int]:
    begun = time.monotonic()
    surfer.read(path)
    return time.monotonic() - begun, surfer.status


def _page(surfer: Surfer) -> tuple[float, BeautifulSoup]:
    begun = time.monotonic()
    page = surfer.visit("/")
    assert surfer.status == 503
    assert 1 <= int(surfer.headers["Retry-After"]) <= 60
    return time.monotonic() - begun, page


def test_what_was_typed_is_sent_again_by_one_button(site, ann):
    token = ann.visit("/").select_one("input[name=csrf_token]")["value"]
    site.network.refuse()
    page = BeautifulSoup(ann.read("/posts", {"body": "It’s “typed” <b>", "csrf_token": token}), "html.parser")
    assert ann.status == 503
    form = page.select_one("main form")
    site.network.heal()
    ann.read(form["action"], {field["name"]: field["value"] for field in form.select("input")})
    assert ann.status == 200
    with site.entered():
        assert [post.body for post in Post.select().where(Post.body.contains("<b>"))] == ["It’s “typed” <b>"]


def test_a_password_is_in_no_answer(site, ann):
    token = ann.visit("/register").select_one("input[name=csrf_token]")["value"]
    site.network.refuse()
    answer = ann.read("/login", {"username": "ann", "password": "correct horse", "csrf_token": token})
    site.network.heal()
    assert ann.status == 503
    assert b"correct horse" not in answer


def test_a_poll_is_answered_with_nothing_that_htmx_would_swap(site, ann):
    site.network.refuse()
    assert ann.read("/live", HX_Request="true") == b""
    assert ann.status == 503
    site.network.heal()


def test_a_network_that_is_slow_is_none_that_hangs(site, ann):
    site.network.delay(0.3)
    visitors = Visitors()
    pages = [
        (path, _copy(ann), path, None, 0.0) for path in ("/", "/tasks", "/live", "/messages", "/mail", "/settings")
    ]
    with visitors.coming(*pages):
        until(lambda: len(visitors.answers) == len(pages) and min(map(len, visitors.answers.values())) >= 2, 90)
    assert {status for answers in visitors.answers.values() for _, status in answers} == {200}


def test_a_database_that_was_restarted_is_ready_at_the_first_probe(site, ann):
    assert _timed(ann, "/readyz")[1] == 200
    site.network.cut()
    assert [_timed(ann, "/readyz")[1] for _ in range(20)] == [200] * 20


def test_a_statement_that_waits_for_a_lock_ends_in_words_and_harms_nobody_else(site, ann):
    other = Surfer(site.url)
    other.submit("/guest")
    token = ann.visit("/").select_one("input[name=csrf_token]")["value"]
    visitors, said = Visitors(), site.processes["web"].output()
    with psycopg.connect(site.near["DATABASE_URL"]) as owner, visitors.coming(("other", other, "/tasks", None, 0.1)):
        owner.execute("LOCK TABLE posts IN SHARE MODE")
        ann.read("/posts", {"body": "Too late", "csrf_token": token})
        assert ann.status == 503
    assert {status for _, status in visitors.answers["other"]} == {200}
    assert max(took for took, _ in visitors.answers["other"]) < SOON
    assert "does not answer; requests" not in site.processes["web"].output().removeprefix(said)
