"""Relays, pulse inputs and pulse outputs, alone and in a whole meter."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.access import Level
from elec_meter.config import (
    CalendarConfig,
    DataChannelConfig,
    MeterConfig,
    PulseInputConfig,
    PulseOutputConfig,
    RelayConfig,
    SwitchConfig,
    TariffConfig,
    TerminalConfig,
    config_from_toml,
)
from elec_meter.config.presets import ECONOMY_7_UTC
from elec_meter.errors import ConfigError, NotAllowedError, TerminalError
from elec_meter.events import EventCode
from elec_meter.ledger.audit import imbalances
from elec_meter.tariff import randomised_offset_s
from elec_meter.terminals import OutputState, PulseOutput, RegisterReading
from tests.elec_meter.mains import House
from tests.naive.rates import watch

PAGE = Path(__file__).parents[2] / "docs" / "switching.md"
NIGHT = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
KWH_MJ = 3_600_000_000
SWITCHED = (EventCode.RELAY_SWITCHED, EventCode.RELAY_BOOSTED)
AFTERNOON = CalendarConfig(
    rates=2,
    switches=(SwitchConfig(at="13:00", rate=2), SwitchConfig(at="16:00", rate=1)),
)


def with_terminals(*uses: object, **fields: object) -> MeterConfig:
    """A meter with Economy 7 whose terminals are these."""
    named = {RelayConfig: "relay", PulseInputConfig: "pulse_in", PulseOutputConfig: "pulse_out"}
    terminals = tuple(
        TerminalConfig(number=number, **{named[type(use)]: use})
        for number, use in enumerate(uses, start=1)
        if use is not None
    )
    return MeterConfig(tariff=TariffConfig(import_=ECONOMY_7_UTC), terminals=terminals, **fields)


class Night:
    """A meter from midnight on, driven by its own timers."""

    def __init__(self, config: MeterConfig) -> None:
        self.now = NIGHT
        self.storage = Storage.in_memory()
        self.meter = Meter(config, self.storage, NIGHT)

    def pass_until(self, until: datetime) -> None:
        """Meet every timer up to an instant."""
        while self.now < until:
            due = self.meter.next_timer()
            self.now = min(until, max(due, self.now))
            self.meter.handle_timer(self.now)

    def cut(self, length: timedelta) -> None:
        """The power fails after a checkpoint, and comes back."""
        self.meter.checkpoint()
        self.now += length
        self.meter = Meter(self.meter.config, self.storage, self.now)

    def is_on(self, number: int = 1) -> bool:
        """As the directory has it."""
        return bool(self.meter.objects[f"0-{number}:96.3.10"][2])

    def changes(self, until: datetime, number: int = 1) -> list[tuple[str, bool]]:
        """When the relay switches, minute and second, and to what."""
        seen, was_on = [], self.is_on(number)
        while self.now < until:
            self.pass_until(min(until, max(self.meter.next_timer(), self.now + SECOND)))
            if self.is_on(number) != was_on:
                was_on = not was_on
                seen.append((f"{self.now:%H:%M:%S}", was_on))
        return seen


def test_a_relay_follows_the_rate() -> None:
    """On in rate 2 of Economy 7, to the second; an export relay knows only export's rate."""
    night = Night(with_terminals(RelayConfig(control="rate", rates=(2,))))
    assert [("00:30:00", True), ("07:30:00", False)] == night.changes(NIGHT + 12 * HOUR)
    night = Night(with_terminals(RelayConfig(control="rate", channel="export", rates=(2,))))
    assert [] == night.changes(NIGHT + 12 * HOUR)


def test_a_relay_follows_a_calendar_of_its_own() -> None:
    """Which is data: another one on a running meter switches from then on."""
    config = with_terminals(RelayConfig(control="calendar", calendar=AFTERNOON))
    night = Night(config)
    assert [("13:00:00", True), ("16:00:00", False)] == night.changes(NIGHT + 24 * HOUR)
    switches = (SwitchConfig(at="03:00", rate=2), SwitchConfig(at="03:15", rate=1))
    other = replace(AFTERNOON, switches=switches)
    changed = with_terminals(RelayConfig(control="calendar", calendar=other))
    night.meter.apply_config(changed, night.now)
    assert [("03:00:00", True), ("03:15:00", False)] == night.changes(NIGHT + 48 * HOUR)


@pytest.mark.parametrize("serial", ["00000001", "00000002", "20481337"])
def test_the_randomised_offset_is_the_relays_own(serial: str) -> None:
    """The relay switches late by the meter's share; the rate itself does not."""
    tariff = TariffConfig(import_=ECONOMY_7_UTC, offset_limit_s=1_799)
    relay = RelayConfig(control="rate", rates=(2,))
    config = replace(with_terminals(relay), tariff=tariff, serial=serial)
    offset = timedelta(seconds=randomised_offset_s(serial, 1_799))
    night = Night(config)
    wanted = [
        (f"{at + offset:%H:%M:%S}", is_on)
        for at, is_on in ((NIGHT + 30 * MINUTE, True), (NIGHT + 450 * MINUTE, False))
    ]
    assert wanted == night.changes(NIGHT + 12 * HOUR)
    assert 2 == night.meter.ledger.active_rate("import", int((NIGHT + 30 * MINUTE).timestamp()))


def test_a_relay_stays_as_it_is_while_the_time_is_not_known() -> None:
    """And follows again when somebody has set the clock."""
    night = Night(with_terminals(RelayConfig(control="rate", rates=(2,))))
    night.pass_until(NIGHT + HOUR)
    night.meter.lose_clock(night.now)
    night.pass_until(NIGHT + 9 * HOUR)
    assert night.is_on()
    night.meter.set_clock(night.now, night.now)
    night.pass_until(night.now + SECOND)
    assert not night.is_on()


def test_an_order_is_kept_over_an_outage() -> None:
    """On is on, off is off, and the log says who."""
    night = Night(with_terminals(RelayConfig()))
    night.meter.switch_relay(1, True, NIGHT, author="the installer")
    assert night.is_on()
    night.cut(HOUR)
    assert night.is_on()
    night.meter.switch_relay(1, False, night.now)
    night.cut(HOUR)
    assert not night.is_on()
    assert [
        "relay 1 was switched on by the installer",
        "relay 1 was switched off by the program",
    ] == [each.text for each in night.storage.events() if each.code == EventCode.RELAY_SWITCHED]


def test_what_is_left_of_a_boost_is_whole_seconds() -> None:
    """None more than there are: one that has begun counts, by the instant of the read."""
    begun = NIGHT + timedelta(milliseconds=250)
    night = Night(with_terminals(RelayConfig(boost_min=45)))
    night.meter.boost_relay(1, None, begun)
    left = night.meter.objects["0-1:128.61.0"]
    read_at_ms = (0, 1, 999, 1_000, 45 * 60_000 - 1, 45 * 60_000)
    assert [2700, 2700, 2700, 2699, 1, 0] == [
        left.value_at(begun + timedelta(milliseconds=each)) for each in read_at_ms
    ]


def test_a_boost_ends_by_itself() -> None:
    """After its minutes, an outage among them; of what the calendar wants it changes nothing."""
    config = with_terminals(RelayConfig(control="calendar", calendar=AFTERNOON, boost_min=45))
    night = Night(config)
    assert 45 == night.meter.boost_relay(1, None, NIGHT)
    assert (True, 2700) == (night.is_on(), night.meter.objects["0-1:128.61.0"].value)
    night.cut(30 * MINUTE)
    assert (True, 900) == (night.is_on(), night.meter.objects["0-1:128.61.0"].value)
    assert [("00:45:00", False)] == night.changes(NIGHT + HOUR)
    night.meter.boost_relay(1, 10, night.now)
    night.meter.boost_relay(1, 0, night.now)
    assert not night.is_on()
    night.meter.boost_relay(1, 30, NIGHT + 12 * HOUR + 45 * MINUTE)
    night.pass_until(NIGHT + 13 * HOUR + 30 * MINUTE)
    assert night.is_on()
    night.meter.boost_relay(1, 0, night.now)
    assert night.is_on()


def test_orders_that_do_not_fit_change_nothing() -> None:
    """A relay that follows a calendar, a terminal that counts, a level below, a long boost."""
    config = with_terminals(
        RelayConfig(control="calendar", calendar=AFTERNOON, boost_min=0), PulseInputConfig()
    )
    meter = Meter(config, Storage.in_memory(), NIGHT)
    with pytest.raises(TerminalError, match="this relay follows its calendar, not orders"):
        meter.switch_relay(1, True, NIGHT)
    with pytest.raises(TerminalError, match="this relay has no boost"):
        meter.boost_relay(1, 5, NIGHT)
    with pytest.raises(TerminalError, match="terminal 2 is no relay"):
        meter.boost_relay(2, 5, NIGHT)
    with pytest.raises(TerminalError, match="a boost has at most 1440 minutes"):
        meter.boost_relay(1, 1_441, NIGHT)
    with pytest.raises(NotAllowedError, match="level 1 may not switch a relay"):
        meter.switch_relay(1, True, NIGHT, level=Level.READER)
    assert [] == [each for each in meter.storage.events() if each.code in SWITCHED]


def test_the_load_switching_variant_has_a_fifth_terminal() -> None:
    """It is number 9, follows what a relay can follow, and is switched beside the others."""
    load = RelayConfig(control="rate", rates=(2,))
    night = Night(with_terminals(RelayConfig(), switched_load=load))
    assert {0: True, 1: False, 9: False} == night.meter.switchgear.outputs()
    night.pass_until(NIGHT + HOUR)
    assert {0: True, 1: False, 9: True} == night.meter.switchgear.outputs()
    assert "Switched load" == night.meter.objects["0-9:96.3.10"].name


def pulse(night: Night, at: datetime, number: int = 1, closed_ms: int = 100) -> None:
    """A closing and an opening, with bounce at both."""
    opened_ms = closed_ms + 4
    bounce = ((0, True), (3, False), (5, True), (closed_ms, False), (closed_ms + 2, True))
    for ms, is_closed in (*bounce, (opened_ms, False)):
        edge = at + timedelta(milliseconds=ms)
        night.meter.receive_edge(number, is_closed, edge, edge)
    night.now = at + timedelta(milliseconds=opened_ms)


def test_a_pulse_counts_once_and_in_its_half_hour() -> None:
    """A litre a pulse, bounce and all, booked by a data channel; the books balance."""
    water = PulseInputConfig(weight=Decimal("0.001"), unit="m3", debounce_ms=30)
    channel = DataChannelConfig(name="water", number=2, object="0-1:128.62.0")
    night = Night(with_terminals(water, data_channels=(channel,)))
    night.pass_until(NIGHT + 31 * MINUTE)  # what a channel records first is where it begins
    for minute in (40, 41, 42, 70):
        night.pass_until(NIGHT + minute * MINUTE)
        pulse(night, night.now)
    night.pass_until(NIGHT + 91 * MINUTE)
    counted = night.meter.objects["0-1:128.62.0"]
    assert (Decimal("0.004"), "m3") == (counted.value, counted.unit)
    rows = list(night.meter.ledger.rows(int(NIGHT.timestamp()), int(night.now.timestamp())))
    assert [0, 3, 1] == [row.deltas["water"] for row in rows]
    assert [] == imbalances(night.meter.ledger)
    night.cut(HOUR)
    assert Decimal("0.004") == night.meter.objects["0-1:128.62.0"].value


def test_bounce_alone_counts_nothing() -> None:
    """Closings that do not last, however many."""
    night = Night(with_terminals(PulseInputConfig(debounce_ms=20)))
    for ms in range(0, 200, 2):
        at = NIGHT + timedelta(milliseconds=ms)
        night.meter.receive_edge(1, ms % 4 == 0, at, at)
    night.pass_until(NIGHT + MINUTE)
    assert 0 == night.meter.objects["0-1:128.62.0"].value


def test_a_contact_that_rests_closed_is_counted_once() -> None:
    """Told again after an outage it is no new pulse; its object says how it is."""
    night = Night(with_terminals(PulseInputConfig()))
    night.meter.receive_edge(1, True, NIGHT, NIGHT)
    night.pass_until(NIGHT + MINUTE)
    assert (1, 1) == tuple(
        night.meter.objects[code].value for code in ("0-1:96.3.1", "0-1:128.62.0")
    )
    night.cut(HOUR)
    night.meter.receive_edge(1, True, night.now, night.now)
    night.pass_until(night.now + MINUTE)
    assert 1 == night.meter.objects["0-1:128.62.0"].value


def test_a_count_outlasts_what_the_terminal_is_meanwhile() -> None:
    """As a relay it counts nothing; as an input again it goes on where it was."""
    config = with_terminals(PulseInputConfig())
    night = Night(config)
    pulse(night, NIGHT)
    night.pass_until(NIGHT + MINUTE)
    night.meter.apply_config(with_terminals(RelayConfig()), night.now)
    pulse(night, night.now)
    night.meter.apply_config(config, night.now)
    pulse(night, night.now)
    night.pass_until(night.now + MINUTE)
    assert 2 == night.meter.objects["0-1:128.62.0"].value


@given(st.lists(st.integers(0, 5_000), max_size=40), st.integers(1, 10_000))
def test_pulses_add_up_to_the_register(steps: list[int], imp_per_kwh: int) -> None:
    """However the energy comes, across the register's end and all: whole pulses, none twice."""
    output = PulseOutput(PulseOutputConfig(imp_per_kwh=imp_per_kwh), OutputState())
    total, sent = 999_990_000, 0
    output.advance(RegisterReading(total, 10**9))
    for step in steps:
        total += step
        output.advance(RegisterReading(total % 10**9, 10**9))
        sent += output.take_pulses()
    assert (total - 999_990_000) * imp_per_kwh // 1_000 == sent == output.count


def test_a_meter_tells_its_energy_with_pulses() -> None:
    """500 a kWh: 1,234 Wh are 617 pulses, and an outage adds none."""
    night = Night(with_terminals(None, PulseOutputConfig(imp_per_kwh=500)))
    night.pass_until(NIGHT + SECOND)
    end = NIGHT + HOUR
    night.meter.receive_energy("import", 1_234 * KWH_MJ // 1_000, NIGHT + SECOND, end, end)
    night.pass_until(end)
    assert 617 == night.meter.switchgear.terminals.outputs[2].take_pulses()
    night.cut(HOUR)
    night.pass_until(night.now + MINUTE)
    assert 0 == night.meter.switchgear.terminals.outputs[2].take_pulses()
    assert 617 == night.meter.objects["0-2:96.3.2"].value


def test_energy_of_before_an_output_was_there_is_not_told() -> None:
    """Nor is that of another register."""
    night = Night(with_terminals(PulseOutputConfig()))
    night.pass_until(NIGHT + SECOND)
    night.meter.apply_config(with_terminals(RelayConfig()), night.now)
    end = NIGHT + HOUR
    night.meter.receive_energy("import", KWH_MJ, NIGHT + SECOND, end, end)
    night.now = end
    night.meter.apply_config(with_terminals(PulseOutputConfig()), night.now)
    night.pass_until(night.now + MINUTE)
    night.meter.apply_config(with_terminals(PulseOutputConfig(object="1-0:2.8.0")), night.now)
    night.pass_until(night.now + MINUTE)
    assert 0 == night.meter.objects["0-1:96.3.2"].value


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ('number = 1\nrelay = { control = "rate" }', "names the rates in which it is on"),
        ('number = 1\nrelay = { control = "calendar" }', "rates = 2: 1 is off and 2 is on"),
        ("number = 1\nrelay = {}\npulse_in = {}", "is one of relay, pulse_in and pulse_out"),
        ("number = 9", "at most 8"),
        ("number = 1\n[[terminals]]\nnumber = 1", "the terminal 1 occurs twice"),
        ("number = 1\npulse_in = { weight = 0.0 }", "above 0"),
        ("number = 1\npulse_in = { weight = 0.0000001 }", "up to six decimals"),
    ],
)
def test_contradictions_are_refused(toml: str, why: str) -> None:
    """In one sentence, before anything is switched."""
    with pytest.raises(ConfigError, match=why):
        config_from_toml(f"[[terminals]]\n{toml}")


def test_a_pulse_output_tells_energy_alone() -> None:
    """Anything else in the directory is refused by name."""
    meter = Meter(MeterConfig(), Storage.in_memory(), NIGHT)
    for code in ("1-0:16.7.0", "0-0:1.0.0", "1-0:77.7.0"):
        with pytest.raises(ConfigError, match=r"terminals\[0\]: "):
            meter.apply_config(with_terminals(PulseOutputConfig(object=code)), NIGHT)


def test_the_pages_example_is_a_meter() -> None:
    """Its tables are one document, and a meter has all of its terminals."""
    _, *blocks = PAGE.read_text().split("```toml\n")
    text = "\n".join(block.partition("```")[0] for block in blocks)
    assert 4 == len(tomllib.loads(text)["terminals"])
    config = replace(config_from_toml(text), tariff=TariffConfig(import_=ECONOMY_7_UTC))
    meter = Meter(config, Storage.in_memory(), NIGHT)
    for code in ("0-1:96.3.10", "0-2:96.3.10", "0-3:128.62.0", "0-4:96.3.2", "0-9:96.3.10"):
        assert meter.objects[code].value is not None
    assert 5000 == meter.objects["0-0:17.0.0"][4]


def test_a_relay_by_calendar_is_what_the_slow_reference_says() -> None:
    """Every quarter of an hour over both changes of the clock, by local time."""
    local = replace(AFTERNOON, time_base="local")
    for day in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        end = day + 2 * 24 * HOUR
        seen = dict(watch("local", lambda _: ((780, 2), (960, 1)), day.date(), end.date()))
        config = with_terminals(RelayConfig(control="calendar", calendar=local))
        meter = Meter(config, Storage.in_memory(), day)
        for quarter in range(1, 4 * 48):
            now = day + quarter * 15 * MINUTE
            meter.handle_timer(now)
            assert (seen[int(now.timestamp())] == 2) == meter.switchgear.outputs()[1], now


def test_a_house_has_its_water_heater_off_with_the_mains() -> None:
    """The contactor and a relay are switched apart: what is behind both needs both."""
    house = House(with_terminals(RelayConfig()))
    house.meter.switch_relay(1, True, house.now)
    house.meter.open_contactor(house.now)
    assert {0: False, 1: True} == house.meter.switchgear.outputs()
