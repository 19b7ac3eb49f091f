"""Error reports: one row a kind, counted by all processes, and a mail about each at most once an hour."""

import threading
from datetime import timedelta

import pytest

from webapp.db import database
from webapp.lib.error_description import Description, Kind
from webapp.lib.error_occurrences import TOO_MANY, Occurrences
from webapp.lib.times import utcnow
from webapp.models import ErrorReport, error_report


def _occurred(words: str = "It has failed", count: int = 1) -> Occurrences:
    now = utcnow()
    return Occurrences(Description(Kind("webapp.a_test", words), "ERROR"), now, now, count)


@pytest.fixture
def pass_time():
    """A function that lets so much time pass for all that was reported."""

    def pass_time(by: timedelta) -> None:
        for report in ErrorReport.select():
            report.quiet_until -= by
            report.last_at -= by
            report.due_at = report.due_at and report.due_at - by
            report.save()

    return pass_time


def test_processes_count_one_kind_together_and_tell_of_it_once_an_hour(each_database, pass_time):
    barrier = threading.Barrier(2)

    def report() -> None:
        barrier.wait(10)
        ErrorReport.add([_occurred(count=2), _occurred("Another")])
        database.close()

    threads = [threading.Thread(target=report) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    due = ErrorReport.next_due()
    assert {report.summary: report.count for report in ErrorReport.select()} == {"It has failed": 4, "Another": 2}
    again = ErrorReport.get(ErrorReport.kind == due.kind)
    assert due.claim()
    assert not again.claim(), "another that has read the same"
    ErrorReport.add([_occurred(due.summary, 3)])
    ErrorReport.next_due().claim()
    assert ErrorReport.next_due() is None, "there was a mail about each just now"
    pass_time(timedelta(hours=1))
    assert ErrorReport.next_due().news == 3
    ErrorReport.next_due().claim()
    pass_time(timedelta(hours=2))
    assert ErrorReport.next_due() is None, "nothing has happened since"


def test_what_occurs_between_reading_and_claiming_is_told_later(app, pass_time):
    ErrorReport.add([_occurred()])
    due = ErrorReport.next_due()
    ErrorReport.add([_occurred()])
    assert due.claim()
    pass_time(timedelta(hours=1))
    assert ErrorReport.next_due().news == 1


def test_there_are_no_more_rows_than_a_thousand_and_old_ones_go(app, monkeypatch, pass_time):
    monkeypatch.setattr(error_report, "MOST_ROWS", 3)
    ErrorReport.add([_occurred(f"Error {number}") for number in range(10)])
    assert ErrorReport.select().count() == 4
    assert ErrorReport.get(ErrorReport.kind == TOO_MANY.digest).count == 7
    ErrorReport.add([_occurred("Error 1") if number else _occurred("New") for number in range(2)])
    assert ErrorReport.select().count() == 4
    pass_time(error_report.KEPT)
    assert [ErrorReport.purge(3), ErrorReport.purge(3), ErrorReport.purge(3)] == [3, 1, 0]
