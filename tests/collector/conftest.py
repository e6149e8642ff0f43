"""What the tests of the collector's commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collector.bench import house_call, recorded


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of an installer's visit."""
    path = tmp_path_factory.mktemp("call") / "call.txt"
    recorded(path, house_call)
    return path


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second of a recording is waited for."""
    monkeypatch.setattr("collector.cli_options.time.sleep", lambda _: None)
