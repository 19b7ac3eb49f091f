"""Keeps a process of `make run` running: `python -m webapp.dev.respawn <command>` starts it anew when it was killed,
as a platform does by itself, and when a file of the site has changed.

What ends in any other way ends this, too, with the same code. But what ends because of a change, such as a file with a
syntax error, waits for the next one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("webapp", "tasks", "templates")
SUFFIXES = (".py", ".html", ".txt", ".css", ".js", ".svg")
LOOK_EVERY = 1.0  # seconds; a look is one stat of each file, some milliseconds in all
SETTLED_AFTER = 0.2  # seconds without a change: who saves many files starts anew once

Files = dict[str, tuple[int, int]]


class Respawner:
    """Runs one command for as long as it should run."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.stopping: list[int] = []  # the signals that told this to stop
        self._files = files()
        self._is_changed = False  # since the first start

    def run(self) -> int:
        """Run the command until it ends by itself; returns its code.

        TERM and INT reach the command by the group that it shares with this process.
        """
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda number, _: self.stopping.append(number))
        while not self.stopping:
            code = self._run_once()
            if code is None:
                continue
            if self.stopping or (code != -signal.SIGKILL and not self._is_changed):
                return code if code >= 0 else 128 - code
            if code == -signal.SIGKILL:
                _say("It was killed, and is started again")
            else:
                _say("It has ended, and is started again after the next change")
                self._wait_for_change()
        return 128 + self.stopping[0]

    def _run_once(self) -> int | None:
        """Run the command to its end; returns its code, None where it was ended for a change."""
        process = subprocess.Popen(self.command)  # noqa: S603 - the Procfile's own
        if self.stopping:  # since it was decided to start it: it may have missed that
            process.terminate()
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_EVERY)
            if not self.stopping and self._has_changed():
                process.terminate()
                process.wait()
                return None

    def _wait_for_change(self) -> None:
        while not self.stopping and not self._has_changed():
            time.sleep(LOOK_EVERY)

    def _has_changed(self) -> bool:
        now = files()
        if now == self._files:
            return False
        changed = sorted(path for path, _ in now.items() ^ self._files.items())
        while now != self._files:
            self._files = now
            time.sleep(SETTLED_AFTER)
            now = files()
        _say(f"{changed[0]} has changed, so it is started anew")
        self._is_changed = True
        return True


def _say(words: str) -> None:
    """Print a line in one write: the command writes to the same output, and would else come before the line's end."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def files() -> Files:
    """When each file of the site was written last, and its size."""
    return {str(Path(entry.path).relative_to(ROOT)): _state(entry) for name in FOLDERS for entry in _walk(ROOT / name)}


def _walk(folder: Path | str) -> Iterator["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif entry.name.endswith(SUFFIXES) and not entry.name.startswith("."):  # an editor's own
                yield entry


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        stat = entry.stat()
    except OSError:  # deleted meanwhile
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


if __name__ == "__main__":
    sys.exit(Respawner(sys.argv[1:]).run())
