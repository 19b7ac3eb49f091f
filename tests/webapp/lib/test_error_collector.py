"""The collector: whoever logs an error waits for nothing, and what is kept of errors is bounded."""

import logging
import os
import threading
import time
from multiprocessing import get_context

import pytest

from webapp.lib import error_collector, logs
from webapp.lib.error_collector import ErrorCollector
from webapp.lib.error_occurrences import MOST_KINDS, TOO_MANY


@pytest.fixture
def log():
    """A logger of a test."""
    return logging.Logger("webapp.a_test")


@pytest.fixture
def collect(log, monkeypatch):
    """A function that makes the collector of a sink, which gets what the logger of the test logs."""
    monkeypatch.setattr(error_collector, "AGAIN_AFTER", 0.01)
    made = []

    def collect(sink) -> ErrorCollector:
        made.append(ErrorCollector(sink, lambda: {"process": "web"}))
        log.addHandler(made[-1])
        return made[-1]

    yield collect
    for collector in made:
        collector.stop()


def test_errors_of_a_kind_are_handed_on_together_with_the_ids_of_the_first(log, collect):
    found = []
    collector = collect(found.extend)
    for number in range(3):
        with logs.context(request_id=f"request-{number}", user_id=7):
            log.error("It has failed for %s", number)
    log.warning("This is none")
    assert collector.hand_on(5)
    [of] = found
    assert of.count == 3
    assert of.description.fields == {"process": "web", "request_id": "request-0"}
    assert of.first_at <= of.last_at


def test_a_torrent_of_errors_takes_little_memory_and_holds_nobody(log, collect):
    found, lets_go = [], threading.Event()
    collector = collect(lambda some: (lets_go.wait(10), found.extend(some)))
    logger = [logging.Logger(f"logger.{number}") for number in range(10 * MOST_KINDS)]
    for each in logger:
        each.addHandler(collector)
    begun = time.perf_counter()
    for number in range(10_000):
        logger[number % len(logger)].error("It has failed")
    took = time.perf_counter() - begun
    lets_go.set()
    collector.hand_on(10)
    collector.hand_on(10)
    assert took < 5, "a sink that hangs holds up nobody"
    assert sum(of.count for of in found) == 10_000
    assert TOO_MANY in {of.description.kind for of in found}
    assert len(collector._found._by_kind) <= MOST_KINDS + 1


def test_what_a_sink_refuses_is_given_to_it_again(log, collect):
    found, refusals = [], iter([OSError("the database is away")])

    def sink(some) -> None:
        for error in refusals:
            log.error("An error within the reporting is not reported")
            raise error
        found.extend(some)

    collector = collect(sink)
    log.error("It has failed")
    collector.hand_on(5)
    log.error("It has failed again")
    assert collector.hand_on(5) or collector.hand_on(5)
    assert sorted(of.description.kind.words for of in found) == ["It has failed", "It has failed again"]


class Hostile:
    """An object that can be logged by nobody."""

    def __str__(self) -> str:
        logging.getLogger("webapp.a_test").error("again")
        raise ValueError("no")


def test_an_error_while_an_error_is_told_of_goes_nowhere(log, collect, capsys, monkeypatch):
    found = []
    collector = collect(found.extend)
    log.error(Hostile())
    log.error("%s", Hostile())
    with logs.context(request_id=Hostile()):
        log.error("It has failed")  # raises nothing here
    assert "ValueError" in capsys.readouterr().err
    assert collector.hand_on(5)
    assert len(found) == 2


def test_a_process_that_ends_at_once_hands_on_its_errors_and_not_those_of_its_parent(log, collect, tmp_path):
    def sink(some) -> None:
        with (tmp_path / f"{os.getpid()}").open("a") as file:
            file.writelines(f"{of.description.kind.words}\n" for of in some)

    collector = collect(sink)
    log.error("Of the parent")
    child = get_context("fork").Process(target=lambda: log.error("Of the child"))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert collector.hand_on(5)
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts == {str(os.getpid()): "Of the parent\n", str(child.pid): "Of the child\n"}


def test_a_fork_waits_until_the_sink_is_done(log, collect):
    is_sinking, lets_go, states = threading.Event(), threading.Event(), []

    def sink(_) -> None:
        is_sinking.set()
        lets_go.wait(5)
        states.append("sunk")

    collector = collect(sink)
    log.error("It has failed")
    threading.Thread(target=collector.hand_on, args=[5]).start()
    assert is_sinking.wait(5)
    threading.Timer(0.05, lets_go.set).start()
    if (pid := os.fork()) == 0:
        os._exit(len(states))
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
