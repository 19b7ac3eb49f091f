"""A real worker that knows the task functions of these tests besides the catalogue's."""

import ctypes
import os
import signal
import time

from tasks.engine import Run, config, user_task
from tasks.worker import main
from webapp.mail import extension
from webapp.models import Post, Task

# Seconds, so that tests of what hangs take no longer.
TIMEOUT = extension.TIMEOUT = 2
config.configure(kill_after=1.0)


_kept: list[bytearray] = []


@user_task(title="Stamp {steps} times")
def stamp(task: Run, steps: int = 20, pause: float = 0.05) -> None:
    """Leave one post for each step, which must be there exactly once in the end."""
    _stamp(task, steps, pause)


@user_task(title="Stamp {steps} times", timeout=600)
def stamp_in_peace(task: Run, steps: int = 20, pause: float = 0.05) -> None:
    """The same, where a site is impatient, and this machine busy."""
    _stamp(task, steps, pause)


def _stamp(task: Run, steps: int, pause: float) -> None:
    task.log(f"in process {os.getpid()}")
    for number in task.each(range(steps)):
        time.sleep(pause)
        Post.create(user=task.user, body=f"{task.id} {number}")


@user_task(title="Stamp {steps} times, and wait")
def stamp_first(task: Run, steps: int = 20, pause: float = 0.05) -> None:
    """The same, with the pause in the transaction."""
    task.log(f"in process {os.getpid()}")
    for number in task.each(range(steps)):
        Post.create(user=task.user, body=f"{task.id} {number}")
        time.sleep(pause)


@user_task(title="Write {lines} lines")
def write_lines(task: Run, lines: int = 40, pause: float = 0.05, length: int = 10) -> None:
    """Write a file line by line, which must have each line once and in order in the end."""
    task.log(f"in process {os.getpid()}")
    with task.artifact("lines.txt") as out:
        for number in task.each(range(lines)):
            time.sleep(pause)
            out.write(f"{number} ".ljust(length, ".") + "\n")


@user_task(title="Die")
def die(task: Run) -> None:
    """Kill the process that runs this, each time."""
    os.kill(os.getpid(), signal.SIGKILL)


@user_task(title="Hang at step {step}")
def hang(task: Run, step: int = 1, writes: bool = False, interpreter: bool = False, holds_row: bool = False) -> None:
    """Call C code that does not return, lets no signal through and may keep Python's interpreter from all threads."""
    task.log(f"in process {os.getpid()}")
    for number in task.each(range(9), every_step=True):
        if number == step:
            if writes:
                Post.create(user=task.user, body=f"{task.id} {number}")
            if holds_row:
                Task.update(done=Task.done).where(Task.id == task.id).execute()
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            (ctypes.PyDLL if interpreter else ctypes.CDLL)(None).sleep(600)


@user_task(title="Swell")
def swell(task: Run) -> None:
    """Take 8 MB more in each step, for as long as it may, and give nothing back."""
    task.log(f"in process {os.getpid()}")
    for _ in task.each(range(200)):
        _kept.append(bytearray(os.urandom(1024)) * 8192)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
