"""One directory, three renderings: none may say anything else than the object."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cache
from typing import Any

import pytest

from elec_meter import Storage
from elec_meter.config import DisplayConfig, DisplayScreen
from elec_meter.display import Display
from elec_meter.flag.readout import readout_line
from elec_meter.objects import (
    CosemObject,
    Directory,
    ExtendedRegister,
    ProfileGeneric,
    Register,
    UnitFault,
    UnitReport,
    object_rows,
    register_rows,
)
from shared.exact_json import exact_json
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter
from tests.elec_meter.objects.lived import whole_life


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
LIVED = whole_life(Storage.in_memory()).meter
"""Kept here: what its directory reads would go with it."""

DIRECTORIES = (METER.directory, LIVED.objects)
WIDTH = 8
"""Places of the display."""


def form_of(register: Register) -> str | None:
    """The display's picture of all digits of a register; None where they are too many."""
    digits, value = register.digits(register.unit), register.value
    assert isinstance(value, (int, Decimal))
    whole = digits.whole or len(str(int(value)))
    if whole + digits.decimals > WIDTH:
        return None
    return "0" * whole + ("." + "0" * digits.decimals if digits.decimals else "")


def cases(fits: Callable[[CosemObject], bool]) -> list[Any]:
    """Both meters' objects that a test is for, profiles left out."""
    return [
        pytest.param(directory, each, id=repr(each))
        for directory in DIRECTORIES
        for each in directory
        if not isinstance(each, ProfileGeneric) and fits(each)
    ]


SCALARS = cases(lambda each: True)
UNKNOWN = cases(lambda each: each.value is None)
KNOWN = cases(lambda each: each.value is not None)
CAPTURED = cases(lambda each: isinstance(each, ExtendedRegister))
SHOWN_WHOLE = cases(
    lambda each: isinstance(each, Register) and each.value is not None and bool(form_of(each))
)
NO_REGISTERS = cases(lambda each: not isinstance(each, Register) and each.value is not None)


def shown(directory: Directory, each: CosemObject, form: str) -> str:
    """The object's value on the display, without blanks, asked for with the button."""
    screen = DisplayScreen(object=str(each.obis), attribute=each.value_attribute, format=form)
    display = Display(DisplayConfig(scroll=(screen,)), directory)
    display.press(directory.now())
    return display.snapshot(directory.now()).text.strip()


def test_most_of_a_life_has_something_to_say() -> None:
    """Of what the meter lived through, nothing that the tests below compare is an empty value."""
    values = {str(each.obis): each.value for each in LIVED.objects if isinstance(each, Register)}
    unknown = {code for code, value in values.items() if value is None and ".7." not in code}

    assert {"0-0:128.21.0", "0-0:128.21.1", "0-0:128.21.2"} == unknown


@pytest.mark.parametrize(("directory", "each"), UNKNOWN)
def test_what_is_not_known_is_said_so(directory: Directory, each: CosemObject) -> None:
    """Nothing between a readout line's parentheses, and eight dashes on the display."""
    assert "" == flag_value(directory, each)[0]
    assert "-" * WIDTH == shown(directory, each, "#######0")


@pytest.mark.parametrize(("directory", "each"), KNOWN)
def test_flag_says_what_the_object_says(directory: Directory, each: CosemObject) -> None:
    """A readout line, taken apart by a reader, is the object's value in its unit."""
    value = each.value
    text, unit = flag_value(directory, each)
    match value:
        case int() | Decimal() if isinstance(each, Register):
            kilo = 1000 if unit == f"k{each.unit}" else 1
            assert value == Decimal(text) * kilo
            assert each.unit == unit.removeprefix("k" if kilo > 1 else "")
        case datetime():
            assert value == datetime.strptime(text, "%y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        case date():
            assert f"{value:%y-%m-%d}" == text
        case time():
            assert f"{value:%H:%M:%S}" == text
        case str() | int():
            assert re.sub(r"[^ -~]|[()*/!]", "_", str(value))[:32] == text
        case _:
            pytest.fail(f"nobody says how {value!r} is read out")


def flag_value(directory: Directory, each: CosemObject) -> tuple[str, str]:
    """What a readout line says of an object: value and unit."""
    identifier, _, rest = readout_line(each, directory.now()).partition("(")
    assert each is directory[identifier]
    text, _, unit = rest.partition(")")[0].partition("*")
    return text, unit


@pytest.mark.parametrize(("directory", "each"), CAPTURED)
def test_flag_says_when_a_value_was_captured(directory: Directory, each: ExtendedRegister) -> None:
    """Behind the value of what has a capture time stands that time."""
    captured = each[5]
    time = f"{captured:%y-%m-%d %H:%M:%S}" if isinstance(captured, datetime) else ""
    assert readout_line(each, directory.now()).endswith(f")({time})")


@pytest.mark.parametrize(("directory", "each"), SHOWN_WHOLE)
def test_the_display_says_what_the_object_says(directory: Directory, each: Register) -> None:
    """Where eight digits suffice they are the value."""
    form = form_of(each)
    assert form is not None
    assert each.value == Decimal(shown(directory, each, form))


@pytest.mark.parametrize(("directory", "each"), NO_REGISTERS)
def test_the_display_says_what_is_no_register(directory: Directory, each: CosemObject) -> None:
    """Times and dates in their forms, status words as bits, numbers and texts as they are."""
    value = each.value
    match value:
        case datetime():
            assert f"{value:%H:%M:%S}" == shown(directory, each, "time")
            assert f"{value:%d.%m.%y}" == shown(directory, each, "date")
        case time():
            assert f"{value:%H:%M:%S}" == shown(directory, each, "time")
        case date():
            assert f"{value:%d.%m.%y}" == shown(directory, each, "date")
        case int():
            assert value & 0xFFFFFFFF == int(shown(directory, each, "hex"), 16)
            if value < 10**WIDTH:
                assert value == int(shown(directory, each, "#######0"))
        case str():
            assert value[:WIDTH].strip() == shown(directory, each, "text")
        case _:
            pytest.fail(f"nobody says how {value!r} is shown")


@pytest.mark.parametrize(("directory", "each"), SCALARS)
def test_show_objects_says_what_the_object_says(directory: Directory, each: CosemObject) -> None:
    """In JSON, to the last digit, of every class."""
    (row,) = (row for row in json_rows(directory) if row["obis"] == str(each.obis))
    value = each.value
    if isinstance(value, datetime):
        assert value == datetime.fromisoformat(row["value"])
    elif isinstance(value, (date, time)):
        assert value.isoformat() == row["value"]
    else:
        assert (type(value), value) == (type(row["value"]), row["value"])
    assert (each.class_id, each.name, each.unit) == (row["class"], row["name"], row["unit"])


@cache
def json_rows(directory: Directory) -> list[dict[str, Any]]:
    """What `show objects --json` prints of a directory."""
    rows: list[dict[str, Any]] = json.loads(exact_json(object_rows(directory)), parse_float=Decimal)
    return rows


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_show_registers_says_what_the_objects_say(directory: Directory) -> None:
    """In JSON, to the last digit: all that accumulate, and others that have a value to show."""
    rows = json.loads(exact_json(register_rows(directory)), parse_float=Decimal)
    registers = [
        each
        for each in directory
        if isinstance(each, Register)
        and each.obis.d != 7
        and (each.modulus is not None or each.value is not None)
    ]

    wanted = [(str(each.obis), each.value, each.unit) for each in registers]
    assert wanted == [(row["obis"], row["value"], row["unit"]) for row in rows]


def test_the_display_shows_kwh_cut_off() -> None:
    """Nine digits of Wh on eight places: the last ones are left out, not rounded up."""
    register = METER.directory["1.8.0"]
    screen = DisplayScreen(object="1.8.0", format="000000.00", unit="kWh")
    display = Display(DisplayConfig(scroll=(screen,)), METER.directory)

    assert isinstance(register.value, int)
    wanted = (Decimal(register.value) / 1000).quantize(Decimal("0.01"), ROUND_DOWN)
    assert "123456.78" == str(wanted) == display.snapshot(METER.now).text
