"""Sags, swells and losses in the log of a meter, distortion for who asks, and the LED."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.access import Level
from elec_meter.config import LedConfig, MeterConfig, SupplyConfig
from elec_meter.errors import CorruptError, NotAllowedError
from elec_meter.events import EventCode, Log
from elec_meter.outages import OUTAGES_MAX, Outage, Outages
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains
from elec_meter.supply import SupplyLog
from shared.timegrid import unix_s
from tests.elec_meter.mains import BEGUN, RATE_HZ, SECOND

CYCLE = RATE_HZ // 50
HOUR = timedelta(hours=1)


class Line:
    """Mains of which some samples have another voltage, and the meter on it."""

    def __init__(self, config: MeterConfig | None = None) -> None:
        self.storage = Storage.in_memory()
        self.meter = Meter(config or demo_config(), self.storage, BEGUN)
        self.load = 2_000.0
        self.sample = 0

    @property
    def now(self) -> datetime:
        """The end of what was sent."""
        return BEGUN + self.sample * SECOND / RATE_HZ

    def send(self, cycles: int, share: float = 1.0, block: int | None = None) -> None:
        """Some nominal cycles whose voltage has a share of the usual one."""
        mains = SyntheticMains(
            seed=1, rate_hz=RATE_HZ, anchor_utc=BEGUN, load=ConstantLoad(self.load)
        )
        left = cycles * CYCLE
        while left:
            size = min(left, block or left)
            sent = mains.block(self.sample, size)
            voltage = np.rint(sent.voltage * share).astype(sent.voltage.dtype)
            self.sample += size
            left -= size
            self.meter.receive_block(
                SampleBlock(voltage, sent.current, sent.first_sample, RATE_HZ, BEGUN), self.now
            )
            self.meter.handle_timer(self.now)

    def cut(self, length: timedelta) -> None:
        """The power fails without a warning, and comes back."""
        self.sample += length // SECOND * RATE_HZ
        self.meter = Meter(self.meter.config, self.storage, self.now)

    def entries(self) -> list[tuple[int, str]]:
        """Codes and sentences of the power quality log."""
        return [(each.code, each.text) for each in self.storage.events(log=Log.POWER_QUALITY)]


@pytest.mark.parametrize("block", [None, 300])
def test_a_sag_and_a_swell_are_logged_once_with_begin_end_and_extreme(block: int | None) -> None:
    """Half a second at 60 % and another at 115 %, however the samples are cut into blocks."""
    line = Line()
    line.send(100, block=block)
    line.send(25, 0.6, block=block)
    line.send(50, block=block)
    line.send(25, 1.15, block=block)
    line.send(50, block=block)
    sag, swell = line.entries()

    assert (EventCode.SUPPLY_SAG, EventCode.SUPPLY_SWELL) == (sag[0], swell[0])
    assert sag[1].startswith("the voltage sagged from 2026-04-01 11:59:5")
    assert sag[1].endswith(" V at its lowest")
    assert swell[1].endswith(" V at its highest")
    assert 0.6 * 241 == pytest.approx(float(sag[1].split()[-5]), rel=0.02)
    assert 1.15 * 241 == pytest.approx(float(swell[1].split()[-5]), rel=0.02)
    assert [1, 1] == [line.meter.objects[f"1-0:32.{d}.0"].value for d in (32, 36)]


def test_a_loss_has_its_instants() -> None:
    """From a second after the start on, for two; begin and end to a cycle or two."""
    line = Line()
    line.send(50)
    line.send(100, 0.0)
    line.send(50)
    losses = [text for code, text in line.entries() if code == EventCode.SUPPLY_LOST]
    (loss,) = losses

    assert loss.startswith("the supply was lost from 2026-04-01 11:59:5")
    begin, end = (float(loss.split()[place][6:]) for place in (6, 10))
    assert 51 == pytest.approx(begin, abs=0.05)
    assert 53 == pytest.approx(end, abs=0.05)
    assert loss.endswith("0.000 V at its lowest")


def test_a_sag_that_lasts_when_power_fails_ends_there() -> None:
    """It is kept through the outage and logged once, as far as it was seen."""
    line = Line()
    line.send(50)
    line.send(100, 0.7)
    assert [] == line.entries()
    line.meter.checkpoint()
    line.cut(HOUR)
    ((code, text),) = line.entries()
    assert EventCode.SUPPLY_SAG == code
    assert "to 2026-04-01 11:59:53.000 UTC, " in text
    line.meter.checkpoint()
    line.cut(HOUR)
    assert 1 == len(line.entries())


def test_thresholds_are_data() -> None:
    """A running meter has others from one block to the next."""
    line = Line()
    narrow = SupplyConfig(sag_below_mv=230_000, sag_until_mv=232_000)
    line.send(50, 0.93)
    line.send(5)
    line.meter.apply_config(replace(line.meter.config, supply=narrow), line.now)
    line.send(50)
    assert [] == line.entries()
    line.send(25, 0.93)
    line.send(50)
    assert [EventCode.SUPPLY_SAG] == [code for code, _ in line.entries()]


def test_without_a_time_an_event_says_so() -> None:
    """What the clock does not know is not made up."""
    line = Line()
    line.meter.lose_clock(line.now)
    line.send(25, 0.6)
    line.send(50)
    assert "sagged from an unknown time to an unknown time" in line.entries()[-1][1]


def test_damaged_state_is_refused() -> None:
    """What is kept beside the ledger is what was put there, or nothing."""
    with pytest.raises(CorruptError, match="kept of the supply is damaged"):
        SupplyLog(lambda at: at, b"\xc1")
    with pytest.raises(CorruptError, match="kept of the outages is damaged"):
        Outages(b"\xc1")


def test_distortion_is_measured_for_who_asks() -> None:
    """The first reading asks, the next has it; nobody else pays for it, and it grows old."""
    line = Line()
    line.send(50)
    voltage = line.meter.objects["1-0:32.7.124"]
    assert line.meter.harmonics(line.now) is None
    line.send(50)
    harmonics = line.meter.harmonics(line.now)
    assert harmonics is not None
    assert round(harmonics.thd_voltage * 10_000) == voltage[2]
    assert 0 < voltage.value < 10
    line.send(100)
    line.send(100)
    assert harmonics is line.meter.harmonics(line.now)
    line.send(200)
    assert harmonics is line.meter.harmonics(line.now), "older than five seconds: it asks"
    line.send(50)
    assert harmonics is not line.meter.harmonics(line.now)
    line.send(2_000)
    assert voltage.value is None


def pulses(meter: Meter) -> int:
    """What the LED has flashed by now."""
    value = meter.objects["0-0:128.63.0"].value
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("constant", [1, 1_000, 33_333])
def test_the_led_is_the_whole_part_of_energy_and_constant(constant: int) -> None:
    """After every block, with import and export, and over an outage; exactly."""
    line = Line(replace(demo_config(), led=LedConfig(imp_per_kwh=constant)))
    for load in (2_000.0, -1_500.0, 9_000.0):
        line.load = load
        for _ in range(20):
            line.send(7)
            energy = Fraction(line.meter.ledger.active_mj, 3_600_000_000)
            assert energy * constant // 1 == pulses(line.meter)
    before = pulses(line.meter)
    line.meter.checkpoint()
    line.cut(HOUR)
    assert before == pulses(line.meter)
    assert Fraction(constant, 1_000) == Fraction(line.meter.objects["1-0:0.3.0"].value)


def test_the_led_is_lit_by_a_pulse() -> None:
    """At 2 kW and 100,000 imp/kWh every block has pulses; without a load there is none."""
    line = Line(replace(demo_config(), led=LedConfig(imp_per_kwh=100_000)))
    line.send(50)
    line.send(50)
    lit = line.meter.display.snapshot(line.now)
    assert lit.is_led_lit
    assert "<circle" in lit.svg()
    dark = line.meter.display.snapshot(line.now + SECOND)
    assert not dark.is_led_lit
    assert "<circle" not in dark.svg()
    line.load = 0.0
    line.send(50)
    line.send(50)
    assert not line.meter.display.snapshot(line.now).is_led_lit


def test_another_constant_makes_no_flash() -> None:
    """The factory may change it, nobody else; the pulses are those of the new one at once."""
    line = Line()
    line.send(500)
    config = replace(line.meter.config, led=LedConfig(imp_per_kwh=50_000))
    with pytest.raises(NotAllowedError):
        line.meter.apply_config(config, line.now, level=Level.SUPPLIER)
    line.meter.apply_config(config, line.now)
    line.load = 0.0
    line.send(1)
    assert line.meter.ledger.active_mj * 50_000 // 3_600_000_000 == pulses(line.meter)
    assert not line.meter.display.snapshot(line.now).is_led_lit


def test_long_outages_are_listed() -> None:
    """Two hours, not ten seconds; each with its end, counted for ever."""
    line = Line()
    line.send(50)
    line.meter.checkpoint()
    line.cut(10 * SECOND)
    line.meter.checkpoint()
    line.cut(2 * HOUR)
    end, objects = line.now, line.meter.objects
    assert [(end, 7_200)] == objects["1-0:99.97.0"].rows()
    assert [] == objects["1-0:99.97.0"].rows(end + SECOND, None)
    assert [2, 1, 7_200] == [objects[f"0-0:96.7.{e}"].value for e in (21, 9, 19)]


def test_the_list_of_outages_ends() -> None:
    """The oldest leave; the count does not, nor one of which nobody knows the length."""
    outages = Outages()
    for number in range(OUTAGES_MAX + 5):
        outages.power_came(unix_s(BEGUN) + number * 1_000, 180)
    outages.power_came(None, 0)
    kept = Outages(outages.packed())
    assert (OUTAGES_MAX + 6, OUTAGES_MAX + 5) == (kept.count, kept.long_count)
    assert OUTAGES_MAX == len(kept.newest)
    assert Outage(unix_s(BEGUN) + 5_000, 180) == kept.newest[0]
