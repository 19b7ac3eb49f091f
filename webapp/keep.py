"""Keeps a process of `make run` running: `python -m webapp.keep <command>` starts it again when it was killed.

A platform does so by itself. What ends in any other way, ends this too, with the same code.
"""

import signal
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run a command until it ends by itself; returns its code. TERM and INT reach it by the group that it shares."""
    stopping = []
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda number, _: stopping.append(number))
    while True:
        code = subprocess.Popen(command).wait()  # noqa: S603 - the Procfile's own
        if code != -signal.SIGKILL or stopping:
            return code if code >= 0 else 128 - code
        print("It was killed, and is started again", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
