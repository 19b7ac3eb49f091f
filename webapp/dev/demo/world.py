"""The world as a whole: made in one transaction, in a database that has nobody in it."""

from itertools import chain
from operator import attrgetter

from peewee import PostgresqlDatabase

from tasks.engine.retention import purge
from webapp.db import database
from webapp.dev.demo import people
from webapp.dev.demo.fake_smtp import Postman
from webapp.dev.demo.mail import leave_on_the_desk, mails
from webapp.dev.demo.simulation import Life
from webapp.dev.demo.work import begin_work, past_work
from webapp.lib.i18n import ngettext
from webapp.lib.times import utcnow
from webapp.models import User


class Inhabited(Exception):
    """There are people already; `number` is how many."""

    def __init__(self, number: int) -> None:
        super().__init__(ngettext("%(num)s person is here already", "%(num)s people are here already", number))
        self.number = number


def fill(postman: Postman) -> None:
    """Fill an empty database, wholly or not at all. Takes a few seconds; others wait with their writes for as long.

    Needs the context of an app that mails by this postman. Raises Inhabited, having changed nothing, where anybody has
    an account.
    """
    with database.atomic():
        if isinstance(database.obj, PostgresqlDatabase):
            database.execute_sql("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")  # so that nobody comes meanwhile
        if number := User.select().count():
            raise Inhabited(number)
        _live(Life(utcnow(), postman))


def _live(life: Life) -> None:
    everybody = people.settle_people(life.now)
    ann = everybody[people.MAIN]
    stories = (
        people.posts(everybody, life.now), people.messages(everybody, life.now), past_work(everybody, life),
        mails(ann, life),
    )  # fmt: skip
    for happening in sorted(chain(*stories), key=attrgetter("at")):
        happening.happen()
    begin_work(ann, life)
    leave_on_the_desk(ann, life.now)
    purge()  # what is as old as that would have gone
