"""`make run`: the Procfile's web and worker and the development mailbox, on this machine, until Ctrl-C or TERM.

`make dev` is the same with `--reload`: web and worker start anew when a file of the site has changed.
"""

import importlib
import os
import shlex
import socket
import sys
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

from tasks.queue import huey
from webapp import db
from webapp.db.startup import or_one_line
from webapp.dev import respawn
from webapp.settings import LOOPBACK, Settings, SettingsError, hostname
from webapp.storage import use_storage

PYTHON = shlex.quote(sys.executable)
ROOT = Path(__file__).parents[2]
BANNER = """
  {name} is running at http://127.0.0.1:{port}

  Continue as a guest, write a post, and press "Export my posts" below it.
  {mail}
  Data is kept in {data_dir}. Press Ctrl-C to stop.
"""
RELOADS = "  Web and worker start anew when a file in webapp, tasks or templates is saved.\n"


def main() -> None:
    """Check, migrate, and run. Exits with one line when something cannot work, before anything is started."""
    reload = respawn.RELOAD in sys.argv[1:]
    with or_one_line():
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = environment() | {"PYTHONUNBUFFERED": "1", "PATH": path}
        settings = Settings.from_env(env)
        _demand_free(settings.port)
        # Also in a container: a development site is for this machine alone.
        env["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{settings.port} {os.environ.get('GUNICORN_CMD_ARGS', '')}"
        if settings.mailbox:
            env["MAIL_PORT"] = os.environ.get("MAIL_PORT") or str(free_port())
        make_ready(settings)
        importlib.import_module("webapp.web.routes")  # with every task: a wrong one is told before anything starts

    manager = Manager()
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    for name in ("web", "worker"):
        kept = f"{respawn.RELOAD} {commands[name]}" if reload else commands[name]
        manager.add_process(name, f"exec {PYTHON} -m webapp.dev.respawn {kept}", env=env, cwd=str(ROOT))
    mail = f"Mail is sent by {settings.mail_server}." if settings.mail_server else "No mail is sent: set MAIL_SERVER."
    if settings.mailbox:
        command = f"exec {PYTHON} -m webapp.dev.mailbox"
        manager.add_process("mailbox", command, env=env, cwd=str(ROOT))
        mail = f"Mail goes nowhere but to http://127.0.0.1:{settings.port}/mailbox"
    banner = BANNER.format(name=settings.app_name, port=settings.port, mail=mail, data_dir=settings.data_dir)
    print(banner + (RELOADS if reload else ""), flush=True)
    manager.loop()
    # Stopped because somebody asked: that is how it should end.
    sys.exit(0 if manager.returncode in {130, 143} else manager.returncode)


def environment() -> dict[str, str]:
    """The environment of a development site: this process's own, and mail goes to the development mailbox.

    It does with a database server or Redis, too; but a site that others reach, as its BASE_URL says, has no mailbox.
    """
    port = os.environ.get("PORT", "")
    is_port = port.isdecimal() and int(port[:6]) < 65536  # what is none is told by the settings
    own = {"BASE_URL": f"http://127.0.0.1:{port if is_port else 5000}"}
    if not os.environ.get("BASE_URL") or _is_here(os.environ["BASE_URL"]):
        own["DEV_MAILBOX"] = "1"
    return own | {name: value for name, value in os.environ.items() if value or name not in own}


def _is_here(url: str) -> bool:
    try:
        return hostname(url.strip()) in LOOPBACK
    except ValueError:
        return False


def make_ready(settings: Settings) -> None:
    """Bring the database and the queue of these settings up to date, and see that both answer."""
    use_storage(settings)
    db.migrate(huey.create_tables)
    db.database.close()
    huey.storage.queue_size()  # not `pending_count`, which tells the log of it, too


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _demand_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsError(f"port {port} is taken; choose another, like PORT={port + 1} make run") from error


if __name__ == "__main__":
    main()
