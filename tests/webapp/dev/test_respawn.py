"""`make run` starts anew what was killed, `make dev` also what has changed; it outlives a mistake in a file."""

import os
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from tests.copies import Copy
from tests.processes import Process, until

PROGRAM = "import os, time, tasks.countdown; print('up', os.getpid(), flush=True); time.sleep(1000)"


@pytest.fixture
def kept(request, tmp_path):
    """A tree, and a program that imports a task of it, which is kept running as by `make dev`."""
    copy = Copy(tmp_path / "tree")
    options = getattr(request, "param", ["--reload"])
    command = [sys.executable, "-m", "webapp.dev.respawn", *options, sys.executable, "-c", PROGRAM]
    env = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}  # as `make run` has it
    process = Process("kept", command, env, tmp_path, cwd=copy.folder)
    yield copy, process
    with suppress(ProcessLookupError):
        os.killpg(process.popen.pid, signal.SIGTERM)
    process.stop()


def _pids(process: Process, number: int) -> list[int]:
    """The process ids of all starts, once there were so many."""

    def pids() -> list[int]:
        return [int(line.split()[1]) for line in process.output().splitlines() if line.startswith("up ")]

    return until(lambda: pids() if len(pids()) == number else None)


def test_a_change_starts_it_anew_and_a_mistake_waits_for_the_next(kept):
    copy, process = kept
    path = copy.folder / "tasks" / "countdown.py"
    right = path.read_text()
    [first] = _pids(process, 1)
    path.write_text(f"{right}\n# changed")
    second = _pids(process, 2)[1]
    assert not psutil.pid_exists(first)
    (copy.folder / "tasks" / ".#countdown.py").write_text("an editor's own")
    path.write_text(f"def {right}")
    until(lambda: "SyntaxError" in process.output() and "after the next change" in process.output())
    assert not psutil.pid_exists(second)
    path.write_text(right)
    third = _pids(process, 3)[2]
    os.kill(third, signal.SIGKILL)
    _pids(process, 4)
    lines = process.output().splitlines()
    assert lines.count("tasks/countdown.py has changed: restarting") == 3, "each in a line of its own"


@pytest.mark.parametrize("kept", [[]], indirect=True, ids=["make run"])
def test_make_run_starts_again_what_was_killed_and_lets_run_what_has_changed(kept):
    copy, process = kept
    [first] = _pids(process, 1)
    (copy.folder / "tasks" / "countdown.py").write_text("def")
    (copy.folder / "tasks" / "countdown.py").write_text("")
    os.kill(first, signal.SIGKILL)
    _pids(process, 2)
    assert "has changed" not in process.output()


@pytest.mark.parametrize(("signum", "is_broken"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_respawn_ends_at_term_even_while_it_waits_for_a_change(kept, signum, is_broken):
    copy, process = kept
    _pids(process, 1)
    if is_broken:
        (copy.folder / "tasks" / "countdown.py").write_text("def")
        until(lambda: "after the next change" in process.output())
    family = process.family()
    os.killpg(process.popen.pid, signum)
    assert process.popen.wait(10) == 128 + signum
    assert psutil.wait_procs(family, 5)[1] == []


def test_respawn_ends_with_the_code_of_a_command_that_ended_by_itself(tmp_path):
    command = [sys.executable, "-m", "webapp.dev.respawn", sys.executable, "-c", "raise SystemExit(3)"]
    assert Process("short", command, {"PATH": os.environ["PATH"]}, tmp_path).popen.wait(20) == 3
