"""What the tests of the meter's commands share."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from tests.elec_meter.cli.commands import EVENING


@pytest.fixture(scope="session")
def autumn_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A meter that lived through the night on which the clocks go back; it is only read."""
    directory = tmp_path_factory.mktemp("house")
    with Storage.open(directory) as storage:
        meter = Meter(demo_config(), storage, EVENING)
        meter.handle_timer(EVENING + timedelta(hours=30))
        meter.checkpoint()
    return directory
