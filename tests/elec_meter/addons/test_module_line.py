from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elec_meter.addons.module_line import ModuleLine
from elec_meter.errors import CheckpointFailedError, StorageLostError
from tests.elec_meter.addons.reading_out import module_session
from tests.elec_meter.flag.lines import IDENTIFICATION, SELECT_READOUT, SIGN_ON, busy_meter


class Wall:
    """A line whose clock a test moves, and how the meter behind it fares."""

    def __init__(self) -> None:
        self.now = datetime(1970, 1, 1, tzinfo=UTC)
        self.version = 1
        self.fails: Exception | None = None
        self.sessions: list[Any] = []
        self.line = ModuleLine(self._session, lambda: self.version, lambda: self.now)

    def _session(self, now: datetime) -> Any:
        session = module_session(busy_meter(), now=now)
        receive = session.receive_data

        def receive_data(data: bytes, now: datetime) -> bytes:
            if self.fails is not None:
                raise self.fails
            return receive(data, now)

        session.receive_data = receive_data  # type: ignore[method-assign]  # a test lets it fail
        self.sessions.append(session)
        return session

    def pass_s(self, seconds: float) -> None:
        """The meter is busy for so long."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def wall() -> Wall:
    """A line on which a module was just identified to."""
    wall = Wall()
    assert IDENTIFICATION == wall.line.answer(SIGN_ON)
    return wall


@pytest.mark.parametrize("busy_s", [0, 1.9, 2, 3, 119, 121, 100_000])
def test_a_module_is_not_late_for_a_busy_meter(wall: Wall, busy_s: float) -> None:
    """What waits on the line when it is looked at again is answered, however long that took."""
    wall.pass_s(busy_s)
    assert wall.line.answer(SELECT_READOUT).startswith(b"\x02")
    wall.pass_s(busy_s)
    assert IDENTIFICATION == wall.line.answer(SIGN_ON)


def test_a_module_that_was_silent_is_late(wall: Wall) -> None:
    """The line was looked at when its time was over, and nothing was there."""
    wall.pass_s(2)
    assert b"" == wall.line.answer(b"")
    assert b"" == wall.line.answer(SELECT_READOUT)


def test_what_was_overslept_counts_once(wall: Wall) -> None:
    """A session is not closed for the hour in which nobody could have asked."""
    wall.pass_s(3_600)
    wall.line.answer(b"")
    wall.pass_s(wall.line.left_s)
    wall.line.answer(b"")
    assert 1 == len(wall.sessions)


def test_a_session_that_closes_is_followed_by_another(wall: Wall) -> None:
    """After two minutes without a word; the next request is answered."""
    for _ in range(10):
        wall.pass_s(60)
        wall.line.answer(b"")
    assert len(wall.sessions) > 1
    assert IDENTIFICATION == wall.line.answer(SIGN_ON)
    assert wall.line.answer(SELECT_READOUT).startswith(b"\x02")


def test_a_readout_that_has_begun_goes_on_under_another_configuration(wall: Wall) -> None:
    """What has changed meanwhile is in the next one."""
    wall.version += 1
    assert wall.line.answer(SELECT_READOUT).startswith(b"\x02")
    assert 1 == len(wall.sessions)
    assert IDENTIFICATION == wall.line.answer(SIGN_ON)
    assert 2 == len(wall.sessions)


def test_what_is_not_durable_is_asked_for_again(wall: Wall) -> None:
    """The line is silent for once, and works again with the next request."""
    wall.fails = CheckpointFailedError("the disk is full")
    assert b"" == wall.line.answer(SELECT_READOUT)
    wall.fails = None
    assert IDENTIFICATION == wall.line.answer(SIGN_ON)


def test_a_lost_storage_ends_the_meter(wall: Wall) -> None:
    """It is no module's affair."""
    wall.fails = StorageLostError("gone")
    with pytest.raises(StorageLostError):
        wall.line.answer(SELECT_READOUT)
