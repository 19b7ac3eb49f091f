"""The configuration: one frozen object, replaced as a whole."""

from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from tasks.engine import config


def test_an_app_configures_what_its_settings_have_and_leaves_the_rest(configure, make_app):
    configure(report_every=7.0)
    before = config.config()
    make_app(task_lease=33, task_timeout=44)
    assert (config.config().lease, config.config().timeout) == (timedelta(seconds=33), 44.0)
    assert config.config().report_every == 7.0
    assert before.lease != timedelta(seconds=33), "whoever looks at one sees it whole"


def test_a_configuration_is_frozen_and_has_no_other_fields(configure):
    with pytest.raises(FrozenInstanceError):
        config.config().lease = timedelta(0)
    with pytest.raises(TypeError):
        configure(leese=timedelta(0))
