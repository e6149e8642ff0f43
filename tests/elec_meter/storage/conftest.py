"""What several tests of damage begin with."""

from __future__ import annotations

import pytest

from tests.elec_meter.storage.repairs import Sound, lived


@pytest.fixture(scope="session")
def sound_database(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A database as it was before it was damaged."""
    return lived(tmp_path_factory.mktemp("sound"))
