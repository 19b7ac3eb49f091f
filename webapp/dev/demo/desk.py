"""What those who look after the site have done: some of it lasts, and all of it stands in the audit."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from tasks.countdown import countdown
from tasks.engine.models.kind_control import KindControl
from tasks.engine.stop_flag import StopRequested
from webapp.dev.account_factories import make_report
from webapp.dev.demo.instant_run import InstantRun, run_next
from webapp.dev.demo.people import MAIN, SCAM, SCAMMER, People
from webapp.dev.demo.simulation import Simulation
from webapp.dev.demo.timeline import Event, days_ago
from webapp.dev.factories import make_post
from webapp.models import Post, Report, Suspension, Task, User
from webapp.models.audit import Asker, Audited, AuditEntry, Via, audit, record_refusal
from webapp.models.permissions import Role
from webapp.models.report import Verdict
from webapp.models.steering import steer
from webapp.models.suspension_work import carry_out

NETWORK = "198.51.100.0/24"  # of an example, see RFC 5737
TICKETS = "You have WON two tickets to the opera. Send me your bank card to collect them"
CONSTRUCTION = "The mail provider renews its certificates"
ASKED = "Ann asks what was in it"
STUCK = "You asked us to: 60 seconds were meant"
Deed = Callable[[datetime], object]


def deeds(people: People, simulation: Simulation) -> Iterator[Event]:
    """What was done at the desk and by commands, from the first roles on; and what was refused."""
    olga, hana, tomas, ann = (people[name] for name in ("olga", "hana", "tomas", MAIN))

    def done(days: float, deed: Deed) -> Event:
        at = days_ago(simulation.now, days)
        return simulation.event(at, lambda at: _dated(deed, at))

    for days, person, role in ((46.1, hana, Role.ADMIN), (45.2, olga, Role.OPERATOR), (12.4, tomas, Role.VIEWER)):
        yield done(days, partial(_give_role, person, role))
    yield done(9.3, lambda at: _mail_paused(olga, at))
    yield done(9.2, lambda _: _note(olga, Audited.RESUME_KIND, "kind send_mail"))
    yield done(6.4, lambda _: _limit_pictures(olga))
    yield done(5.6, lambda _: _refuse(tomas, Audited.PAUSE_KIND, "kind countdown"))
    yield done(3.4, lambda at: _cancel_long_one(olga, people["jiwoo"], simulation, at))
    yield done(0.11, lambda _: _note(olga, Audited.SHOW_ARGUMENTS, _latest(ann), ASKED, about=ann))
    yield done(0.02, lambda _: _refuse(tomas, Audited.RETRY_TASK, _latest(ann)))
    yield from _scam(people, simulation)


def _dated(deed: Deed, at: datetime) -> None:
    """Do it, and move what the audit got by that to where it belongs."""
    before = AuditEntry.select().count()
    deed(at)
    new = AuditEntry.select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(AuditEntry.select().count() - before)
    AuditEntry.update(at=at).where(AuditEntry.id.in_([entry.id for entry in new])).execute()


def _by(user: User) -> Asker:
    return Asker(user=user, via=Via.PAGE, network=NETWORK)


def _note(
    user: User, action: Audited, target: str, reason: str = "", after: object = None, about: User | None = None
) -> None:
    """That something was done of which nothing else is left."""
    with audit(_by(user), action, target, reason=reason, about=about) as entry:
        entry.after = after


def _refuse(user: User, action: Audited, target: str) -> None:
    record_refusal(_by(user), action, target, "not allowed by the role")


def _give_role(user: User, role: Role, _: datetime) -> None:
    """By the command that gives the first ones."""
    machine = Asker(user=None, via=Via.COMMAND, command_user="errand")
    with audit(machine, Audited.CHANGE_ROLE, f"person {user.id}", about=user) as entry:
        entry.before, entry.after = {"role": None}, {"role": role}


def _mail_paused(olga: User, at: datetime) -> None:
    """A kind that was paused for some hours."""
    until = (at + timedelta(hours=4)).replace(minute=0, second=0, microsecond=0)
    nothing = {"paused_until": None, "reason": "", "running": None, "per_person": None, "per_second": None}
    after = nothing | {"paused_until": until.isoformat() + "Z", "reason": CONSTRUCTION}
    _note(olga, Audited.PAUSE_KIND, "kind send_mail", CONSTRUCTION, after=after)


def _limit_pictures(olga: User) -> None:
    """A kind that has a limit since."""
    name = "resize_images"
    with audit(_by(olga), Audited.LIMIT_KIND, f"kind {name}") as entry:
        KindControl.limit(name, running=4, per_person=2)
        control = KindControl.get_by_id(name)
        entry.after = control.decided
    KindControl.update(told_until=None).where(KindControl.name == name).execute()  # everybody knows by now


def _cancel_long_one(olga: User, owner: User, simulation: Simulation, at: datetime) -> None:
    """A countdown that its owner could not end, and an operator did."""

    def cancel(run: InstantRun) -> None:
        steer(_by(olga), Task.get_by_id(run.id), "cancel", STUCK)
        run.ask_to_stop(StopRequested)

    task = countdown.launch(owner, seconds=600)
    run_next(52, cancel)
    simulation.backdate(task, at, 52.3)


def _latest(user: User) -> str:
    task = Task.select().where(Task.user == user, Task.parent.is_null()).order_by(Task.created_at.desc()).get()
    return f"task {task.id}"


def _scam(people: People, simulation: Simulation) -> Iterator[Event]:
    """Somebody who was reported, and then suspended."""
    olga, hana, scammer, reader = (people[name] for name in ("olga", "hana", SCAMMER, "chiara"))
    at = simulation.now - SCAM

    def report(at: datetime) -> None:
        found = make_report(reader, Post.get(Post.user == scammer), "Nobody wins anything here.")
        Report.update(created_at=at).where(Report.id == found.id).execute()

    def close(at: datetime) -> None:
        found = Report.get(Report.about == scammer)
        with audit(_by(olga), Audited.CLOSE_REPORT, f"report {found.id}", about=scammer) as entry:
            entry.count, entry.after = found.close(olga, Verdict.HANDLED), Verdict.HANDLED
        Report.update(closed_at=at).where(Report.id == found.id).execute()

    yield Event(at, lambda: make_post(scammer, TICKETS, created_at=at))
    yield simulation.event(at + timedelta(minutes=33), report)
    yield simulation.event(at + timedelta(minutes=58), lambda at: _dated(lambda at: _suspend(hana, scammer, at), at))
    yield simulation.event(at + timedelta(minutes=61), lambda at: _dated(close, at))


def _suspend(hana: User, scammer: User, at: datetime) -> None:
    reason = "Asks people for their bank cards."
    with audit(_by(hana), Audited.SUSPEND_PERSON, f"person {scammer.id}", about=scammer, reason=reason):
        suspension = Suspension.begin(scammer, reason)
    assert suspension
    carry_out(suspension)
    Suspension.update(suspended_at=at, settled_at=at).where(Suspension.id == suspension.id).execute()
    User.update(suspended_at=at).where(User.id == scammer.id).execute()
