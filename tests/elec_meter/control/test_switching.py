"""Orders that switch something, through the control port."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.config import RelayConfig
from elec_meter.control import (
    ArmContactor,
    BoostRelay,
    OpenContactor,
    Orders,
    SwitchRelay,
    decode_request,
)
from elec_meter.errors import ContactorError, ControlError, NotAllowedError, TerminalError
from elec_meter.events import EventCode
from tests.elec_meter.mains import BEGUN, SECOND

NOW = BEGUN + SECOND


def orders_of(meter: Meter) -> Orders:
    """The port's side of a meter."""
    return Orders(meter, now=lambda: NOW, durable=meter.checkpoint, status=dict)


def test_the_contactor_is_opened_and_armed() -> None:
    """Each reply says what it is now, and a key applies once."""
    meter = Meter(demo_config(), Storage.in_memory(), BEGUN)
    orders = orders_of(meter)
    opened = OpenContactor(key="a")
    assert {"contactor": "disconnected"} == orders.perform(opened)
    assert {"contactor": "ready_for_reconnection"} == orders.perform(ArmContactor(key="b"))
    assert {"contactor": "disconnected", "repeated": True} == orders.perform(opened)
    assert not meter.switchgear.contactor.is_closed
    assert ["opened by control socket", "armed by control socket"] == [
        each.text.removeprefix("the contactor was ")
        for each in meter.storage.events()
        if EventCode.CONTACTOR_ARMED <= each.code <= EventCode.CONTACTOR_OPENED_REMOTELY
    ]


def test_no_order_closes_it() -> None:
    """Arming a closed one is refused, and an armed one stays armed however often it is asked."""
    meter = Meter(demo_config(), Storage.in_memory(), BEGUN)
    orders = orders_of(meter)
    with pytest.raises(ContactorError, match="the contactor is closed"):
        orders.perform(ArmContactor())
    orders.perform(OpenContactor())
    for _ in range(3):
        assert {"contactor": "ready_for_reconnection"} == orders.perform(ArmContactor())
    assert not meter.switchgear.contactor.is_closed


def test_a_level_below_is_refused_and_logged() -> None:
    """Nothing happens, and the log says who wanted what."""
    meter = Meter(demo_config(), Storage.in_memory(), BEGUN)
    with pytest.raises(NotAllowedError):
        orders_of(meter).perform(OpenContactor(level=2))
    assert meter.switchgear.contactor.is_closed
    assert "level 2 may not open the contactor" in meter.storage.events()[-1].text


def test_relays_are_switched_and_boosted() -> None:
    """The switched load is terminal 9; what is no relay is refused."""
    config = replace(demo_config(), switched_load=RelayConfig(boost_min=20))
    orders = orders_of(Meter(config, Storage.in_memory(), BEGUN))
    assert {"on": True} == orders.perform(SwitchRelay(terminal=9, on=True))
    assert {"on": False} == orders.perform(SwitchRelay(terminal=9, on=False))
    assert {"on": True, "boost_min": 20} == orders.perform(BoostRelay(terminal=9))
    assert {"on": False, "boost_min": 0} == orders.perform(BoostRelay(terminal=9, minutes=0))
    with pytest.raises(TerminalError, match="terminal 1 is no relay"):
        orders.perform(BoostRelay(terminal=1))


def test_a_terminal_has_a_number() -> None:
    """Anything else is no request."""
    line = b'{"request": "relay.switch", "terminal": 9, "on": true, "level": 2}'
    assert SwitchRelay(terminal=9, on=True, level=2) == decode_request(line)
    for number in (b"0", b"10", b'"1"'):
        with pytest.raises(ControlError):
            decode_request(line.replace(b"9", number))
