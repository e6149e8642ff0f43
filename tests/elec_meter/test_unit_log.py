"""What a unit's own log tells becomes the meter's gas rows."""

from __future__ import annotations

from datetime import UTC, datetime

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import GasUnitConfig
from elec_meter.ledger import imbalances
from elec_meter.testing.unit import FIRST_COUNT, SENT_AFTER_S, PaperUnit
from shared.timegrid import DAY_S, HALF_HOUR_S, from_unix_s, unix_s

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
BEGIN_S = unix_s(BEGIN)
DAYS = 5
SERIAL, KEY = "00000001", bytes(range(16))


def test_five_days_of_silence_are_booked_from_the_log() -> None:
    """Each half-hour has its pulses, which are in the total since the first telegram after it."""
    config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),))
    meter = Meter(config, Storage.in_memory(), BEGIN, keystore=MemoryKeystore())
    record = UnitRecord(
        serial=SERIAL,
        channel="gas",
        paired_utc=BEGIN,
        base_count=FIRST_COUNT,
        is_log_readable=True,
    )
    meter.pair(record, KEY, BEGIN)
    unit = PaperUnit(SERIAL, KEY, BEGIN_S)
    booted_s = BEGIN_S - 2 * HALF_HOUR_S
    log, turned = [], []
    end_s = BEGIN_S + DAYS * DAY_S
    for place, start_s in enumerate(range(BEGIN_S, end_s, HALF_HOUR_S)):
        turned.append(place % 3)
        if turned[-1]:
            unit.turn(start_s, turned[-1])
        tick_s = start_s + HALF_HOUR_S - booted_s
        log.append((1, tick_s, FIRST_COUNT + sum(turned)))
    for at_s in (BEGIN_S + SENT_AFTER_S, end_s + SENT_AFTER_S):
        at = from_unix_s(at_s)
        meter.receive_frame(ReceivedFrame(unit.frame(at_s), at, "paper", 2), at)
    assert sum(turned) == meter.ledger.total("gas")
    place = meter.collector.log_gap(SERIAL)
    assert place is not None
    now = from_unix_s(end_s + 60)
    meter.receive_log(SERIAL, [entry for entry in log if entry[:2] > place], now)
    meter.handle_timer(now)
    assert meter.collector.log_gap(SERIAL) is None
    rows = meter.ledger.rows(BEGIN_S, end_s)
    assert turned == [row.deltas["gas_pulses"] for row in rows]
    assert sum(turned) == meter.ledger.total("gas")
    assert [] == list(imbalances(meter.ledger))
