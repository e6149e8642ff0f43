"""The meter as a library: time, samples and telegrams in; objects out; nothing else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from freezegun import freeze_time
from msgspec.structs import replace

from collector import UnitRecord
from elec_meter import Meter, SampleBlock, Storage, demo_config
from elec_meter.config import PassiveTariff, TariffConfig
from elec_meter.errors import TimeRunsBackwardsError
from elec_meter.events import EventCode
from elec_meter.ledger import RowStatus
from elec_meter.ledger.audit import imbalances
from elec_meter.objects import ProfileGeneric
from elec_meter.sampling import ConstantLoad, SyntheticMains
from shared.timegrid import half_hours_of_settlement_day, unix_s
from shared.units import MJ_PER_WH

START = datetime(2025, 10, 26, 0, 59, 50, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def kilowatt(start: datetime) -> SyntheticMains:
    """A constant load of 1 kW."""
    return SyntheticMains(seed=1, anchor_utc=start, load=ConstantLoad(1_000.0))


def test_samples_become_energy_in_their_half_hour() -> None:
    """At 1 kW, 73 seconds are 20 Wh: what 36 of them complete is before the boundary."""
    begin = datetime(2025, 10, 26, 0, 59, 24, tzinfo=UTC)
    meter, mains = Meter(demo_config(), Storage.in_memory(), begin), kilowatt(begin)
    for second in range(73):
        block = mains.block(second * 4000, 4000)
        meter.receive_block(block, block.end_utc)
    meter.handle_timer(begin + 73 * SECOND)
    closed = list(meter.ledger.rows(unix_s(begin) - 3600, unix_s(begin) + 3600))
    assert [datetime(2025, 10, 26, 0, 30, tzinfo=UTC)] == [
        datetime.fromtimestamp(row.start_s, UTC) for row in closed
    ]
    assert [9, 11] == [row.deltas["import_wh"] for row in [*closed, *meter.ledger.open_rows()]]
    assert 1000 == pytest.approx(meter.objects["1-0:16.7.0"].value, rel=0.002)


@pytest.mark.parametrize("seam", ["same stream", "new stream"])
def test_a_gap_in_the_samples_shows(seam: str) -> None:
    """Half-hours without samples say so, the log tells once, and live values are unknown."""
    begin = datetime(2025, 10, 26, 0, 20, tzinfo=UTC)
    meter, mains = Meter(demo_config(), Storage.in_memory(), begin), kilowatt(begin)
    meter.receive_block(mains.block(0, 20_000), begin + 5 * SECOND)
    resumed = begin + timedelta(minutes=75)
    if seam == "same stream":
        block = mains.block(75 * 60 * 4000, 20_000)
    else:
        block = kilowatt(resumed).block(4_000, 20_000)
    meter.handle_timer(resumed)
    assert meter.objects["1-0:16.7.0"].value is None
    meter.receive_block(block, block.end_utc)
    meter.handle_timer(begin + timedelta(minutes=101))
    rows = [*meter.ledger.rows(0, unix_s(begin) + 10_000)]
    assert [RowStatus.DATA_NOT_VALID] * 4 == [row.status for row in rows]
    codes = [event.code for event in meter.storage.events()]
    assert 1 == codes.count(EventCode.MEASUREMENT_GAP)
    assert [] == imbalances(meter.ledger)


def test_mains_without_voltage_mark_the_half_hour() -> None:
    """A dead line is a power cut to the half-hour; the next one is clean again."""
    begin = datetime(2025, 10, 26, 0, 29, 50, tzinfo=UTC)
    meter, mains = Meter(demo_config(), Storage.in_memory(), begin), kilowatt(begin)
    for second in range(12):
        block = mains.block(second * 4000, 4000)
        if 2 <= second < 6:
            block = SampleBlock(
                np.zeros_like(block.voltage),
                np.zeros_like(block.current),
                block.first_sample,
                block.rate_hz,
                block.anchor_utc,
            )
        meter.receive_block(block, block.end_utc)
    statuses = [row.status for row in [*meter.ledger.rows(0, 1 << 40), *meter.ledger.open_rows()]]
    assert [RowStatus.POWER_DOWN, RowStatus(0)] == [s & RowStatus.POWER_DOWN for s in statuses]
    codes = [event.code for event in meter.storage.events()]
    assert 1 == codes.count(EventCode.MEASUREMENT_NO_SIGNAL)


def test_samples_ahead_of_the_clock_close_nothing_and_a_restart_goes_on(tmp_path: Path) -> None:
    """What a fast sample clock measures beyond the boundary waits there for its time."""
    begin = datetime(2025, 10, 26, 0, 59, 50, tzinfo=UTC)
    almost = begin + timedelta(seconds=9.6)
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, begin)
        meter.receive_block(kilowatt(begin).block(0, 44_000), almost)
        assert 0 == meter.ledger.row_count
        meter.handle_timer(almost)
        meter.checkpoint()
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, almost)
        meter.handle_timer(begin + timedelta(seconds=12))
        assert [0] == [row.status for row in meter.ledger.rows(0, 1 << 40)]
        assert [] == imbalances(meter.ledger)


def test_a_half_hour_closes_two_seconds_late_without_samples() -> None:
    """`next_timer` says when, and nothing closes before."""
    meter = Meter(demo_config(), Storage.in_memory(), START)
    boundary = datetime(2025, 10, 26, 1, tzinfo=UTC)
    meter.handle_timer(boundary + SECOND)
    assert 0 == meter.ledger.row_count
    due = meter.next_timer()
    while due < boundary + 2 * SECOND:
        meter.handle_timer(due)
        assert 0 == meter.ledger.row_count
        due = meter.next_timer()
    assert boundary + 2 * SECOND == due
    meter.handle_timer(due)
    assert 1 == meter.ledger.row_count


@pytest.mark.parametrize(("day", "periods"), [("2025-10-26", 50), ("2025-03-30", 46)])
def test_one_late_call_closes_every_boundary_in_between(day: str, periods: int) -> None:
    """A test may jump over a whole settlement day, frozen or not: all rows are there, in order."""
    half_hours = half_hours_of_settlement_day(datetime.fromisoformat(day).date())
    with freeze_time(half_hours[0].start) as frozen:
        meter = Meter(demo_config(), Storage.in_memory(), datetime.now(UTC))
        frozen.move_to(half_hours[-1].end + 2 * SECOND)
        meter.handle_timer(datetime.now(UTC))
    rows = meter.ledger.rows(half_hours[0].start_s, half_hours[-1].end_s)
    assert [half_hour.start_s for half_hour in half_hours] == [row.start_s for row in rows]
    assert periods == len(half_hours)


def test_two_meters_share_nothing() -> None:
    """What one books the other does not know, and neither starts a thread."""
    threads = threading.active_count()
    meters = [Meter(demo_config(), Storage.in_memory(), START) for _ in range(2)]
    end = START + 10 * SECOND
    meters[0].receive_energy("import", 5 * MJ_PER_WH, START, end, end)
    assert [5, 0] == [meter.ledger.total("import") for meter in meters]
    assert threads == threading.active_count()


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    """Registers, the rest below a watt-hour and the outage survive; what came later does not."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, START)
        meter.receive_energy("import", 7 * MJ_PER_WH + 123, START, START + SECOND, START + SECOND)
        meter.checkpoint()
        meter.receive_energy("import", MJ_PER_WH, START + SECOND, START + 2 * SECOND, START)
    later = START + timedelta(hours=5)
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, later)
        assert (7, 123) == (meter.ledger.total("import"), meter.ledger.residual_mj("import"))
        rows = list(meter.ledger.rows(unix_s(START), unix_s(later)))
        assert {RowStatus.POWER_DOWN} == {row.status for row in rows}
        assert [] == imbalances(meter.ledger)
        meter.checkpoint()
    with Storage.open(tmp_path) as storage, pytest.raises(TimeRunsBackwardsError, match="2025"):
        Meter(demo_config(), storage, START)


def test_the_log_tells_of_power_and_of_pairing(tmp_path: Path) -> None:
    """The event logs are objects like any other, and outlive a restart."""
    paired, later = START + 60 * SECOND, START + timedelta(hours=5)
    unit = UnitRecord(serial="00000001", channel="gas", paired_utc=paired, base_count=0)
    first, pairing, again = (
        (START, EventCode.FIRST_POWER_UP, "power came for the first time"),
        (paired, EventCode.UNIT_PAIRED, "unit 00000001 was paired to gas"),
        (later, EventCode.POWER_UP, "power came back after 17940 s (4 h 59 min)"),
    )
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, START)
        assert [first] == meter.objects["0-0:99.98.0"].rows()
        meter.pair(unit, bytes(16), paired)
        assert [pairing] == meter.objects["0-0:99.98.3"].rows()
        assert pairing[2] == meter.objects["0-0:128.11.3"].value
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, later)
        assert [first, again] == meter.objects["0-0:99.98.0"].rows()
        assert [pairing] == meter.objects["0-0:99.98.3"].rows()
        assert again[2] == meter.objects["0-0:128.11.0"].value


def test_reactive_energy_is_counted_whatever_the_load_profile_has() -> None:
    """Columns of it come and go with the configuration; registers and rows do not."""
    profile = replace(demo_config().profile, reactive=False)
    meter = Meter(replace(demo_config(), profile=profile), Storage.in_memory(), START)
    half_hour, code = timedelta(minutes=30), "1-0:99.1.0"
    energies_mj = {"import": 9 * MJ_PER_WH, "reactive_q1": 5 * MJ_PER_WH}
    meter.receive_energies(energies_mj, START, START + half_hour, START + half_hour)
    meter.apply_config(demo_config(), START + half_hour)
    energies_mj = {"import": 5 * MJ_PER_WH, "reactive_q2": 7 * MJ_PER_WH}
    end = START + 2 * half_hour
    meter.receive_energies(energies_mj, START + half_hour, end, end)
    meter.handle_timer(end + half_hour)
    assert [14, 0, 12, 0] == _columns_of(meter, code)
    assert [12, 5, 7] == [meter.objects[f"{c}.8.0"].value for c in (3, 5, 6)]
    again = Meter(replace(demo_config(), profile=profile), meter.storage, end + half_hour)
    assert [14, 0] == _columns_of(again, code)
    assert [12, 5, 7] == [again.objects[f"{c}.8.0"].value for c in (3, 5, 6)]
    assert [] == imbalances(again.ledger, at_rest=True)


def _columns_of(meter: Meter, code: str) -> list[int]:
    """What the columns of energy in a load profile add up to."""
    profile = meter.objects[code]
    assert isinstance(profile, ProfileGeneric)
    return [sum(column) for column in zip(*(row[2:] for row in profile.rows()), strict=True)]


def test_samples_of_the_second_in_which_the_clock_was_set_close_nothing(tmp_path: Path) -> None:
    """The rest of that second is of the new time, and the directory opens again at that instant."""
    begin = datetime(2025, 10, 26, 0, 59, 50, tzinfo=UTC)
    mains = kilowatt(begin)
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, begin)
        set_at, end = begin + 1.8 * SECOND, begin + 1.9 * SECOND
        meter.receive_block(mains.block(0, 7_200), set_at)
        meter.set_clock(begin + timedelta(hours=1), set_at)
        meter.set_clock(begin - timedelta(hours=1), set_at)
        meter.receive_block(mains.block(7_200, 400), end)
        meter.checkpoint()
        assert unix_s(begin) - 3_600 == (meter.ledger.closed_s or 0) + 1_790
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, begin + SECOND)
        assert [] == imbalances(meter.ledger, at_rest=True)


def test_a_tariff_change_bills_the_demand_period_that_ends_with_it() -> None:
    """What ends at the instant of an activation has ended before the bill is drawn up."""
    begin = datetime(2025, 10, 26, 11, 30, tzinfo=UTC)
    activate = begin + timedelta(minutes=30)
    passive = PassiveTariff(activate=activate, tariff=TariffConfig())
    meter = Meter(replace(demo_config(), passive=passive), Storage.in_memory(), begin)
    almost = activate - SECOND
    meter.receive_energy("import", 500 * MJ_PER_WH, begin, almost, almost)
    meter.handle_timer(activate + 5 * SECOND)
    (bill,) = meter.ledger.snapshots("billing")
    peak = bill.demand["import"].maximum
    assert (unix_s(activate), "tariff change") == (bill.at_s, bill.reason)
    assert peak is not None
    assert (1_000, unix_s(activate)) == (peak.power_w, peak.end_s)
    assert meter.ledger.demand_of("import").maximum is None
