"""The variables of site alerts: how bad things may be before an operator is told."""

from dataclasses import dataclass

from webapp.lib.environment import Reader


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """How bad things may be; 0 is no limit. They hold for each kind of task by itself."""

    oldest_wait: int = 300  # seconds that a task has been waiting for a worker
    failure_percent: int = 50  # of those that ended lately and were not canceled
    failure_least: int = 10  # that have to have ended, or a share says nothing
    mail_wait: int = 900  # seconds that a mail about an account, for which somebody may sit and wait, has not been sent


def read_alert_limits(read: Reader) -> AlertLimits:
    """The limits; remembers as problems what cannot work."""
    default = AlertLimits()
    return AlertLimits(
        oldest_wait=read.integer("ALERT_OLDEST_WAIT_SECONDS", default.oldest_wait, 0, 86400),
        failure_percent=read.integer("ALERT_FAILURE_PERCENT", default.failure_percent, 0, 100),
        failure_least=read.integer("ALERT_FAILURE_TASKS", default.failure_least, 1, 1_000_000),
        mail_wait=read.integer("ALERT_MAIL_WAIT_SECONDS", default.mail_wait, 0, 86400),
    )
