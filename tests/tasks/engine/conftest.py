"""What tests of the engine arrange with."""

from datetime import timedelta

import pytest


@pytest.fixture
def each_look_sweeps(app, configure):
    """Each look of a sweeper looks for everything."""
    configure(sweep=timedelta(0))
