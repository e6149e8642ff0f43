"""Five years without power: what is there is kept, and what is missing costs one entry."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy, deepcopy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import copytree

import pytest

from collector import MemoryKeystore, PulseStatus, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.clock import Dating
from elec_meter.config import (
    ECONOMY_7_UTC,
    ClockConfig,
    GasUnitConfig,
    ProfileConfig,
    TariffConfig,
)
from elec_meter.ledger import RowStatus, imbalances
from elec_meter.testing.unit import FIRST_COUNT, PERIOD_S, SENT_AFTER_S, PaperUnit
from shared.timegrid import DAY_S, HALF_HOUR_S, from_unix_s, unix_s
from shared.units import MJ_PER_WH

BEGIN = datetime(2014, 1, 1, tzinfo=UTC)
BEGIN_S = unix_s(BEGIN)
DAYS = 40
DEPTH_DAYS = 31
LAST_S = BEGIN_S + DAYS * DAY_S + 700
"""Power goes a few minutes into a half-hour, at the day rate."""
BACK_S = BEGIN_S + (DAYS + 5 * 365) * DAY_S + 10 * 3_600 + 1_000
SERIAL, KEY = "00000001", bytes(range(16))
WH = 100
"""Import of every whole half-hour."""
GAS_S = BACK_S - 1_000 - 30 * HALF_HOUR_S
"""Within the two days that a telegram remembers, gas is burnt although power is down."""


class House:
    """A meter with a gas unit; power can go and come back."""

    def __init__(self, directory: Path, backup_h: int) -> None:
        self.directory = directory
        self.config = MeterConfig(
            clock=ClockConfig(backup_h=backup_h),
            profile=ProfileConfig(depth_days=DEPTH_DAYS),
            tariff=TariffConfig(import_=ECONOMY_7_UTC, export=ECONOMY_7_UTC),
            gas_units=(GasUnitConfig(serial=SERIAL),),
        )
        self.unit = PaperUnit(SERIAL, KEY, BEGIN_S)
        self._keystore = MemoryKeystore()
        self.meter = self._first = self._started(BEGIN_S)
        self._live_until(LAST_S)

    def hear(self, at_s: int) -> None:
        """A telegram comes, and is durable."""
        at = from_unix_s(at_s)
        self.meter.receive_frame(ReceivedFrame(self.unit.frame(at_s), at, "paper", 2), at)
        self.meter.checkpoint()

    def restart(self, at_s: int) -> Meter:
        """Power had gone, and comes back."""
        if self.meter is not self._first:
            self.meter.storage.close()
        self.meter = self._started(at_s)
        self.meter.checkpoint()
        return self.meter

    def copied(self, directory: Path) -> House:
        """The same house elsewhere; until power goes in it, its meter is only to be read."""
        other = copy(self)
        other.directory = copytree(self.directory, directory / "home")
        other.unit, other._keystore = deepcopy(self.unit), deepcopy(self._keystore)
        return other

    def _started(self, at_s: int) -> Meter:
        storage = Storage.open(self.directory)
        return Meter(self.config, storage, from_unix_s(at_s), keystore=self._keystore)

    def _live_until(self, last_s: int) -> None:
        """Import flows evenly, and two pulses come in every half-hour."""
        record = UnitRecord(
            serial=SERIAL,
            channel="gas",
            paired_utc=BEGIN,
            base_count=FIRST_COUNT,
            period_s=PERIOD_S,
        )
        self.meter.pair(record, KEY, BEGIN)
        for start_s in range(BEGIN_S, last_s - 700, DAY_S):
            end_s = start_s + DAY_S
            start, end = from_unix_s(start_s), from_unix_s(end_s)
            self.meter.receive_energy("import", 48 * WH * MJ_PER_WH, start, end, end)
            for boundary_s in range(start_s, end_s, HALF_HOUR_S):
                self.unit.turn(boundary_s, 2)
            self.hear(end_s + SENT_AFTER_S)
        self.meter.handle_timer(from_unix_s(last_s))
        self.meter.checkpoint()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, House]]:
    """By the hours for which its clock goes on without power, a house of 40 days: to be copied."""
    houses = {hours: House(tmp_path_factory.mktemp("home"), hours) for hours in (24, 87_660)}
    yield houses
    for each in houses.values():
        each.meter.storage.close()


@pytest.fixture
def house(lived: dict[int, House], tmp_path: Path) -> House:
    """A house whose clock goes on without power for ten years."""
    return lived[87_660].copied(tmp_path)


@pytest.fixture
def forgetful(lived: dict[int, House], tmp_path: Path) -> House:
    """A house whose clock goes on without power for a day."""
    return lived[24].copied(tmp_path)


def statuses(meter: Meter, from_s: int, to_s: int) -> list[int]:
    """Of the closed rows."""
    return [int(row.status) for row in meter.ledger.rows(from_s, to_s)]


def test_five_years_off_are_one_run_of_zeros_that_evicts_nothing(house: House) -> None:
    """Every half-hour of the outage can be read, and every row from before is still there."""
    before = list(house.meter.ledger.rows(0, LAST_S))
    assert DEPTH_DAYS * 48 == len(before)
    meter = house.restart(BACK_S)
    assert 1 == len(meter.ledger.profile.runs)
    boundary_s = LAST_S - 700
    # The row that the outage cut short is one more, as it would have been without an outage.
    assert before[1:] == list(meter.ledger.rows(0, boundary_s))
    middle_s = boundary_s + 900 * DAY_S
    day = list(meter.ledger.rows(middle_s, middle_s + DAY_S))
    assert [middle_s + n * HALF_HOUR_S for n in range(48)] == [row.start_s for row in day]
    assert {(0, 0, RowStatus.POWER_DOWN)} == {
        (row.deltas["import_wh"], row.deltas["export_wh"], row.status) for row in day
    }
    open_s = BACK_S - 1_000
    rows = (open_s - before[1].start_s) // HALF_HOUR_S
    assert rows == meter.ledger.row_count == len(list(meter.ledger.rows(0, BACK_S)))
    down = int(RowStatus.POWER_DOWN)
    assert [0, down, down] == statuses(meter, boundary_s - 1_800, boundary_s + 2 * 1_800)
    assert [down] == [int(row.status) for row in meter.ledger.open_rows()]
    assert [] == imbalances(meter.ledger)


def test_midnights_of_five_years_are_few_entries(house: House) -> None:
    """Every midnight since the first power-up has its daily snapshot, and 1,800 share one."""
    entries_before = len(house.meter.ledger.snapshots("daily"))
    assert DAYS == entries_before
    meter = house.restart(BACK_S)
    daily = meter.ledger.snapshots("daily")
    assert len(daily) <= entries_before + 8
    assert BEGIN_S + DAY_S == daily[0].at_s
    assert [before.through_s + DAY_S for before in daily[:-1]] == [each.at_s for each in daily[1:]]
    assert 1_800 < max((each.through_s - each.at_s) // DAY_S for each in daily)
    billing = meter.ledger.snapshots("billing")
    assert BEGIN_S < billing[0].at_s
    assert all(before.at_s < after.at_s for before, after in pairwise(billing))


def test_gas_of_the_outage_is_in_its_half_hours(house: House) -> None:
    """What the unit remembers of the outage is placed; before that is silence, and one run."""
    house.unit.turn(GAS_S, 3)
    house.restart(BACK_S)
    heard_s = BACK_S - 1_000 + 2 * HALF_HOUR_S + SENT_AFTER_S
    house.hear(heard_s)
    house.meter.handle_timer(from_unix_s(heard_s) + timedelta(days=3))
    meter = house.meter
    gas = {
        row.start_s: (row.deltas["gas_pulses"], row.channel_status["gas_pulses"])
        for row in meter.ledger.rows(GAS_S - 2 * HALF_HOUR_S, GAS_S + 2 * HALF_HOUR_S)
    }
    assert [(0, 0), (0, 0), (3, 0), (0, 0)] == list(gas.values())
    middle_s = LAST_S - 700 + 900 * DAY_S
    quiet = list(meter.ledger.rows(middle_s, middle_s + DAY_S))
    assert [(0, {"gas_pulses": int(PulseStatus.INTERPOLATED)})] * 48 == [
        (row.deltas["gas_pulses"], row.channel_status) for row in quiet
    ]
    assert DAYS * 48 * 2 + 3 == meter.ledger.total("gas") == meter.ledger.rates("gas")[0]
    assert [] == imbalances(meter.ledger)


def test_what_five_years_left_is_durable(house: House) -> None:
    """Restarted once more, the meter has the same rows, and its books balance."""
    house.restart(BACK_S)
    house.hear(BACK_S + PERIOD_S)
    here = list(house.meter.ledger.rows(BACK_S - 40 * DAY_S, BACK_S - 1_000))
    meter = house.restart(BACK_S + PERIOD_S + 10)
    assert here == list(meter.ledger.rows(BACK_S - 40 * DAY_S, BACK_S - 1_000))
    assert [] == imbalances(meter.ledger)


def test_without_backup_rows_pause_and_energy_waits_in_the_spell(forgetful: House) -> None:
    """Nobody knows the time: registers count, the last rate goes on, and no row appears."""
    closed_s = forgetful.meter.ledger.closed_s
    meter = forgetful.restart(BACK_S)
    back = from_unix_s(BACK_S)
    before_wh, (first_wh, second_wh) = meter.ledger.total("import"), meter.ledger.rates("import")
    meter.receive_energy(
        "import", 500 * MJ_PER_WH, back, back + timedelta(hours=5), back + timedelta(hours=5)
    )
    meter.handle_timer(back + timedelta(hours=6))
    assert closed_s == meter.ledger.closed_s
    assert 0 == len(meter.ledger.profile.runs)
    assert meter.objects["0-0:1.0.0"].value is None
    assert before_wh + 500 == meter.ledger.total("import")
    assert 500 == meter.ledger.unallocated("import")
    assert (first_wh + 500, second_wh) == tuple(meter.ledger.rates("import"))
    assert {"import": 500} == meter.ledger.spells[0].quantities
    assert DAYS == len(meter.ledger.snapshots("daily"))
    assert [] == imbalances(meter.ledger)


def test_setting_the_clock_dates_five_years(forgetful: House) -> None:
    """The spell ends where it began and was set, its half-hours are one run, and gas is placed."""
    forgetful.unit.turn(GAS_S, 3)
    forgetful.restart(BACK_S)
    heard_s = BACK_S - 1_000 + 2 * HALF_HOUR_S + SENT_AFTER_S
    forgetful.hear(heard_s)
    meter = forgetful.meter
    set_s = heard_s + 600
    meter.set_clock(from_unix_s(set_s), from_unix_s(set_s))
    meter.handle_timer(from_unix_s(set_s) + timedelta(days=3))
    ((from_us, to_us, _),) = meter.ledger.spells
    assert (LAST_S, set_s * 10**6) == (from_us // 10**6, to_us)
    assert [Dating.DATED_LATER] == [
        each.dating for each in meter.clock.stretches if each.dating is not Dating.KNOWN
    ]
    unknown = int(RowStatus.CLOCK_INVALID | RowStatus.DATA_NOT_VALID)
    middle_s = LAST_S - 700 + 900 * DAY_S
    assert [unknown] * 48 == statuses(meter, middle_s, middle_s + DAY_S)
    assert 1 == len(meter.ledger.profile.runs)
    (burnt,) = meter.ledger.rows(GAS_S, GAS_S + HALF_HOUR_S)
    assert 3 == burnt.deltas["gas_pulses"]
    assert [] == imbalances(meter.ledger)


def test_setting_the_clock_snapshots_no_midnight_before_the_first_power_up(
    forgetful: House,
) -> None:
    """The days that the setting brings are those since the time was lost."""
    history = forgetful.meter.ledger.snapshots("daily")
    billed = len(forgetful.meter.ledger.snapshots("billing"))
    meter = forgetful.restart(BACK_S)
    meter.set_clock(from_unix_s(BACK_S + 60), from_unix_s(BACK_S + 60))
    daily = meter.ledger.snapshots("daily")
    assert [each.at_s for each in history] == [each.at_s for each in daily[:DAYS]]
    assert len(daily) <= DAYS + 8
    assert BEGIN_S < meter.ledger.snapshots("billing")[0].at_s
    assert billed < len(meter.ledger.snapshots("billing")) <= billed + 3
