"""The demo world as a whole: made in one transaction, in an empty database."""

from itertools import chain
from operator import attrgetter

from peewee import PostgresqlDatabase

from tasks.engine.retention import purge
from webapp.db import database
from webapp.dev.demo import people
from webapp.dev.demo.alert import watch
from webapp.dev.demo.crowd import make_crowd
from webapp.dev.demo.desk import deeds
from webapp.dev.demo.fake_smtp import FakeSmtp
from webapp.dev.demo.mail import leave_drafts, mails
from webapp.dev.demo.neighbors import quarrels
from webapp.dev.demo.numbers import count_everything
from webapp.dev.demo.outage import OUTAGE, date_causes, failures
from webapp.dev.demo.programs import give_tokens
from webapp.dev.demo.simulation import Simulation
from webapp.dev.demo.town import create_town
from webapp.dev.demo.work import begin_work, past_work
from webapp.dev.demo.worker import leave_worker
from webapp.lib.i18n import ngettext
from webapp.lib.times import utcnow
from webapp.models import User


class NotEmpty(Exception):
    """The database has `number` people already."""

    def __init__(self, number: int) -> None:
        super().__init__(ngettext("%(num)s person is here already", "%(num)s people are here already", number))
        self.number = number


def fill(smtp: FakeSmtp) -> None:
    """Fill an empty database in one transaction. Takes a few seconds, in which others cannot write.

    Needs the context of an app that sends its mail to this server. Raises NotEmpty, having changed nothing, if anybody
    has an account.
    """
    with database.atomic():
        if isinstance(database.obj, PostgresqlDatabase):
            database.execute_sql("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")  # so that nobody comes meanwhile
        if number := User.select().count():
            raise NotEmpty(number)
        _play(Simulation(utcnow(), smtp))


def _play(simulation: Simulation) -> None:
    everybody = people.create_people(simulation.now)
    ann, town = everybody[people.MAIN], create_town(simulation.now)
    stories = (
        people.posts(everybody, simulation.now),
        people.messages(everybody, simulation.now),
        quarrels(everybody, simulation.now),
        past_work(everybody, simulation),
        mails(ann, simulation),
        failures(ann, town, simulation),
        deeds(everybody, simulation),
    )
    for event in sorted(chain(*stories), key=attrgetter("at")):
        event.run()
    make_crowd(town, simulation.now, OUTAGE)
    begin_work(ann, simulation)
    give_tokens(everybody, simulation.now)
    leave_drafts(ann, simulation.now)
    leave_worker(simulation.now)
    date_causes()
    count_everything(simulation.now)
    watch(simulation.now)
    purge()  # what is as old as that would have gone
