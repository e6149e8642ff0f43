"""One directory, two renderings: neither may say anything else than the object."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

import pytest

from elec_meter.config import DisplayConfig, DisplayScreen
from elec_meter.display import Display
from elec_meter.flag.readout import readout_line
from elec_meter.objects import CosemObject, Data, ProfileGeneric, Register, UnitFault, UnitReport
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter


def busy_meter() -> FixedMeter:
    """A meter of which every object has something to say."""
    meter = FixedMeter()
    meter.book("import", 450)
    meter.book("import", 123_456_339, START + timedelta(minutes=30))
    meter.book("export", 7)
    meter.pulses.add(40_000)
    meter.pulses.received = 98_765
    meter.ledger.book_pulses()
    meter.ledger.close_through(unix_s(START + timedelta(minutes=30)))
    meter.reports["00000001"] = UnitReport(START, 3650, UnitFault.LOW_BATTERY)
    return meter


METER = busy_meter()
SCALARS = [each for each in METER.directory if not isinstance(each, ProfileGeneric)]
SHOWN = [
    each
    for each in SCALARS
    if isinstance(each, Register) and sum(filter(None, each.digits(each.unit))) <= 8
]


def shown(each: CosemObject, form: str) -> str:
    """The object's value on the display, without blanks."""
    screen = DisplayScreen(object=str(each.obis), format=form)
    return (
        Display(DisplayConfig(scroll=(screen,)), METER.directory).snapshot(METER.now).text.strip()
    )


@pytest.mark.parametrize("each", SCALARS, ids=repr)
def test_flag_says_what_the_object_says(each: CosemObject) -> None:
    """A readout line, taken apart by a reader, is the object's value in its unit."""
    line = readout_line(each, METER.now)
    identifier, _, rest = line.partition("(")
    text, _, unit = rest.partition(")")[0].partition("*")

    assert each is METER.directory[identifier]
    if isinstance(each, Register) and each.value is not None:
        kilo = 1000 if unit == f"k{each.unit}" else 1
        assert each.value == Decimal(text) * kilo
        assert each.unit == unit.removeprefix("k" if kilo > 1 else "")
    elif isinstance(each, Data) and isinstance(each.value, (str, int)):
        assert str(each.value) == text


@pytest.mark.parametrize("each", SHOWN, ids=repr)
def test_the_display_says_what_the_object_says(each: Register) -> None:
    """Where eight digits suffice they are the value; a unit of its own needs no scaling."""
    digits = each.digits(each.unit)
    whole = digits.whole or 8 - digits.decimals
    form = "0" * whole + ("." + "0" * digits.decimals if digits.decimals else "")

    value = each.value
    assert isinstance(value, (int, Decimal))
    assert value == Decimal(shown(each, form))


def test_the_display_shows_kwh_cut_off() -> None:
    """Nine digits of Wh on eight places: the last ones are left out, not rounded up."""
    register = METER.directory["1.8.0"]
    screen = DisplayScreen(object="1.8.0", format="000000.00", unit="kWh")
    display = Display(DisplayConfig(scroll=(screen,)), METER.directory)

    assert isinstance(register.value, int)
    wanted = (Decimal(register.value) / 1000).quantize(Decimal("0.01"), ROUND_DOWN)
    assert "123456.78" == str(wanted) == display.snapshot(METER.now).text
