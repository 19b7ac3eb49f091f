"""The limit that tracked tasks are measured against: the same consumer on the same storage, doing nothing."""

from tasks.worker import create_consumer
from tests.benchmarks import nothing  # noqa: F401 - its task must be known to the consumer
from webapp.settings import Settings

if __name__ == "__main__":
    create_consumer(Settings.from_env()).run()
