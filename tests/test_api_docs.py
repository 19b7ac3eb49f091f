"""What docs/api.md and the page for developers have for pasting is pasted, beside a site of real processes."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.processes import ROOT, Site
from tests.surfing import Surfer

DOCUMENT = (ROOT / "docs" / "api.md").read_text()
HERE = "http://127.0.0.1:5000"  # where `make run` starts a site
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
COUNTED = "word,count\nbe,2\nto,2\nnot,1\nor,1\n"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with somebody called ann, who has written a post."""
    site = Site(tmp_path_factory.mktemp("site"), TASK_SWEEP_SECONDS="1")
    site.start_web()
    site.start_worker()
    ann = Surfer(site.url)
    ann.submit("/register", username="ann", email="", password="correct horse")
    ann.submit("/posts", body="A post to be exported")
    yield site
    site.close()


@pytest.fixture(scope="module")
def token(site):
    """What the command of the document prints."""
    [command] = re.findall(r"^    \.venv/bin/(flask .* tokens issue .*)$", DOCUMENT, re.MULTILINE)
    return site.run(*command.split()).strip()


@pytest.fixture
def run(token, tmp_path):
    """`run(command, text)`: what a program that gets a text as its input says, in a folder of its own."""

    def run(*command: str, text: str = "") -> str:
        env = {"PATH": os.environ["PATH"], "TOKEN": token}
        done = subprocess.run(command, input=text, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    return run


def _posts(path) -> list[str]:
    return [post["body"] for post in json.loads(path.read_text())["posts"]]


def test_each_block_of_the_document_does_what_is_said_there(site, run, tmp_path):
    script = "echo ---\n".join(BLOCKS).replace(HERE, site.url)
    setup, who, start, fetch, upload, words, feed, later, refused, twice, held = [
        said.split("\n")[:-1] for said in run("bash", "-u", text=script).split("---\n")
    ]
    assert setup == []
    assert [json.loads(line)["username"] for line in who] == ["ann"]
    assert start == ["succeeded"]
    assert (fetch, _posts(tmp_path / "export.json")) == ([], ["A post to be exported"])
    assert upload == ["succeeded"]
    assert any("be" in line for line in words)
    assert [line.split()[1] for line in feed] == ["succeeded"]
    assert datetime.fromisoformat(later[0]) > datetime.now(UTC) + timedelta(days=1, hours=23)
    assert later[1:] == ["canceled"]
    wrong, scheduled, running, state = refused
    assert wrong.startswith("/arguments/format ")
    assert scheduled.startswith("started ")
    assert running.startswith("it runs already: ")
    assert UUID.search(running)[0] == UUID.search(scheduled)[0]
    assert state == "canceled"
    first, second = twice
    assert first == second
    assert held == ["None"]
    assert UUID.fullmatch(first)


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_first_minute_on_the_page_ends_with_the_file(site, run, tmp_path, shell):
    page = Surfer(site.url).visit("/developers")
    script = next(each.text for each in page.select("pre") if each.text.startswith("API="))
    assert run(shell, text=script) == ""
    assert (tmp_path / "words.csv").read_text() == COUNTED


def test_the_same_in_python_ends_with_the_file(site, run, tmp_path):
    page = Surfer(site.url).visit("/developers")
    script = next(each.text for each in page.select("pre") if each.text.startswith("import"))
    assert run(sys.executable, "-I", "-", text=script) == ""
    assert (tmp_path / "words.csv").read_text() == COUNTED


def test_the_page_that_the_document_leads_to_first_makes_such_a_token(site):
    ann = Surfer(site.url)
    ann.submit("/login", username="ann", password="correct horse")
    page = ann.visit("/settings/tokens")
    assert page.select_one("form[action='/settings/tokens']")
    asked = set(re.findall(r"--scope ([\w:]+)", DOCUMENT))
    first_three = [each["value"] for each in page.select("input[name=scopes]")][:3]
    assert set(first_three) == asked
