"""`make run`: the Procfile's web and worker and the development mailbox, on this machine, until Ctrl-C or TERM."""

import importlib
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager
from peewee import PeeweeException
from redis import RedisError

from tasks.queue import huey
from webapp import database
from webapp.environment import CannotStart
from webapp.settings import Settings, SettingsError

PYTHON = shlex.quote(sys.executable)
ROOT = Path(__file__).parent.parent
BANNER = """
  {name} runs at http://127.0.0.1:{port}

  Continue as a guest, write a post, and press "Export my posts" on your profile.
  {mail}
  Everything is kept in {data_dir}. Ctrl-C stops it.
"""


def main() -> None:
    """Check, migrate, and run. Exits with one line when something cannot work, before anything is started."""
    with or_one_line():
        env = environment() | {
            "PYTHONUNBUFFERED": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        settings = Settings.from_env(env)
        _demand_free(settings.port)
        # Not 0.0.0.0, which is what gunicorn makes of PORT: a development site is for this machine alone.
        env["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{settings.port} {os.environ.get('GUNICORN_CMD_ARGS', '')}"
        if settings.mailbox:
            env["MAIL_PORT"] = os.environ.get("MAIL_PORT") or str(free_port())
        make_ready(settings)
        importlib.import_module("webapp.routes")  # with every task: a wrong one is told before anything starts

    manager = Manager()
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    for name in ("web", "worker"):
        manager.add_process(name, f"exec {PYTHON} -m webapp.keep {commands[name]}", env=env, cwd=str(ROOT))
    mail = f"Mail is sent by {settings.mail_server}."
    if settings.mailbox:
        command = f"exec {PYTHON} -m webapp.mailbox"
        manager.add_process("mailbox", command, env=env, cwd=str(ROOT))
        mail = f"Mail goes nowhere but to http://127.0.0.1:{settings.port}/mailbox"
    print(BANNER.format(name=settings.app_name, port=settings.port, mail=mail, data_dir=settings.data_dir), flush=True)
    manager.loop()
    # Stopped because somebody asked: that is how it should end.
    sys.exit(0 if manager.returncode in {130, 143} else manager.returncode)


def environment() -> dict[str, str]:
    """The environment of a development site: this process's own, and mail goes to the development mailbox.

    It does with a database server or Redis, too; but a site that others reach, as its BASE_URL says, has no mailbox.
    """
    port = os.environ.get("PORT", "")
    own = {"BASE_URL": f"http://127.0.0.1:{port if port.isdigit() else 5000}", "DEV_MAILBOX": "1"}
    return own | {name: value for name, value in os.environ.items() if value or name not in own}


def make_ready(settings: Settings) -> None:
    """Bring the database and the queue of these settings up to date, and see that both answer."""
    database.configure(settings)
    huey.configure(settings)
    database.migrate(huey.create_tables)
    database.database.close()
    huey.pending_count()


@contextmanager
def or_one_line() -> Iterator[None]:
    """Exit with one line on standard error where this block says why nothing can start, or a server does not answer."""
    try:
        yield
    except CannotStart as error:
        sys.exit(error.report)
    except PeeweeException as error:
        sys.exit(f"errand: the database cannot be used: {_first_line(error)}")
    except RedisError as error:
        sys.exit(f"errand: Redis does not answer: {_first_line(error)}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _demand_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsError(f"port {port} is taken; choose another, like PORT={port + 1} make run") from error


if __name__ == "__main__":
    main()
