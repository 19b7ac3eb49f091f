"""The configuration: one frozen object, replaced as a whole."""

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from tasks.engine import config


def test_settings_replace_what_they_have_and_leave_the_rest(configure, settings):
    configure(report_every=7.0)
    before = config.config()
    config.configure(replace(settings, task_lease=33, task_timeout=44))
    assert (config.config().lease, config.config().timeout) == (timedelta(seconds=33), 44.0)
    assert config.config().report_every == 7.0
    assert before.lease != timedelta(seconds=33), "whoever looks at one sees it whole"


def test_a_configuration_is_frozen_and_has_no_other_fields(configure):
    with pytest.raises(FrozenInstanceError):
        config.config().lease = timedelta(0)
    with pytest.raises(TypeError):
        configure(leese=timedelta(0))
