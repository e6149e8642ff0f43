from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from collector import BackOff, BearerLost, BearerLostError, BearerReport, BearerWorks, ReceivedFrame
from collector.bearers import device
from collector.bearers.device import DeviceBearer
from tests.collector.devices import LIMIT_S, SOON, Awaited

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Scripted(DeviceBearer):
    """A device whose every opening ends as it is told; afterwards it works for ever."""

    def __init__(
        self, script: list[str | Exception | None], back_off: BackOff | None = None
    ) -> None:
        self.awaited = Awaited()
        super().__init__("scripted", wake=self.awaited.wake, back_off=back_off)
        self.script = script
        self.given_back = False
        self._start()

    async def _work(self, opened: Callable[[], None]) -> None:
        if not self.script:
            opened()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.2)
                self.given_back = True
        end = self.script.pop(0)
        if isinstance(end, Exception):
            raise end
        opened()
        if end is not None:
            raise BearerLostError(end)


@pytest.fixture
def made() -> Iterator[list[Scripted]]:
    """Bearers that are closed."""
    bearers: list[Scripted] = []
    yield bearers
    for bearer in bearers:
        bearer.close()


def told(bearer: Scripted, count: int) -> list[str]:
    """What so many reports say."""
    return [_text(each) for each in bearer.awaited.reports(bearer.take_reports, count)]


def _text(report: BearerReport) -> str:
    assert "scripted" == report.bearer
    return report.sentence if isinstance(report, BearerLost) else type(report).__name__


def test_each_loss_is_told_once_while_it_stays_the_same(made: list[Scripted]) -> None:
    """And so is each return; a mistake of ours is a loss too."""
    missing = BearerLostError("it is not there")
    made.append(
        Scripted([missing, missing, "it is gone", missing, KeyError("x"), None], back_off=SOON)
    )
    assert [
        "it is not there",
        BearerWorks.__name__,
        "it is gone",
        "it is not there",
        "scripted has failed: KeyError('x')",
        BearerWorks.__name__,
        "scripted has ended",
        BearerWorks.__name__,
    ] == told(made[0], 8)


def test_pauses_grow_until_the_device_is_stable(
    made: list[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doubled up to the longest; anew after one that has worked for long enough."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def recorded(pause_s: float) -> None:
        pauses.append(pause_s)
        await sleep(0)

    missing = BearerLostError("it is not there")
    monkeypatch.setattr(device.asyncio, "sleep", recorded)
    back_off = BackOff(first_s=1, most_s=5, stable_s=0)
    made.append(Scripted([missing, missing, missing, missing, "gone", missing], back_off=back_off))
    told(made[0], 5)
    assert [1, 2, 4, 5, 1, 2] == pauses[:6]


def test_a_device_that_works_for_a_moment_only_is_not_stable(
    made: list[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pauses go on growing."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def recorded(pause_s: float) -> None:
        pauses.append(pause_s)
        await sleep(0)

    monkeypatch.setattr(device.asyncio, "sleep", recorded)
    made.append(Scripted(["gone", "gone", "gone"], back_off=BackOff(1, 60, stable_s=3_600)))
    told(made[0], 7)
    assert [1, 2, 4] == pauses[:3]


def test_closing_waits_until_the_device_is_given_back(made: list[Scripted]) -> None:
    """However long that takes it, and also while it is missing."""
    made.append(Scripted([], back_off=SOON))
    told(made[0], 1)
    made[0].close()
    assert made[0].given_back
    assert not made[0]._thread.is_alive()
    made.append(Scripted([BearerLostError("no")] * 3, back_off=BackOff(first_s=3_600)))
    told(made[1], 1)
    made[1].close()
    assert not made[1]._thread.is_alive()


def test_what_nobody_takes_is_bounded(
    made: list[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest frames give way."""
    made.append(Scripted([], back_off=SOON))
    for number in range(device._WAITING_MAX + 5):
        made[0]._deliver(ReceivedFrame(number.to_bytes(4), NOW, "scripted", 1))
    frames = made[0].receive_until(1 << 50)
    assert device._WAITING_MAX == len(frames)
    assert (5).to_bytes(4) == frames[0].data


def test_a_bearer_may_be_closed_from_its_own_thread() -> None:
    """By what it wakes, which must not wait for itself."""
    closed = Awaited()

    class Closing(Scripted):
        def _notify(self) -> None:
            self.close()
            closed.wake()

    bearer = Closing([])
    bearer._thread.join(LIMIT_S)
    assert not bearer._thread.is_alive()
