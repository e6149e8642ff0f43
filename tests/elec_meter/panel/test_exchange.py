"""A unit exchanged or taken off through the panel: the channel goes on where it stood."""

from __future__ import annotations

import msgspec
import pytest

from elec_meter.access import Level, SignedOn
from elec_meter.config import DisplayConfig, FlagConfig, MeterConfig
from elec_meter.demo.spare import BURN_PULSES, LABEL
from elec_meter.demo.world import UNIT_SERIAL
from elec_meter.errors import ControlError, NotAllowedError
from elec_meter.events import EventCode
from elec_meter.ledger.audit import imbalances
from elec_meter.ledger.channels import INTERPOLATED
from elec_meter.meter import Meter
from shared.timegrid import HALF_HOUR_S, half_hour_floor_s, unix_s
from tests.elec_meter.demo.test_controls import MINUTE
from tests.elec_meter.panel.test_pairing import METER, Installing


@pytest.fixture
def installing() -> Installing:
    """An installer at a meter whose unit has counted for an hour and a bit."""
    visit = Installing()
    visit.live(70 * MINUTE)
    return visit


def meter_of(installing: Installing) -> Meter:
    """The meter now; another object after an outage."""
    return installing.world.meter


def exchange(installing: Installing, weight: str = "0.01 m3") -> None:
    """From the new unit's label to its confirmed dial."""
    installing.pair(request="pair.begin", label=LABEL.qr_text, exchanges=UNIT_SERIAL)
    installing.controls.steer({"unit": "press"})
    installing.live(MINUTE / 6)
    installing.pair(**{**METER, "weight": weight})
    installing.controls.steer({"unit": "burn"})
    installing.live(MINUTE)
    installing.pair(request="pair.confirm", agrees=True)


def codes(meter: Meter, subject: str) -> list[int]:
    """Of the events that are about a unit."""
    return [event.code for event in meter.storage.events() if event.subject == subject]


def test_a_new_unit_goes_on_in_the_channel(installing: Installing) -> None:
    """The register rises on, earlier half-hours stand, and the exchange is in the log, once."""
    meter = meter_of(installing)
    unit = msgspec.structs.replace(meter.config.gas_units[0], max_flow_l_h=5_500)
    config = msgspec.structs.replace(meter.config, gas_units=(unit,))
    meter.apply_config(config, installing.world.now)
    exchange(installing)
    meter, now = meter_of(installing), installing.world.now
    through_s = meter.ledger.pulse_channels[0].final_through_s
    assert through_s is not None
    before = meter.ledger.total("gas")
    rows = list(meter.ledger.rows(0, through_s))
    certificate = installing.pair(request="pair.commit", installer="A. Fitter")["certificate"]

    assert ("exchange", "gas", UNIT_SERIAL) == tuple(
        certificate[name] for name in ("kind", "channel", "replaces")
    )
    burnt = meter.ledger.total("gas") - before
    assert 0 < burnt <= BURN_PULSES
    assert [LABEL.serial] == [unit.serial for unit in meter.config.gas_units]
    (event,) = [e for e in meter.storage.events() if e.code == EventCode.UNIT_EXCHANGED]
    assert LABEL.serial == event.subject
    assert f"unit {UNIT_SERIAL} was exchanged for unit {LABEL.serial} on gas" in event.text
    assert f"had counted {before} pulses" in event.text

    assert [5_500] == [unit.max_flow_l_h for unit in meter.config.gas_units]
    installing.controls.steer({"unit": "burn"})
    installing.live(120 * MINUTE)
    assert rows == list(meter.ledger.rows(0, through_s))
    assert before + 2 * BURN_PULSES == meter.ledger.total("gas")
    start_s = half_hour_floor_s(unix_s(now))
    (during, after) = meter.ledger.rows(start_s, start_s + 2 * HALF_HOUR_S)
    assert during.channel_status["gas_pulses"] & INTERPOLATED
    assert not after.channel_status["gas_pulses"]
    assert [] == imbalances(meter.ledger)


def test_the_old_unit_is_refused_and_that_is_told_once(installing: Installing) -> None:
    """It counts on in a drawer for an hour, its key is forgotten, and nothing of it is booked."""
    exchange(installing)
    installing.pair(request="pair.commit")
    installing.live(MINUTE)
    meter = meter_of(installing)
    total, turned = meter.ledger.total("gas"), installing.world.turned
    installing.live(60 * MINUTE)

    assert installing.world.turned > turned
    assert total <= meter.ledger.total("gas") <= total + BURN_PULSES
    assert 1 == codes(meter, UNIT_SERIAL).count(EventCode.TELEGRAM_REFUSED)
    assert meter.collector.refusals(UNIT_SERIAL)["UnitEnded"] >= 3
    assert installing.keystore.get(UNIT_SERIAL) is None


def test_an_exchange_outlives_an_outage(installing: Installing) -> None:
    """The meter that comes back has the new unit on the old register, and its books balance."""
    exchange(installing)
    installing.pair(request="pair.commit")
    total = meter_of(installing).ledger.total("gas")
    installing.controls.steer({"cut_power_min": 30})
    installing.controls.steer({"unit": "burn"})
    installing.go_dark()
    installing.live(120 * MINUTE)

    meter = meter_of(installing)
    assert total + BURN_PULSES <= meter.ledger.total("gas") <= total + 2 * BURN_PULSES
    assert [] == imbalances(meter.ledger)


def test_another_weight_is_refused(installing: Installing) -> None:
    """A unit of a meter with another pulse cannot go on; the right badge may be read after it."""
    with pytest.raises(ControlError, match=r"counts 0.01 m3 a pulse, and a unit of 0.1 m3"):
        exchange(installing, weight="0.1 m3")
    assert "meter" == (installing.desk.pairing() or {})["state"]
    assert UNIT_SERIAL == meter_of(installing).config.gas_units[0].serial


def test_a_second_unit_of_a_living_channel_is_refused(installing: Installing) -> None:
    """Who means an exchange has to say so."""
    with pytest.raises(ControlError, match="exchange it, or name another channel"):
        installing.begin(channel="gas")


def test_an_unpaired_channel_waits_for_its_next_unit(installing: Installing) -> None:
    """The register stands, half-hours are pending, and the unit that follows goes on from there."""
    installing.pair(request="unpair", serial=UNIT_SERIAL)
    meter = meter_of(installing)
    total, from_s = meter.ledger.total("gas"), half_hour_floor_s(unix_s(installing.world.now))
    installing.live(180 * MINUTE)
    assert total == meter.ledger.total("gas")
    assert [None] * 5 == [
        row.deltas["gas_pulses"]
        for row in meter.ledger.rows(from_s + HALF_HOUR_S, from_s + 6 * HALF_HOUR_S)
    ]
    assert [EventCode.UNIT_UNPAIRED] == codes(meter, UNIT_SERIAL)[1:2]

    installing.begin(channel="gas")
    installing.live(MINUTE / 6)
    installing.pair(**METER)
    installing.controls.steer({"unit": "burn"})
    installing.live(MINUTE)
    installing.pair(request="pair.confirm", agrees=True)
    installing.pair(request="pair.commit")
    installing.live(120 * MINUTE)
    assert total + BURN_PULSES == meter.ledger.total("gas")
    gap = list(meter.ledger.rows(from_s + HALF_HOUR_S, from_s + 6 * HALF_HOUR_S))
    assert [(0, INTERPOLATED)] * 5 == [
        (row.deltas["gas_pulses"], row.channel_status["gas_pulses"]) for row in gap
    ]
    assert [] == imbalances(meter.ledger)


def test_a_unit_that_has_ended_does_not_come_back(installing: Installing) -> None:
    """Neither by a pairing nor by a configuration; nor is its channel taken away."""
    meter, now = meter_of(installing), installing.world.now
    with_old = meter.config
    exchange(installing)
    installing.pair(request="pair.commit")
    with pytest.raises(ControlError, match="unit 00000001 was taken off this meter already"):
        installing.pair(request="unpair", serial=UNIT_SERIAL)
    installing.pair(request="unpair", serial=LABEL.serial)
    with pytest.raises(ControlError, match="was taken off this meter before"):
        installing.begin(channel="annexe")
    for wanted, sentence in ((with_old, "does not come back"), (without_gas(meter), "register")):
        with pytest.raises(ValueError, match=sentence):
            meter.apply_config(wanted, now)


def test_nobody_below_level_2_unpairs(installing: Installing) -> None:
    """A reader is refused, and the unit stays."""
    with pytest.raises(NotAllowedError, match="level 2"):
        installing.pair(SignedOn(Level.READER, "panel", None), request="unpair", serial=UNIT_SERIAL)
    assert meter_of(installing).unit_report(UNIT_SERIAL) is not None


def without_gas(meter: Meter) -> MeterConfig:
    """The meter's configuration, without its gas."""
    return msgspec.structs.replace(
        meter.config, gas_units=(), display=DisplayConfig(), flag=FlagConfig()
    )
