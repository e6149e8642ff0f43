"""What a meter that lives on keeps in memory: hardly more for every day that it has lived."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

import pytest

from collector import MemoryKeystore, ReceivedFrame, UnitRecord, Upkeep
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import (
    ECONOMY_7_UTC,
    BillingConfig,
    DataChannelConfig,
    GasUnitConfig,
    TariffConfig,
)
from elec_meter.testing.unit import FIRST_COUNT, PERIOD_S, SENT_AFTER_S, PaperUnit
from shared.timegrid import DAY_S, HALF_HOUR_S, from_unix_s, unix_s
from shared.units import MJ_PER_WH

BEGIN_S = unix_s(datetime(2026, 1, 12, tzinfo=UTC))
SERIAL, KEY = "00000001", bytes(range(16))
SETTLED_DAYS, LATER_DAYS = 12, 20
"""Two blocks of the collector's fold apart, so that it has as much in its window both times."""
BYTES_A_DAY, OBJECTS_A_DAY = 5_000, 20
NO_STATE = (type, ModuleType, CodeType, BuiltinFunctionType, weakref.ReferenceType)
"""The program itself; and SQLite's notes of its cursors, which it sweeps now and then."""


class Home:
    """A meter with pulses and data that has half-hours of energy and a telegram every few hours."""

    def __init__(self) -> None:
        config = MeterConfig(
            tariff=TariffConfig(import_=ECONOMY_7_UTC, export=ECONOMY_7_UTC),
            gas_units=(GasUnitConfig(serial=SERIAL),),
            data_channels=(DataChannelConfig(name="counted", number=2, object="1-0:1.8.0"),),
            billing=BillingConfig(day=1),
        )
        now = from_unix_s(BEGIN_S)
        self.meter = Meter(config, Storage.in_memory(), now, keystore=MemoryKeystore())
        record = UnitRecord(
            serial=SERIAL, channel="gas", paired_utc=now, base_count=FIRST_COUNT, period_s=PERIOD_S
        )
        self.meter.pair(record, KEY, now)
        self._unit = PaperUnit(SERIAL, KEY, BEGIN_S)
        self._upkeep = Upkeep()
        self._now_s = BEGIN_S

    def live_until(self, day: int) -> None:
        """Let days pass."""
        while self._now_s < BEGIN_S + day * DAY_S:
            self._half_hour()

    def _half_hour(self) -> None:
        number, start_s = self._now_s // HALF_HOUR_S, self._now_s
        self._unit.turn(start_s, 1 + number % 3)
        self._now_s += HALF_HOUR_S
        now = from_unix_s(self._now_s)
        energies = {
            "import": number * 7_001 % 900 * MJ_PER_WH + number % 977,
            "export": number * 3_001 % 400 * MJ_PER_WH,
            "reactive_q1": number * 2_003 % 300 * MJ_PER_WH,
        }
        self.meter.receive_energies(energies, from_unix_s(start_s), now, now)
        if number % 8 == 0:
            at_s = self._now_s + SENT_AFTER_S
            frame = ReceivedFrame(self._unit.frame(at_s), from_unix_s(at_s), "paper", 2)
            self.meter.receive_frame(frame, from_unix_s(at_s))
        now = from_unix_s(self._now_s + 2 * SENT_AFTER_S)
        collector = self.meter.collector
        self._upkeep.go_on(collector.serials, collector.compact_some, now)
        self.meter.handle_timer(now)


@pytest.fixture
def home() -> Iterator[Home]:
    """A home at its first power-up."""
    home = Home()
    yield home
    home.meter.storage.close()


def reached(root: object) -> tuple[int, int]:
    """How many objects can be reached from one, and their bytes."""
    gc.collect()
    seen, found = {id(root)}, [root]
    for each in found:
        # A function's globals are the program; what it closes over is not.
        is_function = isinstance(each, FunctionType)
        for other in (each.__closure__ or ()) if is_function else gc.get_referents(each):
            if id(other) not in seen and not isinstance(other, NO_STATE):
                seen.add(id(other))
                found.append(other)
    return len(found), sum(map(sys.getsizeof, found))


def test_a_day_more_takes_hardly_any_memory(home: Home) -> None:
    """Once the first days are over, a day adds fewer objects than it has half-hours, and 5 kB."""
    home.live_until(SETTLED_DAYS)
    settled = reached(home.meter)
    home.live_until(LATER_DAYS)
    later = reached(home.meter)
    days = LATER_DAYS - SETTLED_DAYS
    objects, size = ((after - before) / days for before, after in zip(settled, later, strict=True))
    assert objects <= OBJECTS_A_DAY
    assert size <= BYTES_A_DAY
