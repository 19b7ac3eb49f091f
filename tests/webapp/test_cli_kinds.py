"""Commands about the kinds of tasks."""

from datetime import timedelta

import pytest

from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, KindControl, State, Task
from webapp.models.audit import Outcome, Via

PAUSE = "kinds", "pause", "countdown", "--reason", "It is broken."


def _run(app, *command: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    result = app.test_cli_runner().invoke(args=command)
    return result.exit_code, result.output


def test_a_kind_is_paused_for_a_while_and_resumed(app):
    make_task(State.PENDING)
    code, said = _run(app, *PAUSE, "--for", "2h")
    control = KindControl.of("countdown")
    assert timedelta(hours=1, minutes=59) < control.paused_until - utcnow() <= timedelta(hours=2)
    assert (code, said) == (0, f"countdown is paused until {control.paused_until:%Y-%m-%d %H:%M:%S} UTC.\n")
    assert (control.reason, control.stops_running) == ("It is broken.", False)
    assert Task.claim(timedelta(seconds=15)) is None
    assert _run(app, "kinds", "resume", "countdown") == (0, "countdown goes on.\n")
    assert Task.claim(timedelta(seconds=15))
    assert _run(app, "kinds", "resume", "countdown") == (1, "Error: countdown is not paused\n")
    entries = [(entry.action, entry.target, entry.via, entry.outcome, entry.reason) for entry in AuditEntry.select()]
    assert entries == [
        ("pause kind", "kind countdown", Via.COMMAND, Outcome.DONE, "It is broken."),
        ("resume kind", "kind countdown", Via.COMMAND, Outcome.DONE, ""),
        ("resume kind", "kind countdown", Via.COMMAND, Outcome.REFUSED, ""),
    ]
    paused, resumed, _ = AuditEntry.select().order_by(AuditEntry.id)
    assert (paused.before, paused.after) == (None, resumed.before)
    assert resumed.before["paused_until"]
    assert resumed.after["paused_until"] is None


def test_what_runs_of_it_may_be_stopped_too(app):
    assert _run(app, *PAUSE, "--for", "1d", "--stop-running")[0] == 0
    assert KindControl.of("countdown").stops_running


def test_kinds_are_listed_with_what_holds_them(app):
    make_task(State.PENDING)
    make_task(State.IN_PROGRESS)
    KindControl.limit("countdown", running=2, per_second=0.5)
    _run(app, *PAUSE, "--for", "30m")
    until = f"{KindControl.of('countdown').paused_until:%Y-%m-%d %H:%M:%S}"
    code, said = _run(app, "kinds", "list")
    assert code == 0
    lines = dict(line.split("  ", 1) for line in said.splitlines())
    held = f"paused until {until}  at most 2 running  at most 0.5 per second"
    assert lines["countdown"] == f"1 waiting  1 running  0 ended  {held}"
    assert lines["export_posts"] == "0 waiting  0 running  0 ended"


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        (("pause", "nothing", "--for", "1h", "--reason", "x"), 1, "no kind is named nothing"),
        (("resume", "nothing"), 1, "no kind is named nothing"),
        (("pause", "countdown", "--for", "1h"), 2, "--reason"),
        (("pause", "countdown", "--for", "1h", "--reason", " "), 2, "say why"),
        (("pause", "countdown", "--reason", "x"), 2, "--for"),
        (("pause", "countdown", "--for", "31d", "--reason", "x"), 1, "a pause ends within 30 days"),
        (("pause", "countdown", "--for", "99999d", "--reason", "x"), 1, "a pause ends within 30 days"),
        *((("pause", "countdown", "--for", text, "--reason", "x"), 2, "like 30m") for text in ("0m", "1", "h", "-1h")),
    ],
)
def test_what_can_not_be_is_said_and_nothing_is_done(app, said, code, why):
    ended, words = _run(app, "kinds", *said)
    assert ended == code
    assert why in words
    assert not KindControl.all()
