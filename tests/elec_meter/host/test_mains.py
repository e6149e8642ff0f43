"""The edge of the mains: houses that do not exist, and computers that are slow to begin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from elec_meter import Meter, MeterConfig, Storage, metrology
from elec_meter.calibrated import FrontEnd, MeteringPipeline
from elec_meter.config import MainsHost
from elec_meter.errors import RecordingError
from elec_meter.events import EventCode
from elec_meter.host.mains import Mains
from elec_meter.host.run import host_utc
from elec_meter.ledger import RowStatus
from elec_meter.metrology import Measurement
from elec_meter.runtime import Runtime
from elec_meter.sampling import ConstantLoad, SyntheticMains
from shared.timegrid import unix_s
from tests.elec_meter.host.test_edges import BEGIN, host

SECOND = timedelta(seconds=1)


class Waiting(Mains):
    """A source that is told by the test when it has something."""

    def _sample(self) -> None:
        """Nothing comes from a thread."""

    def hand_over(self, measurement: Measurement) -> None:
        """What the thread would have the loop do."""
        self._measure(measurement, FrontEnd())


class Slow:
    """A computer whose source takes its time.

    Attributes:
        now: the host's UTC.
        meter: its meter.
    """

    def __init__(self, tmp_path: Path) -> None:
        self.now = BEGIN
        self.meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
        self.edge = Waiting(host(tmp_path))
        self.runtime = Runtime(self.meter, lambda: self.now)

    async def begin(self) -> None:
        """Open the edge."""
        await self.edge.open(self.runtime)

    def wait(self, seconds: int) -> None:
        """Time passes as in `elec-meter run`."""
        for _ in range(seconds):
            self.now += SECOND
            self.edge.step(self.now)
            self.meter.handle_timer(self.now)

    def measure(self) -> None:
        """The second that has just passed."""
        mains = SyntheticMains(seed=1, anchor_utc=self.now - SECOND, load=ConstantLoad(0.0))
        pipeline = MeteringPipeline(self.meter.config)
        self.edge.hand_over(pipeline.process(mains.block(0, mains.rate_hz)))

    @property
    def lost(self) -> int:
        """How often the source was lost."""
        return self.meter.storage.event_totals().get(EventCode.MEASUREMENT_LOST, 0)


def test_what_measures_is_loaded_before_power_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler takes seconds, which are not to be missing from the first half-hour."""
    asked: list[str] = []
    load = metrology.__getattr__

    def loading(name: str) -> object:
        asked.append(name)
        return load(name)

    monkeypatch.setattr(metrology, "__getattr__", loading)
    Mains(host(tmp_path))
    assert "Metrology" in asked


def test_a_computer_that_is_slow_to_begin_has_lost_nothing(tmp_path: Path) -> None:
    """Half a minute raises no alarm and is marked; from then on five seconds are a loss."""
    slow = Slow(tmp_path)
    asyncio.run(slow.begin())
    slow.wait(30)
    slow.measure()
    assert 0 == slow.lost
    slow.meter.handle_timer(BEGIN + timedelta(minutes=31))
    (row, *_) = slow.meter.ledger.rows(unix_s(BEGIN), unix_s(BEGIN) + 1_800)
    assert RowStatus.DATA_NOT_VALID & row.status
    slow.wait(6)
    assert 1 == slow.lost


def test_a_source_that_never_begins_is_told_after_a_minute(tmp_path: Path) -> None:
    """Once."""
    slow = Slow(tmp_path)
    asyncio.run(slow.begin())
    slow.wait(60)
    assert 0 == slow.lost
    slow.wait(30)
    assert 1 == slow.lost


def test_a_recording_has_the_width_that_it_is_told_to_have(tmp_path: Path) -> None:
    """Counts of a csv are of 24 bits; where `bits` says less, what is beyond is refused."""
    counts = "".join(f"{sample % 80 * 1000},0\n" for sample in range(400))
    (tmp_path / "mains.csv").write_text(f"voltage,current\n{counts}")
    Mains(host(tmp_path, mains=MainsHost(recording="mains.csv", rate_hz=4_000)))
    narrow = MainsHost(recording="mains.csv", rate_hz=4_000, bits=16)
    with pytest.raises(RecordingError, match="beyond the converter's 16 bits"):
        Mains(host(tmp_path, mains=narrow))


def test_nothing_flows_through_an_open_contactor(tmp_path: Path) -> None:
    """A house that does not exist draws no more, as one that does; its voltage stays."""
    house = replace(host(tmp_path, mains=MainsHost(synthetic_w=2_000)), now=host_utc)

    async def lived() -> object:
        meter = Meter(MeterConfig(), Storage.in_memory(), host_utc())
        edge = Mains(house)
        async with Runtime(meter, host_utc) as runtime:

            async def until(met: Callable[[object], bool]) -> None:
                async with asyncio.timeout(60):
                    while not met(meter.objects["1-0:1.7.0"][2]):
                        edge.step(runtime.now())
                        runtime.step()
                        await runtime.wait(0.05)

            await edge.open(runtime)
            try:
                await until(lambda watts: isinstance(watts, int) and watts > 1_900)
                meter.open_contactor(runtime.now())
                await until(lambda watts: watts == 0)
                return meter.objects["1-0:32.7.0"].value
            finally:
                await edge.stop()

    assert 230 <= float(str(asyncio.run(lived()))) <= 250
