from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import GasUnitConfig, MeterConfig
from elec_meter.errors import ConfigError
from elec_meter.flag.command import IDENTIFIER_LIMIT, UNIT_LIMIT
from elec_meter.flag.readout import (
    LINE_LIMIT,
    VALUE_LIMIT,
    Readout,
    readout_line,
)
from elec_meter.objects import Data, ProfileGeneric, Register
from tests.elec_meter.flag.lines import READOUT, busy_meter
from tests.elec_meter.objects.fixed_meter import START, FixedMeter


def lines_of(meter: FixedMeter, *codes: str) -> list[str]:
    """The lines of a readout of these objects."""
    block = Readout(meter.directory, codes, lambda: None).block()
    return block[1:-5].decode("ascii").split("\r\n")[:-1]


def test_lines_are_the_objects_of_the_list_in_its_order() -> None:
    """Reduced codes, kWh, cubic metres with the time of reception, UTC."""
    assert [
        "0.0.0(00000001)",
        "0.9.1(00:40:07)",
        "0.9.2(12-10-28)",
        "1.8.0(000123.463*kWh)",
        "1.8.1(000123.456*kWh)",
        "1.8.2(000000.007*kWh)",
        "2.8.0(000000.012*kWh)",
        "0-1:24.2.1(00012.340*m3)(12-10-28 00:37:30)",
        "0-1:96.1.0(00000001)",
        "F.F(0)",
    ] == lines_of(busy_meter(), *READOUT)


def test_what_is_not_known_is_empty() -> None:
    """No time, no unit heard: no zero stands for them."""
    meter = FixedMeter(live=None)
    meter.clock.valid = False

    assert ["0.9.1()", "0.9.2()", "0-0:1.0.0()", "0-1:24.2.1()()"] == lines_of(
        meter, "0.9.1", "0.9.2", "0-0:1.0.0", "0-1:24.2.1"
    )


def test_all_lines_are_of_one_instant() -> None:
    """A readout over midnight does not pair one day's time with the next day's date."""
    meter = FixedMeter()
    ticks = iter(range(1000))

    def now_passing() -> object:
        return START + timedelta(hours=23, minutes=59, seconds=59 + next(ticks))

    meter.directory._now = now_passing
    assert ["0.9.1(23:59:59)", "0.9.2(12-10-28)"] == lines_of(meter, "0.9.1", "0.9.2")


@pytest.mark.parametrize("code", ["1-0:1.8.3", "1-0:99.1.0", "1-0:16.7.0", "0-0:96.11.0"])
def test_a_readout_of_what_is_not_there_or_not_public_is_refused(code: str) -> None:
    """A wrong configuration is one sentence with the code in it."""
    with pytest.raises(ConfigError, match=code):
        Readout(FixedMeter().directory, [code], lambda: None)


@pytest.mark.parametrize("text", ["a(b)", "50 %*2", "new\nline", "été", "x" * 40])
def test_no_text_can_break_a_line(text: str) -> None:
    """Characters that mean something to a reader are replaced, and the length is bounded."""
    line = readout_line(Data("0.2.0", "", lambda: START, lambda _: text), START)

    value = line.removeprefix("0.2.0(").removesuffix(")")
    assert VALUE_LIMIT >= len(value)
    assert not set(value) & set("()*/!\r\n")
    assert value.isascii()


def test_every_object_keeps_the_limits_of_a_line() -> None:
    """Identifier, value, unit and line, whatever is in the directory and however large."""
    finest = GasUnitConfig(serial="00000001", pulse_weight="0.001 ft3", modulus_l=10**9)
    meter = FixedMeter(config=MeterConfig(gas_units=(finest,), modulus_wh=10**15))
    meter.book("import", 10**15 - 1)
    meter.pulses.received = 10**13
    for each in meter.directory:
        if isinstance(each, ProfileGeneric):
            continue
        line = readout_line(each, meter.now)
        identifier, _, rest = line.partition("(")
        value, _, unit = rest.partition(")")[0].partition("*")
        assert IDENTIFIER_LIMIT >= len(identifier)
        assert VALUE_LIMIT >= len(value)
        assert UNIT_LIMIT >= len(unit)
        assert LINE_LIMIT >= len(line) + 2


@given(st.integers(0, 10**12))
def test_a_register_reads_back_as_it_was(wh: int) -> None:
    """A value in kWh has the Wh of the register as its decimals."""
    meter = FixedMeter()
    meter.book("import", wh)
    register = meter.directory["1.8.0"]
    assert isinstance(register, Register)

    value = readout_line(register, START).removeprefix("1.8.0(").removesuffix("*kWh)")
    assert register.value == int(value.replace(".", ""))
    assert 10 == len(value)
