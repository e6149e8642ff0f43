"""A meter whose samples a thread measures: it is as one that is handed the samples."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import numpy as np
import pytest

from elec_meter import Meter, MeterConfig, Storage
from elec_meter.calibrated import FrontEnd
from elec_meter.config import CalibrationConfig, SupplyConfig
from elec_meter.events import EventCode
from elec_meter.host.mains import Mains
from elec_meter.metrology import Measurement
from elec_meter.runtime import Runtime
from elec_meter.sampling import ConstantLoad, Converter, SampleBlock, SyntheticMains
from tests.elec_meter.host.test_edges import BEGIN, host

_RATE_HZ = 4_000
_DRAWN = CalibrationConfig(
    bits=16, voltage_pv_per_count=12_207_031_250, current_pa_per_count=4_577_636_719
)
_DOUBLE = msgspec.structs.replace(_DRAWN, current_pa_per_count=9_155_273_438)
_NARROW = SupplyConfig(sag_below_mv=230_000, sag_until_mv=232_000)
_SOURCE = SyntheticMains(seed=1, anchor_utc=BEGIN, load=ConstantLoad(2_000.0))
_LIMIT_S = 60.0
"""A thread that has died is no reason to wait for ever."""


class Fed(Mains):
    """A source of which the test gives the blocks.

    Attributes:
        measured: what the loop got.
    """

    def __init__(self, tmp_path: Path, told: list[str]) -> None:
        super().__init__(replace(host(tmp_path), tell=told.append))
        self.measured: list[Measurement] = []
        self._given: SimpleQueue[SampleBlock | None] = SimpleQueue()
        self._got = asyncio.Event()

    async def take(self, block: SampleBlock) -> Measurement:
        """Have the thread measure a block."""
        self._got.clear()
        self._given.put(block)
        async with asyncio.timeout(_LIMIT_S):
            await self._got.wait()
        return self.measured[-1]

    async def stop(self) -> None:
        """The thread waits for no more blocks."""
        self._stop.set()
        self._given.put(None)
        await super().stop()

    def _blocks(self) -> Generator[SampleBlock]:
        while (block := self._given.get()) is not None:
            yield block

    def _measure(self, measurement: Measurement, front_end: FrontEnd) -> None:
        super()._measure(measurement, front_end)
        self.measured.append(measurement)
        self._got.set()


class Measured:
    """A meter that gets blocks through an edge, or without one itself.

    Attributes:
        meter: the meter.
        now: the end of what was sent.
        measured: what was measured of it.
    """

    def __init__(self, edge: Fed | None = None) -> None:
        self.meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
        self.edge = edge
        self.measured: list[Measurement] = []
        self._sample = 0

    @property
    def now(self) -> datetime:
        """Two seconds are eight thousand samples."""
        return BEGIN + self._sample * timedelta(seconds=1) / _RATE_HZ

    async def send(self, seconds: float, share: float = 1.0) -> None:
        """Quarters of seconds with a share of the mains voltage."""
        for _ in range(round(seconds * 4)):
            whole = _SOURCE.block(self._sample, _RATE_HZ // 4)
            voltage = np.rint(whole.voltage * share).astype(np.int16)
            block = replace(whole, voltage=voltage)
            self._sample += len(block)
            if self.edge is None:
                self.measured.append(self.meter.receive_block(block, self.now))
            else:
                self.measured.append(await self.edge.take(block))
            self.meter.handle_timer(self.now)

    def configure(self, **parts: Any) -> None:
        """Put other parts of the configuration in force."""
        self.meter.apply_config(msgspec.structs.replace(self.meter.config, **parts), self.now)

    def read(self, obis: str) -> Any:
        """The raw value in the directory."""
        return self.meter.objects[obis][2]

    @property
    def sags(self) -> int:
        """How many are in the log."""
        return self.meter.storage.event_totals().get(EventCode.SUPPLY_SAG, 0)


async def _through_a_thread(measured: Measured, life: Any) -> Any:
    """Let a meter live with its edge open."""
    assert measured.edge is not None
    async with Runtime(measured.meter, lambda: measured.now) as runtime:
        await measured.edge.open(runtime)
        try:
            return await life(measured)
        finally:
            await measured.edge.stop()


async def _changed_and_asked(measured: Measured) -> list[Any]:
    """What is read while thresholds and calibration change."""
    read: list[Any] = []

    def look() -> None:
        read.extend(measured.read(obis) for obis in ("1-0:31.7.124", "1-0:32.7.124", "1-0:1.7.0"))
        read.append(measured.sags)

    await measured.send(2)
    look()
    await measured.send(0.5, 0.93)
    await measured.send(0.25)
    measured.configure(supply=_NARROW)
    await measured.send(1)
    look()
    await measured.send(0.5, 0.93)
    measured.configure(calibration=_DOUBLE)
    await measured.send(2.25)
    look()
    return read


def test_thresholds_and_calibration_change_and_distortion_is_measured(tmp_path: Path) -> None:
    """Each from the next block on, though another thread measures; the first reading asks."""
    edge = Fed(tmp_path, [])
    first, then, last = np.reshape(
        asyncio.run(_through_a_thread(Measured(edge), _changed_and_asked)), (3, 4)
    ).tolist()
    assert [None, None] == first[:2]
    assert all(0 < share < 1_000 for share in then[:2])
    assert [0, 0, 1] == [first[3], then[3], last[3]]
    assert 2 * first[2] == pytest.approx(last[2], rel=0.02)


def test_both_ways_to_measure_give_the_same(tmp_path: Path) -> None:
    """Every integer, every float, every object, through changes of the configuration too."""
    here, there = Measured(), Measured(Fed(tmp_path, []))
    expected = asyncio.run(_changed_and_asked(here))
    assert expected == asyncio.run(_through_a_thread(there, _changed_and_asked))
    assert [_plain(each) for each in here.measured] == [_plain(each) for each in there.measured]
    assert any(each.harmonics is not None for each in there.measured)
    assert here.meter.ledger.total("import") == there.meter.ledger.total("import")


def test_a_calibration_of_other_counts_is_told_once(tmp_path: Path) -> None:
    """When it comes into force, not with every block."""
    told: list[str] = []

    async def life(measured: Measured) -> None:
        measured.meter.pipeline.front_end = FrontEnd(Converter(bits=24))
        await measured.send(0.25)
        assert ["the meter has no calibration: its front end is taken as drawn"] == told
        measured.configure(calibration=_DOUBLE)
        await measured.send(0.5)

    asyncio.run(_through_a_thread(Measured(Fed(tmp_path, told)), life))
    assert [
        (
            "the calibration is for counts of 16 bits, and the source of samples gives 24:"
            " it is taken as drawn"
        )
    ] == told[1:]


def _plain(measurement: Measurement) -> tuple[Any, ...]:
    arrays = measurement.second_s, measurement.import_mj, measurement.export_mj
    return (
        *(array.tolist() for array in (*arrays, measurement.reactive_mvars)),
        measurement.quantities,
        measurement.flags,
        measurement.supply,
        measurement.supply_under_way,
        measurement.harmonics,
    )
