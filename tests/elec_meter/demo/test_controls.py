"""What a visitor does to the demo's house, and what the meter then has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collector import MemoryKeystore
from elec_meter import Storage, demo_config
from elec_meter.demo.controls import (
    CHANGE_DAY_SPEED,
    PAIRING_SPEED_MAX,
    DemoControls,
    Pace,
    next_change_day,
)
from elec_meter.demo.gas import BoilerFlow, GasMeter
from elec_meter.demo.spare import BURN_PULSES, spare_dial
from elec_meter.demo.world import DemoWorld, demo_unit
from elec_meter.errors import ControlError
from elec_meter.events import EventCode
from elec_meter.ledger import RowStatus
from elec_meter.ledger.audit import imbalances
from elec_meter.meter import Meter
from shared.timegrid import unix_ms, unix_s

START = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Visit:
    """A house without mains, which makes it quick, and its controls."""

    def __init__(self) -> None:
        self.keystore = MemoryKeystore()
        meter = Meter(demo_config(), Storage.in_memory(), START, keystore=self.keystore)
        turns = GasMeter(BoilerFlow(1), demo_unit(meter.config).weight)
        self.world = DemoWorld(meter, turns, None, seed=1)
        self.clock_s = 0.0
        self.pace = Pace(1.0, START, lambda: self.clock_s)
        self.controls = DemoControls(self.world, self.pace)

    def live(self, length: timedelta) -> None:
        """Let time pass."""
        for _ in self.world.advance(self.world.now + length):
            pass

    def go_dark(self) -> None:
        """Let the supply fail and come back, as the demo does."""
        assert self.controls.dark_until is not None
        for _ in self.world.lose_power(self.controls.dark_until):
            pass
        self.world.regain_power(self.keystore)
        self.controls.has_come_back()


@pytest.fixture
def visit() -> Iterator[Visit]:
    """A visit that begins."""
    return Visit()


def test_a_change_of_pace_forgets_what_was_due(visit: Visit) -> None:
    """From the change on time passes at the new speed, and never jumps."""
    visit.clock_s = 10.0
    assert START + 10 * timedelta(seconds=1) == visit.pace.due()
    visit.controls.steer({"speed": 60})
    assert visit.world.now == visit.pace.due()
    visit.clock_s = 11.0
    assert START + MINUTE == visit.pace.due()
    assert 60 == visit.controls.status()["speed"]


def test_an_outage_is_rows_without_power(visit: Visit) -> None:
    """The meter has what the unit counted meanwhile, and its books balance."""
    visit.live(65 * MINUTE)
    visit.controls.steer({"cut_power_min": 70})
    turned = visit.world.turned
    visit.go_dark()
    assert START + 135 * MINUTE == visit.world.now
    assert turned < visit.world.turned
    burnt = visit.world.turned
    visit.live(120 * MINUTE)

    meter = visit.world.meter
    rows = {row.start_s: row for row in meter.ledger.rows(unix_s(START), unix_s(visit.world.now))}
    dark = rows[unix_s(START + 90 * MINUTE)]
    assert RowStatus.POWER_DOWN in dark.status
    assert RowStatus.POWER_DOWN not in rows[unix_s(START)].status
    assert burnt <= meter.ledger.total("gas")
    assert [] == imbalances(meter.ledger)


@pytest.mark.parametrize("wish", [{"cut_power_min": 20}, {"change_day": True}])
def test_no_unit_falls_silent_while_the_meter_is_dark(visit: Visit, wish: dict[str, Any]) -> None:
    """After an outage the meter listens for two periods before it misses a unit."""
    visit.live(20 * MINUTE)
    visit.controls.steer(wish)
    visit.go_dark()
    back = visit.world.now
    visit.controls.steer({"loss": 1})
    visit.live(30 * MINUTE)
    assert [] == silences(visit)
    visit.live(MINUTE)
    assert [back + 30 * MINUTE] == silences(visit)


def silences(visit: Visit) -> list[datetime]:
    """When a unit's silence was told."""
    events = visit.world.meter.storage.events()
    return [each.at.replace(microsecond=0) for each in events if each.code == EventCode.UNIT_SILENT]


def test_the_house_goes_to_the_next_change_of_clocks(visit: Visit) -> None:
    """It stands dark until the evening before, and the day then has 46 half-hours."""
    assert date(2026, 3, 29) == next_change_day(visit.world.now)
    visit.controls.steer({"change_day": True})
    visit.go_dark()

    assert datetime(2026, 3, 28, 23, tzinfo=UTC) == visit.world.now
    assert CHANGE_DAY_SPEED == visit.pace.speed
    assert visit.world.meter.clock.read(visit.world.now) is not None
    visit.live(3 * 60 * MINUTE)
    assert visit.world.turned >= visit.world.meter.ledger.total("gas")
    assert [] == imbalances(visit.world.meter.ledger)


def test_half_hours_after_months_are_known_at_once(visit: Visit) -> None:
    """Though the last pulses before them were not heard: the unit tells how long ago they were."""
    visit.live(35 * MINUTE)
    visit.controls.steer({"loss": 1})
    visit.live(20 * MINUTE)
    assert visit.world.turned > visit.world.meter.ledger.total("gas")
    visit.controls.steer({"change_day": True})
    visit.go_dark()
    back = visit.world.now
    visit.controls.steer({"loss": 0})
    visit.live(9 * 60 * MINUTE)

    ledger = visit.world.meter.ledger
    rows = list(ledger.rows(unix_s(back - 3_000 * MINUTE), unix_s(visit.world.now - 60 * MINUTE)))
    assert 100 + 16 == len(rows)
    assert None not in [row.deltas["gas_pulses"] for row in rows]
    assert [] == imbalances(ledger)


def test_a_unit_to_pair_does_not_live_through_months_at_once(visit: Visit) -> None:
    """When the house is lit again both units are at the same instant, with all that they counted.

    Otherwise the meter would stand still for as long as the months take, its ports open.
    """
    visit.controls.steer({"unit": "burn"})
    visit.live(10 * MINUTE)
    spare = visit.world.spare
    assert spare is not None
    visit.controls.steer({"change_day": True})
    visit.go_dark()

    now_ms, after = unix_ms(visit.world.now), visit.world.spare
    assert after is not None
    assert now_ms <= after.next_ms()
    assert BURN_PULSES == spare.unit.count == after.unit.count
    visit.controls.steer({"unit": "burn"})
    visit.live(10 * MINUTE)
    assert 2 * BURN_PULSES == after.unit.count


def test_the_dial_of_a_unit_to_pair_turns_with_what_is_burnt(visit: Visit) -> None:
    """An installer compares it with what the meter expects; five digits of m3 turn over."""
    assert "01234.567" == visit.controls.status()["unit"]["dial"]
    visit.controls.steer({"unit": "burn"})
    assert "01234.567" == visit.controls.status()["unit"]["dial"]
    visit.live(2 * MINUTE)
    assert "01234.667" == visit.controls.status()["unit"]["dial"]
    assert "00000.007" == spare_dial(9_876_544)


def test_whoever_touches_a_unit_can_keep_up_with_it(visit: Visit) -> None:
    """The demo slows down to `PAIRING_SPEED_MAX`, and is never made faster."""
    for before, after in ((600, PAIRING_SPEED_MAX), (1, 1)):
        visit.controls.steer({"speed": before})
        visit.controls.steer({"unit": "press"})
        assert after == visit.controls.status()["speed"]


def test_a_radio_that_loses_everything_is_not_heard(visit: Visit) -> None:
    """Telegrams are sent and none is received, until the visitor lets them through again."""
    visit.controls.steer({"loss": 1})
    visit.live(60 * MINUTE)
    assert 0 == visit.world.telegrams_received < visit.world.telegrams_sent
    visit.controls.steer({"loss": 0})
    visit.live(60 * MINUTE)
    assert 0 < visit.world.telegrams_received


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"speed": 0},
        {"speed": "fast"},
        {"speed": True},
        {"speed": float("nan")},
        {"speed": 1e9},
        {"loss": 2},
        {"loss": None},
        {"cut_power_min": 0},
        {"cut_power_min": 10**9},
        {"change_day": False},
        {"unit": "break"},
        {"speed": 2, "loss": 0.5},
        {"loss": 0.5, "nothing": None},
    ],
)
def test_a_wish_that_makes_no_sense_changes_nothing(visit: Visit, wish: dict[str, Any]) -> None:
    """It is refused in one sentence."""
    before = visit.controls.status()
    with pytest.raises(ControlError):
        visit.controls.steer(wish)
    assert before == visit.controls.status()
    assert visit.controls.dark_until is None
