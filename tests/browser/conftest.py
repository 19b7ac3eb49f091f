"""A browser and a site for it: real web, worker and mailbox processes on the embedded default.

What is shared ends with these tests, not with all: idle processes take from those that run beside them.
"""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.people import Person
from tests.processes import Site

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the lightest first
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="package")
def chromium():
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not path and os.environ.get("CI") == "true":
        pytest.fail("there is no Chromium, and in CI nothing is skipped")
    if not path:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory):
    """The site that most stories share; each with people of its own."""
    # Stories leave countdowns behind; nobody should wait for those of others.
    site = Site(tmp_path_factory.mktemp("site"), WORKER_CONCURRENCY="8", TASK_SWEEP_SECONDS="1")
    site.start_mailbox()
    site.start_web()
    site.start_worker()
    yield site
    site.close()


@pytest.fixture(scope="package")
def still_site(tmp_path_factory):
    """A site without a worker: what is put there stays as it is."""
    site = Site(tmp_path_factory.mktemp("still"))
    site.start_web()
    yield site
    site.close()


@pytest.fixture
def own_site(tmp_path):
    """A site for a story that stops and starts its processes."""
    site = Site(tmp_path)
    site.start_web()
    site.start_worker()
    yield site
    site.close()


@pytest.fixture
def new_person(chromium):
    """A function that makes a person with a browser of their own; afterwards nobody's console may have complained.

    Unless it is told otherwise, the browser asks for reduced motion: drawing a bar that slides from poll to poll takes
    more of a machine without a graphics card than everything else in a story.
    """
    people = []

    def make(site, **options):
        people.append(Person(chromium.new_context(**{"reduced_motion": "reduce"} | options), site))
        return people[-1]

    yield make
    for person in people:
        person.context.close()
    assert [complaint for person in people for complaint in person.complaints] == []


@pytest.fixture
def person(new_person, site):
    return new_person(site)


@pytest.fixture
def plain_person(new_person, site):
    """Somebody whose browser runs no JavaScript."""
    return new_person(site, java_script_enabled=False)
