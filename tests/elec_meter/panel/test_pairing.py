"""A unit paired through the panel: the collector's steps, over the demo's radio."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector import PairingError
from elec_meter.access import GATE_KEY, Gate, Level, SignedOn
from elec_meter.config import DisplayConfig, GasUnitConfig, demo_config
from elec_meter.control import Orders
from elec_meter.demo.spare import BURN_PULSES, LABEL, MPRN
from elec_meter.demo.world import UNIT_SERIAL
from elec_meter.errors import ControlError, NotAllowedError
from elec_meter.ledger.audit import imbalances
from elec_meter.pairing_desk import PairingDesk
from elec_meter.pairing_place import with_unit
from elec_meter.panel_desk import PanelDesk
from shared.units import PulseWeight
from tests.elec_meter.demo.test_controls import MINUTE, Visit

INSTALLER = SignedOn(Level.INSTALLER, "panel", None)
MISREAD = LABEL.qr_text.replace("0F0E", "0E0F")
METER = {
    "request": "pair.meter",
    "mprn": MPRN,
    "mprn_again": MPRN,
    "meter_serial": "G4A123",
    "weight": "0.01 m3",
    "dial": "01234.567",
}


class Installing(Visit):
    """A visit of somebody who pairs the second unit."""

    def __init__(self) -> None:
        super().__init__()
        meter = self.world.meter
        gate = Gate(lambda: meter.config.serial, meter.storage.record_event)
        meter.save_beside(GATE_KEY, gate.packed)
        pairing = PairingDesk(meter, lambda: self.world.now, meter.checkpoint, has_receiver=True)
        orders = self.orders = Orders(
            meter,
            now=lambda: self.world.now,
            durable=meter.checkpoint,
            status=dict,
            pair=pairing.take_step,
        )
        self.desk = PanelDesk(
            meter,
            gate,
            orders,
            pairing,
            now=lambda: self.world.now,
            durable=meter.checkpoint,
            is_at_meter=True,
        )
        self.world.hear = pairing.hear

    def pair(self, signed_on: SignedOn = INSTALLER, **request: Any) -> dict[str, Any]:
        """Take a step."""
        return self.desk.pair(request, signed_on)

    def begin(self, channel: str = "gas_2") -> dict[str, Any]:
        """Read the label, and press the button."""
        reply = self.pair(request="pair.begin", label=LABEL.qr_text, channel=channel)
        self.controls.steer({"unit": "press"})
        return reply


@pytest.fixture
def installing() -> Installing:
    """An installer at the meter."""
    return Installing()


def test_a_unit_is_paired_step_by_step(installing: Installing) -> None:
    """From the label to pulses in a register of their own, on the display and in the log."""
    assert "signal" == installing.begin()["state"]
    installing.live(MINUTE / 6)
    assert "meter" == installing.desk.pairing()["state"]  # type: ignore[index]  # it has begun
    installing.pair(**METER)
    installing.controls.steer({"unit": "burn"})
    installing.live(MINUTE)
    status = installing.desk.pairing()
    assert status is not None
    assert "confirm" == status["state"]
    assert f"1234.{567 + 10 * status['count']} m3" == status["expected"]
    assert "commit" == installing.pair(request="pair.confirm", agrees=True)["state"]
    certificate = installing.pair(request="pair.commit", installer="A. Fitter")["certificate"]

    meter = installing.world.meter
    assert ("gas_2", "00000002") == (certificate["channel"], certificate["serial"])
    paired = installing.desk.pairing()
    assert paired is not None
    assert ("paired", certificate["count"]) == (paired["state"], paired["base_count"])
    assert status["count"] == meter.ledger.total("gas_2")
    assert "0-2:24.2.1" in [screen.object for screen in meter.config.display.scroll]
    assert any("unit 00000002 was paired" in event.text for event in meter.storage.events())
    installing.controls.steer({"unit": "burn"})
    installing.live(60 * MINUTE)
    assert 2 * BURN_PULSES == meter.ledger.total("gas_2")
    assert [] == imbalances(meter.ledger)


def test_the_lowest_free_channel_is_proposed(installing: Installing) -> None:
    """A new one beside a unit; the configured one again once its unit was taken off."""
    assert "gas_2" == installing.desk.free_channel()
    begun = installing.pair(request="pair.begin", label=LABEL.qr_text)
    assert "gas_2" == begun["channel"]
    installing.pair(request="pair.cancel")
    installing.pair(request="unpair", serial=UNIT_SERIAL)
    assert "gas" == installing.desk.free_channel()


def test_a_paired_unit_outlives_an_outage(installing: Installing) -> None:
    """The second unit counts on while the mains are off, and is heard again."""
    test_a_unit_is_paired_step_by_step(installing)
    installing.controls.steer({"cut_power_min": 30})
    installing.controls.steer({"unit": "burn"})
    installing.go_dark()
    installing.live(60 * MINUTE)

    assert 3 * BURN_PULSES == installing.world.meter.ledger.total("gas_2")


def test_nobody_below_level_2_pairs(installing: Installing) -> None:
    """A reader is refused, and no pairing begins."""
    with pytest.raises(NotAllowedError, match="level 2"):
        installing.pair(
            SignedOn(Level.READER, "panel", None), request="pair.begin", label=LABEL.qr_text
        )
    assert installing.desk.pairing() is None


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"request": "pair.begin", "label": "nonsense", "channel": "gas"}, "label"),
        ({"request": "pair.begin", "channel": "gas"}, "a label is wanted"),
        (
            {"request": "pair.begin", "label": LABEL.qr_text, "any_telegram": "yes"},
            "any_telegram is true or false",
        ),
        ({"request": "pair.begin", "label": MISREAD, "channel": "a"}, "key"),
        ({"request": "pair.begin", "label": LABEL.qr_text, "channel": "gas"}, "feeds the channel"),
        ({"request": "pair.begin", "label": LABEL.qr_text, "channel": "import"}, "named"),
        ({"request": "pair.begin", "label": LABEL.qr_text, "channel": "Gas 2"}, "channel"),
        (
            {"request": "pair.begin", "label": LABEL.qr_text, "exchanges": "00000009"},
            "no unit '00000009' is paired",
        ),
        (METER, "no pairing is under way"),
        ({"request": "pair.commit"}, "no pairing is under way"),
        ({"request": "unpair", "serial": "00000009"}, "no unit '00000009' is paired"),
        ({"request": "calorific.set"}, "no such step"),
        (
            {
                "request": "pair.begin",
                "manufacturer": "ELS",
                "serial": "12345678",
                "allow_unauthenticated": True,
            },
            "not authenticated is not paired: give its key",
        ),
        ({"request": ["pair.begin"]}, "no such step"),
        ({}, "no such step"),
    ],
)
def test_a_step_that_cannot_be_is_refused(
    installing: Installing, request_: dict[str, Any], sentence: str
) -> None:
    """In one sentence, and nothing has begun."""
    with pytest.raises(ControlError, match=sentence):
        installing.desk.pair(request_, INSTALLER)
    assert installing.desk.pairing() is None


@pytest.mark.parametrize("word", [{"agrees": "yes"}, {"agrees": 1}, {"agrees": None}, {}])
def test_a_word_that_is_none_loses_no_burn(installing: Installing, word: dict[str, Any]) -> None:
    """Neither yes nor no: the dial is still to be compared, and the pulses are still there."""
    installing.begin()
    installing.live(MINUTE / 6)
    installing.pair(**METER)
    installing.controls.steer({"unit": "burn"})
    installing.live(MINUTE)
    before = installing.desk.pairing()
    with pytest.raises(ControlError, match="agrees is true or false"):
        installing.pair(request="pair.confirm", **word)
    assert before == installing.desk.pairing()


def test_giving_up_keeps_nothing(installing: Installing) -> None:
    """The unit is as it was, and another pairing may begin."""
    installing.begin()
    installing.live(MINUTE / 6)
    config = installing.world.meter.config
    installing.pair(request="pair.cancel")

    assert config == installing.world.meter.config
    assert "ended" == installing.desk.pairing()["state"]  # type: ignore[index]  # it has begun
    assert "signal" == installing.begin()["state"]


def test_a_configuration_that_is_refused_leaves_no_unit(installing: Installing) -> None:
    """What happened to the configuration meanwhile is found at the end, and nothing is kept."""
    installing.begin(channel="annexe")
    installing.live(MINUTE / 6)
    installing.pair(**METER)
    installing.controls.steer({"unit": "burn"})
    installing.live(MINUTE)
    installing.pair(request="pair.confirm", agrees=True)
    meter, now = installing.world.meter, installing.world.now
    full = msgspec.structs.replace(
        meter.config,
        gas_units=(*meter.config.gas_units, *others(2, 3, 4, 5, 6)),
        display=DisplayConfig(),
    )
    meter.apply_config(full, now)
    with pytest.raises(ControlError, match="taken"):
        installing.pair(request="pair.commit", installer="A. Fitter")

    assert full == meter.config
    assert LABEL.serial not in meter.collector.serials


def others(*numbers: int) -> tuple[GasUnitConfig, ...]:
    """Units on further channels."""
    return tuple(GasUnitConfig(serial=f"0000010{n}", channel=f"gas_{n}", number=n) for n in numbers)


class Outcome:
    """As much of a pairing's outcome as a configuration is made of."""

    def __init__(self, weight: str, channel: str = "annexe") -> None:
        self.record = self
        self.meter = self
        self.serial, self.channel, self.max_flow_l_h = "00000009", channel, 6_000
        self.weight = PulseWeight.parse(weight)


@pytest.mark.parametrize("weight", ["0.01 m3", "1 ft3", "10 ft3", "0.1 l", "100 l"])
def test_the_configuration_has_the_weight_exactly(weight: str) -> None:
    """Whatever a badge says, the channel's weight is the same number."""
    config = with_unit(demo_config(), Outcome(weight))  # type: ignore[arg-type]  # all it reads

    assert PulseWeight.parse(weight) == config.gas_units[-1].weight
    assert (2, "annexe") == (config.gas_units[-1].number, config.gas_units[-1].channel)


def test_a_channel_without_a_unit_takes_it() -> None:
    """A configured channel keeps its number and gets the unit's serial."""
    config = with_unit(demo_config(), Outcome("1 ft3", "gas"))  # type: ignore[arg-type]  # all it reads

    assert [("00000009", 1)] == [(unit.serial, unit.number) for unit in config.gas_units]


def test_a_full_meter_takes_no_more() -> None:
    """Six channels are all there are."""
    full = msgspec.structs.replace(demo_config(), gas_units=others(1, 2, 3, 4, 5, 6))
    with pytest.raises(PairingError, match="taken"):
        with_unit(full, Outcome("0.01 m3"))  # type: ignore[arg-type]  # all it reads
