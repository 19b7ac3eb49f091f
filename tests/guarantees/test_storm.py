"""Everything at once."""

from collections import defaultdict

from tasks.send_mail import submit
from tests.guarantees.sites import is_done, state_of
from tests.guarantees.storm import FLUSHES, LONGEST, Storm
from tests.mailserver import MailServer
from tests.network import Network
from tests.processes import until
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Mailing, State, Task

PEOPLE = [f"p{number}@example.com" for number in range(30)]


def test_in_a_storm_every_task_is_done_and_every_effect_is_there_once(site, user):
    site.rest()
    flush = site.empty_queue if "REDIS_URL" in site.env else None
    pause = 0.02 if "DATABASE_URL" in site.env else 0.01  # SQLite lets one task write at a time
    outcome = Storm(site, flush, tasks=32, pause=pause).rage(60)
    print(outcome)
    assert (outcome.unsuccessful, outcome.missing, outcome.twice) == (0, 0, 0)
    assert outcome.kills >= 4
    assert outcome.rescues
    assert outcome.flushes == (FLUSHES if flush else 0)
    assert outcome.rescued_after < LONGEST
    assert outcome.idle < LONGEST


def test_in_a_storm_on_the_ways_to_redis_and_to_the_mail_server_nothing_is_lost_or_made_twice(new_site, redis):
    """Processes are killed meanwhile, too."""
    redis.flush()
    server = MailServer()
    with server.running(), Network(redis.port) as to_redis, Network(server.port) as to_mail:
        ways = {"REDIS_URL": f"redis://127.0.0.1:{to_redis.port}", "MAIL_PORT": str(to_mail.port)}
        site = new_site("sqlite", **ways)
        with site.entered(REDIS_URL=redis.url):
            mailing = _mail_to(PEOPLE)
            outcome = Storm(site, site.empty_queue, tasks=24, pause=0.01, networks=[to_redis, to_mail]).rage(90)
            print(outcome)
            site.start_worker()
            until(lambda: _is_done_if_pressed(mailing), 60)
            site.stop("worker")
    assert (outcome.unsuccessful, outcome.missing, outcome.twice) == (0, 0, 0)
    assert outcome.faults >= 4
    assert outcome.rescues
    assert state_of(mailing) == State.SUCCEEDED
    got = defaultdict(set)
    for mail, [address] in zip(server.mails, server.recipients, strict=True):
        got[address].add(mail["Message-ID"])
    assert {address: len(ids) for address, ids in got.items()} == dict.fromkeys(PEOPLE, 1)


def _mail_to(people: list[str]) -> Task:
    draft = Mailing.begin_draft(make_user(email="ann@example.com"))
    draft.write(subject="Hello", recipients="\n".join(people))
    return submit(draft, people, limit=5000)


def _is_done_if_pressed(task: Task) -> bool:
    """Whether it is done; nobody waits the minute after which it is tried again by itself."""
    Task.update(run_at=utcnow()).where(Task.id == task.id, Task.state == State.RETRYING).execute()
    return is_done(task)


def test_in_a_storm_over_a_network_that_fails_time_and_again_it_is_the_same(new_site):
    site = new_site("postgres")
    with site.far_away() as network, site.entered():
        faults = (Network.stall, Network.cut, Network.swallow, Network.refuse)
        outcome = Storm(site, None, 8, 0.02, networks=[network], faults=faults, change_every=3.0).rage(150)
    print(outcome)
    assert (outcome.unsuccessful, outcome.missing, outcome.twice) == (0, 0, 0)
    assert outcome.kills >= 1
    assert outcome.faults >= 1, "it may be over before the second"
