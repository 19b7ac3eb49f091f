"""Keeps a process of `make run` running: `python -m webapp.dev.respawn <command>` starts it anew when it was killed,
as a platform does by itself. With `--reload` before the command, for `make dev`, also when a file of the site has
changed.

What ends in any other way ends this, too, with the same code. But what ends because of a change, such as a file with a
syntax error, waits for the next one.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
RELOAD = "--reload"
FOLDERS = ("webapp", "tasks", "templates")
SUFFIXES = (".html", ".txt", ".css", ".js", ".svg")  # besides Python's
LOOK_EVERY = 0.25  # seconds
SETTLED_WITHIN = 1.0  # seconds: who saves many files starts anew once; one file takes 0.05


class Respawner:
    """Runs one command for as long as it should run."""

    def __init__(self, command: list[str], reload: bool = False) -> None:
        """With `reload`, the command is told to stop by TERM whenever a file changes, and started anew once it has."""
        self.command = command
        self.stopping: list[int] = []  # the signals that told this to stop
        self._changes = changes() if reload else None
        self._has_changed = False  # since the first start

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
            if self.stopping or (code != -signal.SIGKILL and not self._has_changed):
                return code if code >= 0 else 128 - code
            if code == -signal.SIGKILL:
                _say("It was killed: restarting it")
            else:
                _say("It exited: restarting it after the next change")
                self._wait_for_change()
        return 128 + self.stopping[0]

    def _run_once(self) -> int | None:
        """Run the command to its end; returns its code, None where it was ended for a change."""
        process = subprocess.Popen(self.command)  # noqa: S603 - the Procfile's own
        if self.stopping:  # since it was decided to start it: it may have missed that
            process.terminate()
        while (code := process.poll()) is None:
            if self._look(process) and not self.stopping:
                process.terminate()
                process.wait()
                return None
        return code

    def _look(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait for a moment; whether a file has changed."""
        if self._changes is not None:
            return self._is_change(next(self._changes))
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_EVERY)
        return False

    def _wait_for_change(self) -> None:
        while not self.stopping and not (self._changes and self._is_change(next(self._changes))):
            pass

    def _is_change(self, paths: list[str]) -> bool:
        if paths:
            _say(f"{paths[0]} has changed: restarting")
            self._has_changed = True
        return bool(paths)


def changes() -> Iterator[list[str]]:
    """The files of the site that have changed since the last time, every LOOK_EVERY seconds, from this call on.

    What is written before the next time is not lost.
    """
    from watchfiles import PythonFilter, watch  # of requirements-dev.txt, for `make dev` alone

    seen = watch(
        *(ROOT / folder for folder in FOLDERS),
        watch_filter=PythonFilter(extra_extensions=SUFFIXES),
        debounce=round(1000 * SETTLED_WITHIN),
        rust_timeout=round(1000 * LOOK_EVERY),
        yield_on_timeout=True,
    )
    next(seen)  # from here on it watches
    return (sorted(str(Path(path).relative_to(ROOT)) for _, path in found) for found in seen)


def _say(words: str) -> None:
    """Print a line in one write: the command writes to the same output, and would else come before the line's end."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asks = sys.argv[1] == RELOAD
    sys.exit(Respawner(sys.argv[1 + asks :], reload=asks).run())
