"""What several tests of the pulse unit are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pulse_unit.central import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A unit with Bluetooth that nobody has paired with."""
    from tests.pulse_unit.central import Home  # Bumble takes a second to load

    return Home(tmp_path)
