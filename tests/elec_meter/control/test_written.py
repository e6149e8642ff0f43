"""What is switched by writing to objects and calling their methods, as FLAG and DLMS do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.access import Level
from elec_meter.config import RelayConfig, TerminalConfig
from elec_meter.control import OrderDesk, Orders
from elec_meter.errors import ContactorError, NotAllowedError, TerminalError
from elec_meter.objects import NotWritableError, ValueNotTakenError
from tests.elec_meter.mains import BEGUN, SECOND

NOW = BEGUN + SECOND
CONTACTOR = "0-0:96.3.10"
CONFIG = replace(
    demo_config(),
    terminals=(
        TerminalConfig(number=1, relay=RelayConfig()),
        TerminalConfig(number=2, relay=RelayConfig(control="rate", rates=(2,))),
    ),
)


class Bench:
    """A meter, and somebody who signed on at a level.

    Attributes:
        meter: it.
    """

    def __init__(self, level: Level = Level.SUPPLIER, now: datetime = NOW) -> None:
        self.meter = Meter(CONFIG, Storage.in_memory(), BEGUN)
        orders = Orders(self.meter, now=lambda: now, durable=self.meter.checkpoint, status=dict)
        self.desk = OrderDesk(orders, level, "the supplier on TCP")

    def invoke(self, code: str, method: int, value: int = 0) -> None:
        """Call a method."""
        self.meter.objects[code].invoke(method, value, self.desk)

    def value(self, code: str, attribute: int = 2) -> object:
        """An attribute, now."""
        return self.meter.objects[code][attribute]


@pytest.mark.parametrize(
    ("off", "on"),
    [((CONTACTOR, 1, 0), (CONTACTOR, 2, 0)), (("0-0:10.0.106", 1, 1), ("0-0:10.0.106", 1, 2))],
    ids=["methods", "scripts"],
)
def test_the_contactor_is_opened_and_armed(
    off: tuple[str, int, int], on: tuple[str, int, int]
) -> None:
    """By its methods and by its scripts; no method closes it."""
    bench = Bench()
    with pytest.raises(ContactorError, match="the contactor is closed"):
        bench.invoke(*on)
    bench.invoke(*off)
    assert (False, 0) == (bench.value(CONTACTOR), bench.value(CONTACTOR, 3))
    bench.invoke(*on)
    assert (False, 2) == (bench.value(CONTACTOR), bench.value(CONTACTOR, 3))
    assert "the supplier on TCP" == bench.value("0-0:128.60.0")


def test_a_relay_is_switched() -> None:
    """By its methods and by the scripts that its calendar would execute; the log has the author."""
    bench = Bench(Level.INSTALLER)
    bench.invoke("0-1:96.3.10", 2)
    assert bench.value("0-1:96.3.10")
    bench.invoke("0-0:10.0.103", 1, 2)
    assert not bench.value("0-1:96.3.10")
    bench.invoke("0-0:10.0.103", 1, 3)
    assert bench.value("0-1:96.3.10")
    assert "by the supplier on TCP" in bench.meter.storage.events()[-1].text
    with pytest.raises(TerminalError, match="this relay follows its rate"):
        bench.invoke("0-0:10.0.103", 1, 5)
    with pytest.raises(ValueNotTakenError, match="has no script 6"):
        bench.invoke("0-0:10.0.103", 1, 6)


@pytest.mark.parametrize("at", [NOW, NOW + timedelta(milliseconds=700)])
def test_a_boost_is_a_method(at: datetime) -> None:
    """128, a maker's, with minutes; whatever the relay follows, and whenever in a second."""
    bench = Bench(Level.READER, at)
    bench.invoke("0-2:96.3.10", 128, 30)
    assert (True, 1_800) == (bench.value("0-2:96.3.10"), bench.value("0-2:128.61.0"))
    bench.invoke("0-2:96.3.10", 128, 0)
    assert 0 == bench.value("0-2:128.61.0")
    for minutes in (-1, 1_441):
        with pytest.raises(TerminalError, match="a boost has at most 1440 minutes"):
            bench.invoke("0-2:96.3.10", 128, minutes)


def test_nobody_puts_a_rate_in_force() -> None:
    """The scripts are there for who reads the calendar, and do nothing."""
    with pytest.raises(NotWritableError, match="the rate follows the calendar"):
        Bench().invoke("0-0:10.0.100", 1, 2)


def test_a_level_below_is_refused_and_logged() -> None:
    """At the object as anywhere else."""
    bench = Bench(Level.INSTALLER)
    with pytest.raises(NotAllowedError, match="level 2 may not open the contactor"):
        bench.invoke(CONTACTOR, 1)
    assert bench.value(CONTACTOR)
    assert "level 2 may not open the contactor" in bench.meter.storage.events()[-1].text
