"""A copy to look at: the directory stays as it is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from elec_meter import Meter, Storage, demo_config
from elec_meter.errors import NotADataDirectoryError, StorageError
from elec_meter.storage.observe import observe
from tests.elec_meter.cli.commands import fingerprint

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a meter."""
    with Storage.open(tmp_path / "home") as storage:
        Meter(demo_config(), storage, NOW).checkpoint()
    return tmp_path / "home"


def test_a_meter_lives_on_the_copy_and_commits_nothing(home: Path) -> None:
    """The copy is loaded as the directory would be, and refuses a checkpoint."""
    with observe(home) as copy:
        meter = Meter(demo_config(), copy, NOW)
        assert 0 == meter.ledger.total("import")
        with pytest.raises(StorageError, match="reading only"):
            meter.checkpoint()


def test_a_read_only_medium_can_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing appears beside the database where nothing can be written."""
    before = fingerprint(home)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with observe(home) as copy:
        assert demo_config() == copy.load_config()
    assert before == fingerprint(home)


def test_there_must_be_a_meter(tmp_path: Path) -> None:
    """An empty directory is none."""
    with pytest.raises(NotADataDirectoryError):
        observe(tmp_path)
