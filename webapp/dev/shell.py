"""`make shell`: a Python shell on the database of `make run`, in the app's context, models and task functions at hand.

`make shell ARGS=ann` is the same with Ann as `user`. The site may run meanwhile: what is started here, its worker does.
"""

import code
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.catalogue import CATALOGUE
from webapp import models
from webapp.app import create_app
from webapp.db.startup import or_one_line
from webapp.dev.__main__ import environment, make_ready
from webapp.lib.environment import SettingsError
from webapp.models import User, username_key
from webapp.settings import Settings

HISTORY = "shell_history"  # in DATA_DIR
HISTORY_LENGTH = 2000  # lines
BANNER = """
  {app} on {database}

  user       {user}
  models     {models}
  tasks      {tasks}
             countdown.launch(user, seconds=5) starts one, which the worker of make run does
  app        the Flask app, whose context this is
"""


def main() -> None:
    """Prepare the database as `make run` does, and read lines until the end of input.

    Exits with one line where a setting is wrong, the database does not answer, or nobody has the name that was given.
    """
    with or_one_line():
        settings = Settings.from_env(environment())
        make_ready(settings)
        app = create_app(settings, patient=True)
    with app.app_context():
        with or_one_line():
            user = find_user(sys.argv[1] if len(sys.argv) > 1 else "")
        names = at_hand(user) | {"app": app}
        with _line_editing(names, settings.data_dir / HISTORY):
            code.interact(_banner(settings, user), local=names, exitmsg="")


def find_user(name: str) -> User | None:
    """Who has this name; without one, who was here last, or None on a site that nobody has come to.

    Raises SettingsError where nobody has it.
    """
    if not name:
        return next(iter(User.select().order_by(User.seen_at.desc(), User.id.desc()).limit(1)), None)
    if user := User.get_or_none(User.username_key == username_key(name)):
        return user
    raise SettingsError(f"nobody here is called {name}")


def at_hand(user: User | None) -> dict[str, object]:
    """What the shell's lines may name: every model, every task function that this site has, and a person."""
    named = {name: getattr(models, name) for name in models.__all__}
    return named | CATALOGUE | {"user": user}


def _banner(settings: Settings, user: User | None) -> str:
    return BANNER.format(
        app=settings.app_name,
        database=settings.database_url.partition("://")[0] + f", data in {settings.data_dir}",
        user=f"{user.username}, id {user.id}" if user else "nobody yet: None",
        models=_wrapped(model.__name__ for model in models.MODELS),
        tasks=_wrapped(CATALOGUE),
    )


def _wrapped(names: Iterable[str]) -> str:
    return ("\n" + 13 * " ").join(textwrap.wrap(", ".join(names), 100))


@contextmanager
def _line_editing(names: dict[str, object], history: Path) -> Iterator[None]:
    """Completion by Tab, and a history that outlives the shell, for who types, where Python has readline."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        yield
        return
    if not sys.stdin.isatty():
        yield
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    is_editline = "libedit" in (readline.__doc__ or "")  # macOS
    readline.parse_and_bind("bind ^I rl_complete" if is_editline else "tab: complete")
    readline.set_history_length(HISTORY_LENGTH)
    with suppress(OSError):  # there is none yet
        readline.read_history_file(history)
    try:
        yield
    finally:
        with suppress(OSError):  # a full disk is no reason to end badly
            readline.write_history_file(history)


if __name__ == "__main__":
    main()
