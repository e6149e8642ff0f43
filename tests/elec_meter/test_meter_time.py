"""What the meter's time does to its books: settings, spells, outages, tariffs that come late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, Storage
from elec_meter.config import (
    CalendarConfig,
    ClockConfig,
    DataChannelConfig,
    DemandConfig,
    GasUnitConfig,
    MeterConfig,
    PassiveTariff,
    PricesConfig,
    ProfileConfig,
    SwitchConfig,
    TariffConfig,
)
from elec_meter.errors import ClockError, ConfigError
from elec_meter.ledger import Peak, RowStatus, imbalances
from elec_meter.testing.unit import FIRST_COUNT, PaperUnit
from shared.timegrid import unix_s
from shared.units import MJ_PER_WH

NOON = datetime(2013, 1, 7, 12, tzinfo=UTC)
NOON_S = unix_s(NOON)
HALF_HOUR_S = 1_800
KEY = bytes(range(16))
NIGHT = CalendarConfig(rates=2, switches=(SwitchConfig("12:00", 1), SwitchConfig("13:00", 2)))
PLAIN = MeterConfig(gas_units=(GasUnitConfig(serial="00000001"),))


def after(minutes: float) -> datetime:
    """An instant of the host's, so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


class House:
    """A meter, and what is drawn in a house."""

    def __init__(self, config: MeterConfig = PLAIN, begin: datetime = NOON) -> None:
        self.storage, self.keys = Storage.in_memory(), MemoryKeystore()
        self.meter = Meter(config, self.storage, begin, keystore=self.keys)
        self.unit = PaperUnit("00000001", KEY, unix_s(begin))

    def draw(self, watt_hours: int, start: datetime, end: datetime, now: datetime) -> None:
        """Import flows evenly."""
        self.meter.receive_energy("import", watt_hours * MJ_PER_WH, start, end, now)

    def pair(self) -> None:
        """The unit is paired at noon."""
        record = UnitRecord(
            serial="00000001", channel="gas", paired_utc=NOON, base_count=FIRST_COUNT
        )
        self.meter.pair(record, KEY, NOON)

    def hear(self, now: datetime) -> None:
        """The unit tells what it has counted."""
        frame = ReceivedFrame(self.unit.frame(unix_s(now)), now, "test", 2)
        self.meter.receive_frame(frame, now)

    def hear_through(self, end: datetime) -> None:
        """The unit tells of every boundary of a half-hour up to an instant, just after it."""
        now = NOON + timedelta(seconds=5)
        while now <= end:
            self.hear(now)
            now += timedelta(minutes=30)

    def restart(self, now: datetime, *, is_torn: bool = False) -> None:
        """Power goes and comes back."""
        if is_torn:
            self.storage.connection.rollback()
        else:
            self.meter.checkpoint()
        config = self.storage.load_config()
        assert config is not None
        self.meter = Meter(config, self.storage, now, keystore=self.keys)

    def imports(self) -> dict[float, int]:
        """By minutes after noon, what rows hold that hold something."""
        rows = self.meter.ledger.profile.measured()
        return {(r.start_s - NOON_S) / 60: r.deltas[0] for r in rows if r.deltas[0]}


def test_energy_from_before_a_setting_back_closes_nothing() -> None:
    """It reaches the row of its time, which lies ahead now, and the clock's own row stays open."""
    house = House()
    house.meter.handle_timer(after(100))
    house.meter.set_clock(after(10), after(100))
    house.draw(6, after(95), after(100), after(101))
    ledger = house.meter.ledger
    assert ({90.0: 6}, NOON_S) == (house.imports(), ledger.closed_s)
    house.draw(4, after(101), after(102), after(102))
    assert {0.0: 4, 90.0: 6} == house.imports()
    assert [] == imbalances(ledger)


def test_energy_from_before_a_setting_is_no_demand_of_the_second_pass() -> None:
    """Two passes through one half-hour do not add up to a maximum that nobody drew."""
    house = House()
    house.meter.handle_timer(after(55))
    house.meter.set_clock(after(12), after(55))
    house.draw(500, after(31), after(55), after(56))
    house.draw(300, after(73), after(103), after(103))
    house.meter.handle_timer(after(110))
    maximum = house.meter.ledger.demand_of("import").maximum
    assert maximum is not None
    assert Peak(600, NOON_S + 3_600) == maximum


def test_energy_after_a_boundary_within_a_second_is_in_the_new_row() -> None:
    """What flows in the half second after a boundary is not booked before it."""
    house = House()
    start = after(30) - timedelta(seconds=0.5)
    house.draw(20, start, after(30) + timedelta(seconds=0.5), after(31))
    assert {0.0: 10, 30.0: 10} == house.imports()


def test_rows_of_the_past_are_cut_by_their_own_length() -> None:
    """Late energy of half-hours is divided at half-hours though periods are 60 minutes now."""
    house = House(msgspec.structs.replace(PLAIN, demand=DemandConfig(sub_periods=5)))
    config = msgspec.structs.replace(house.meter.config, profile=ProfileConfig(period_min=60))
    house.meter.handle_timer(after(40))
    house.meter.apply_config(config, after(40))
    house.meter.handle_timer(after(90))
    house.meter.set_clock(after(1_000), after(90))
    house.draw(60, after(0), after(60), after(91))
    assert {0.0: 30, 30.0: 30} == house.imports()


@pytest.mark.parametrize("period_min", [5, 10, 15, 20, 60])
def test_gas_has_half_hours_beside_other_periods(period_min: int) -> None:
    """Every length of import has the same energy, and gas its 30 minutes."""
    config = msgspec.structs.replace(
        PLAIN,
        profile=ProfileConfig(period_min=period_min),  # type: ignore[arg-type]  # one of its numbers
    )
    house = House(config)
    house.pair()
    house.unit.turn(NOON_S, 6)
    house.unit.turn(NOON_S + HALF_HOUR_S, 4)
    house.hear_through(after(121))
    house.draw(120, after(0), after(120), after(121))
    house.meter.handle_timer(after(121))
    rows = list(house.meter.ledger.rows(0, 1 << 40))
    energy = [row for row in rows if "import_wh" in row.deltas]
    gas = [row for row in rows if "gas_pulses" in row.deltas]
    assert [period_min] * (120 // period_min) == [row.deltas["import_wh"] for row in energy]
    assert {period_min * 60} == {row.period_s for row in energy}
    assert [6, 4, 0, 0] == [row.deltas["gas_pulses"] for row in gas]
    assert {HALF_HOUR_S} == {row.period_s for row in gas}


def test_without_a_time_energy_counts_in_the_last_rate() -> None:
    """It is in no row, and the setting that ends the spell ends that."""
    house = House(msgspec.structs.replace(PLAIN, tariff=TariffConfig(import_=NIGHT)))
    house.draw(3, after(0), after(50), after(50))
    house.meter.lose_clock(after(50))
    house.draw(5, after(50), after(100), after(100))
    ledger = house.meter.ledger
    assert ([8, 0], 5) == (ledger.rates("import"), ledger.unallocated("import"))
    house.meter.handle_timer(after(100))
    assert NOON_S + HALF_HOUR_S == ledger.closed_s
    with pytest.raises(ClockError, match="not known"):
        house.meter.end_billing(after(100))
    house.restart(after(101))
    house.meter.set_clock(after(102), after(102))
    house.draw(7, after(102), after(110), after(110))
    ledger = house.meter.ledger
    assert ([8, 7], 5) == (ledger.rates("import"), ledger.unallocated("import"))
    (spell,) = ledger.spells
    assert (50, 102) == tuple((each or 0) // 60_000_000 - NOON_S // 60 for each in spell[:2])
    assert [] == imbalances(ledger)


def test_a_restart_without_a_time_leaves_history_alone() -> None:
    """The setting after it passes the midnights of the spell, and none before the meter was."""
    house = House()
    house.meter.lose_clock(after(10))
    house.restart(after(20))
    house.meter.set_clock(after(2_000), after(2_000))
    taken = house.meter.ledger.snapshots("daily")
    assert [NOON_S + 12 * 3_600] == [each.at_s for each in taken]
    assert 0 == house.meter.ledger.cost("import")[1]


def test_a_lost_rate_that_a_new_tariff_does_not_have_becomes_the_first() -> None:
    """Without it there would be no price, and energy could not be booked."""
    priced = CalendarConfig(prices=PricesConfig(rate_p_kwh=(Decimal(10),)))
    house = House(msgspec.structs.replace(PLAIN, tariff=TariffConfig(import_=NIGHT)))
    house.meter.handle_timer(after(70))
    house.meter.lose_clock(after(70))
    config = msgspec.structs.replace(house.meter.config, tariff=TariffConfig(import_=priced))
    house.meter.apply_config(config, after(71))
    house.draw(5, after(71), after(72), after(72))
    assert [5, 0] == house.meter.ledger.rates("import")
    assert [] == imbalances(house.meter.ledger)


def test_a_loss_at_the_instant_of_a_setting_goes_on_with_its_spell() -> None:
    """What it has measured stays in one entry."""
    house = House()
    house.meter.lose_clock(after(10))
    house.draw(5, after(10), after(11), after(11))
    house.meter.set_clock(after(11), after(11))
    house.meter.lose_clock(after(11))
    house.meter.set_clock(after(11), after(11))
    house.meter.lose_clock(after(11))
    house.draw(4, after(11), after(12), after(12))
    assert 9 == house.meter.ledger.unallocated("import")
    house.restart(after(12))
    assert 9 == house.meter.ledger.unallocated("import")
    assert [] == imbalances(house.meter.ledger)


def test_a_restart_goes_on_after_a_setting_back_within_the_second() -> None:
    """What was set half a second after the durable one is not undone by it."""
    house = House()
    house.meter.handle_timer(after(100))
    now = after(100) + timedelta(seconds=0.5)
    house.meter.set_clock(after(10), now)
    house.restart(now + timedelta(seconds=60))
    assert after(11) == house.meter.clock.read(now + timedelta(seconds=60))
    assert NOON_S == house.meter.ledger.closed_s
    assert [] == imbalances(house.meter.ledger)


def test_an_outage_beyond_the_backup_closes_what_had_ended() -> None:
    """The row before the one in which power went is clean."""
    house = House(msgspec.structs.replace(PLAIN, clock=ClockConfig(backup_h=1)))
    house.meter.handle_timer(after(29))
    house.storage.checkpoint(house.meter.ledger, NOON_S + 31 * 60)
    house.restart(after(300), is_torn=True)
    assert not house.meter.clock.valid
    statuses = [row.status for row in house.meter.ledger.profile.measured()]
    assert [0, RowStatus.POWER_DOWN | RowStatus.CLOCK_INVALID] == statuses


@pytest.mark.parametrize("late_min", [0.05, 20, 1_000])
def test_a_tariff_is_activated_at_its_own_instant(late_min: float) -> None:
    """However late anybody looks, the gas of half-hours that open then has the new rate."""
    coming = PassiveTariff(
        after(90), TariffConfig(gas=CalendarConfig(rates=2, switches=(SwitchConfig("00:00", 2),)))
    )
    house = House(msgspec.structs.replace(PLAIN, passive=coming))
    house.pair()
    for place in range(4):
        house.unit.turn(NOON_S + place * HALF_HOUR_S, 1 << place)
    house.hear_through(after(61))
    house.hear(after(90 + late_min))
    house.meter.handle_timer(after(90 + late_min))
    for later in (120, 150, 4_000):
        house.hear(after(max(later, 90 + late_min)) + timedelta(seconds=5))
    house.meter.handle_timer(after(4_001))
    assert [7, 8] == house.meter.ledger.rates("gas")
    (taken,) = house.meter.ledger.snapshots("billing")
    assert (NOON_S + 90 * 60, [7, 7]) == (taken.at_s, (taken.pulses["gas"] or [])[:2])


def test_a_tariff_is_activated_within_an_outage() -> None:
    """Gas that was counted meanwhile has the rate of its time, whenever it becomes known."""
    coming = PassiveTariff(
        after(90), TariffConfig(gas=CalendarConfig(rates=2, switches=(SwitchConfig("00:00", 2),)))
    )
    house = House(msgspec.structs.replace(PLAIN, passive=coming))
    house.pair()
    house.hear(after(0.1))
    house.restart(after(4 * 1_440))
    assert NOON_S + 90 * 60 in [each.at_s for each in house.meter.ledger.snapshots("billing")]
    (gas,) = house.meter.ledger.pulse_channels
    booked = (gas.rows(), gas.registers.state())
    gas.rebook(gas.journalled())
    assert booked == (gas.rows(), gas.registers.state())
    assert None is house.meter.config.passive


def test_a_tariff_that_is_overdue_changes_nothing_before_now() -> None:
    """An activation in the past happens at once; its snapshot says so."""
    house = House()
    house.meter.handle_timer(after(100))
    coming = PassiveTariff(after(-500), TariffConfig(import_=NIGHT))
    house.meter.apply_config(msgspec.structs.replace(PLAIN, passive=coming), after(100))
    house.meter.handle_timer(after(101))
    assert [NOON_S + 100 * 60] == [each.at_s for each in house.meter.ledger.snapshots("billing")]
    assert [] == imbalances(house.meter.ledger)


def test_a_late_timer_takes_snapshots_before_it_books_gas() -> None:
    """Three days in one call: each midnight has the gas of its own day."""
    house = House()
    house.pair()
    for place in range(24 + 48):
        house.unit.turn(NOON_S + place * HALF_HOUR_S, 1)
    for place in range(1, 25):
        now = after(30 * place) + timedelta(seconds=5)
        house.meter.collector.receive(
            ReceivedFrame(house.unit.frame(unix_s(now)), now, "a", 2), now
        )
    late = after(36 * 60)
    house.hear(late + timedelta(seconds=5))
    house.meter.handle_timer(after(5 * 1_440))
    taken = house.meter.ledger.snapshots("daily")
    assert [24, 72] == [(each.pulses["gas"] or [0])[0] for each in taken[:2]]


def test_a_period_changes_though_the_time_is_not_known() -> None:
    """It takes effect at the first whole hour after the clock is set."""
    house = House()
    house.meter.lose_clock(after(10))
    config = msgspec.structs.replace(PLAIN, profile=ProfileConfig(period_min=5))
    house.meter.apply_config(config, after(20))
    house.meter.set_clock(after(40), after(40))
    house.meter.handle_timer(after(71))
    starts = [(r.start_s - NOON_S) // 60 for r in house.meter.ledger.profile.measured()]
    assert [0, 30, 60, 65, 70] == starts


@pytest.mark.parametrize("at_min", [7, 29.9, 30])
def test_other_sub_periods_leave_boundaries_where_they_are(at_min: float) -> None:
    """Rows go on closing at half-hours, and demand with them."""
    house = House(msgspec.structs.replace(PLAIN, demand=DemandConfig(sub_periods=30)))
    house.meter.handle_timer(after(at_min))
    config = msgspec.structs.replace(PLAIN, demand=DemandConfig(sub_periods=1))
    house.meter.apply_config(config, after(at_min))
    house.draw(500, after(at_min), after(90), after(90))
    house.meter.handle_timer(after(91))
    last = house.meter.ledger.demand_of("import").last
    assert last is not None
    assert NOON_S + 90 * 60 == last.end_s
    assert 0 == house.meter.ledger.demand.book.closed_s % HALF_HOUR_S


def test_gas_rates_of_a_new_tariff_can_be_read_at_once() -> None:
    """A configuration with several rates of gas is one that a meter can work with."""
    house = House()
    tariff = TariffConfig(gas=CalendarConfig(rates=4, switches=(SwitchConfig("00:00", 4),)))
    house.meter.apply_config(msgspec.structs.replace(PLAIN, tariff=tariff), after(1))
    assert [0, 0, 0, 0] == house.meter.ledger.rates("gas")
    house.restart(after(2))
    assert [0, 0, 0, 0] == house.meter.ledger.rates("gas")


def test_a_data_channel_keeps_its_object() -> None:
    """Rows of two objects under one name would be no rows of either."""
    house = House(
        msgspec.structs.replace(PLAIN, data_channels=(DataChannelConfig("x", 2, "1-0:1.8.0"),))
    )
    other = msgspec.structs.replace(PLAIN, data_channels=(DataChannelConfig("x", 2, "1-0:2.8.0"),))
    with pytest.raises(ConfigError, match="another name"):
        house.meter.apply_config(other, after(1))
    house.meter.apply_config(PLAIN, after(1))
