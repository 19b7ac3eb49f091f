"""Options: what a task function's author may tell `@user_task`."""

from dataclasses import KW_ONLY, dataclass

from tasks.engine.functions import Function
from tasks.engine.preview import Preview
from tasks.engine.retries import Retries
from tasks.engine.undo import Undo
from webapp.lib.phrases import Words


@dataclass(frozen=True)
class Options:
    """The options of `@user_task`, each with its default."""

    # What people read: a format string over the arguments, a declared phrase, or a function of them that gives either;
    # without one, the function's name.
    title: str | Function[Words] | None = None
    _: KW_ONLY
    # A user has at most one such task under way; with names of parameters, one for each combination of their values.
    one_at_a_time: bool | tuple[str, ...] = False
    # How often an attempt is tried again that failed by an error that may pass, or a Retries that says more.
    retries: int | Retries = 0
    # How many seconds a whole run may take; without it, a run is ended once it shows no progress.
    timeout: float | None = None
    # From -10 to 10: tasks of a higher priority go before all others.
    priority: int = 0
    # A function of the same arguments that says what the task would do; the form then offers that.
    preview: Function[Preview] | None = None
    # How a finished task is taken back.
    undo: Undo | None = None
    # Whether it has a form of its own at /tasks/new. Otherwise only code starts it.
    listed: bool = True
    # It is the site's own work for a person, who sees and hears nothing of it; it is deleted soon after its end.
    internal: bool = False
    # What it makes counts as stored by its owner, but may be more than they have room for.
    may_exceed_storage: bool = False
    # How many steps it has, or a function of the arguments that says so: written as the task is started, shown while
    # it waits, and what it weighs as a child of a chain, a group or a chord.
    total: int | Function[int] | None = None
