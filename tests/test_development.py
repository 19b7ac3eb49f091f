"""What developers run: `make dev`, which starts anew what has changed, and `make shell`."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta

import psutil
import pytest

from tests.copies import Copy
from tests.processes import BIN, ROOT, Process, is_answering, until
from tests.surfing import Surfer
from webapp.dev.__main__ import free_port
from webapp.dev.factories import make_user
from webapp.dev.shell import find_user
from webapp.lib.times import utcnow
from webapp.settings import SettingsError


@pytest.fixture
def env(tmp_path) -> dict[str, str]:
    """The environment of a developer who has chosen a port and a data folder."""
    port = str(free_port())
    path = f"{BIN}:{os.environ['PATH']}"
    return {"PATH": path, "PORT": port, "DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def dev(tmp_path, env):
    """A tree of one's own, and `make dev` in it, which answers."""
    copy = Copy(tmp_path / "tree")
    process = Process("dev", [sys.executable, "-m", "webapp.dev", "--reload"], env, tmp_path, cwd=copy.folder)
    until(lambda: is_answering(int(env["PORT"])) or process.popen.poll() is not None)
    yield copy.folder, process
    with suppress(ProcessLookupError):
        os.killpg(process.popen.pid, signal.SIGTERM)
    process.stop()


def _type(lines: str, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a shell answers to whoever types these lines."""
    command = [sys.executable, "-m", "webapp.dev.shell", *arguments]
    return subprocess.run(command, input=lines, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def test_make_dev_shows_what_was_changed_loses_no_task_and_ends_with_ctrl_c(dev, env):
    folder, process = dev
    guest = Surfer(f"http://127.0.0.1:{env['PORT']}")
    guest.submit("/guest")
    task = guest.start("countdown", seconds="60")
    until(lambda: guest.visit(task).select_one("article.task progress[value='2']"))

    def shows(path: str, words: str) -> bool:
        with suppress(OSError):  # for a moment nobody answers
            return words in guest.read(path).decode()
        return False

    _replace(folder / "templates" / "base.html", "</body>", "<p>A changed template</p></body>")
    until(lambda: shows("/tasks", "A changed template"))
    until(lambda: process.output().count("The worker starts") == 2)  # the web may be there before the worker
    _replace(folder / "tasks" / "countdown.py", '    """Count', '    """A changed task: count')
    until(lambda: shows("/tasks/new/countdown", "A changed task: count"))
    until(lambda: process.output().count("The worker starts") == 3)
    assert process.output().count("The worker has stopped") == 2
    until(lambda: guest.state_of(task) == "in_progress")
    assert "Lost contact with the worker" not in process.output(), "the worker gave its task back"
    family = process.family()
    os.killpg(process.popen.pid, signal.SIGINT)  # as a terminal does
    assert process.popen.wait(25) == 0
    assert psutil.wait_procs(family, 5)[1] == []
    assert "Traceback" not in process.output()


def _replace(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_make_shell_has_models_task_functions_and_a_person_at_hand(env):
    lines = "ann, bob = (User.register(name) for name in ('ann', 'bob'))\nprint(user, Task.select().count())\n"
    done = _type(lines, env)
    assert "None 0" in done.stdout
    assert "nobody yet" in done.stderr
    done = _type("print(user.username, export_posts.launch(user, format='csv').state)\n1 / 0\n2 + 2\n", env, "Ann")
    assert "ann pending" in done.stdout
    assert "ZeroDivisionError" in done.stderr
    assert done.stdout.split()[-2:] == ["4", ">>>"], "a mistake ends nothing"
    assert done.returncode == 0


def test_make_shell_finds_whom_it_was_told_else_who_was_here_last(app):
    assert find_user("") is None
    ann, bob = make_user("ann"), make_user("bob", seen_at=utcnow() - timedelta(days=1))
    assert (find_user(""), find_user("Bob")) == (ann, bob)
    with pytest.raises(SettingsError, match="nobody here is called zoe"):
        find_user("zoe")


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("dev", "-m webapp.dev --reload"),
        ("shell", "-m webapp.dev.shell ann"),
        ("format", "ruff format ."),
    ],
)
def test_make_runs_what_developers_need(target, command):
    said = ["make", "--dry-run", "--old-file=.venv/.dev", "--old-file=.venv/.run", target, "ARGS=ann"]
    assert command in subprocess.run(said, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_every_target_of_make_is_explained_at_its_top():
    text = (ROOT / "Makefile").read_text()
    [phony] = [line.split()[1:] for line in text.splitlines() if line.startswith(".PHONY:")]
    explained = [line.split()[2] for line in text.splitlines() if line.startswith("# make ")]
    assert sorted(explained) == sorted(phony)
    assert explained[0] == "run", "what make alone does"
