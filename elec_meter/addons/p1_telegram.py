"""The P1 telegram of Dutch meters, DSMR 5, as displays and energy programs in homes read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

from elec_meter.addons.readings import Reading, Readings

_VERSION: Final = "50"
_BAUD: Final = "5"  # 115200 bit/s, as DSMR 5 has it
_GAS: Final = "003"  # EN 13757-3, table of device types
_POLYNOMIAL: Final = 0xA001  # x^16 + x^15 + x^2 + 1, low bit first
_MAKER_END: Final = 4
_EQUIPMENT_CHARACTERS: Final = 17  # as Dutch meters have them

_ENERGY: Final = (6, 3)
_POWER: Final = (2, 3)
_GAS_DIGITS: Final = (5, 3)


def p1_telegram(readings: Readings, zone: tzinfo) -> bytes:
    r"""A telegram: `/HHY5\2HALFHOURLY`, an empty line, the lines, `!` and the check (DSMR 5.0.2).

    What the meter does not know has no line. All rates are in it, and the total: readers that know
    two rates add these two up, and others take `1-0:1.8.0`.

    Args:
        readings: one readout.
        zone: of the times; readers believe that it is that of Amsterdam.
    """
    lines = [_header(readings.identification), "", *_lines(readings, zone)]
    text = "".join(f"{line}\r\n" for line in lines) + "!"
    checked = text.encode("ascii")
    return checked + f"{crc16(checked):04X}\r\n".encode("ascii")


def crc16(data: bytes) -> int:
    """CRC-16 of what stands from `/` to `!`, both included (DSMR 5.0.2, 5.2)."""
    remainder = 0
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (_POLYNOMIAL if remainder & 1 else 0)
    return remainder


def p1_time(instant: datetime, zone: tzinfo) -> str:
    """`YYMMDDhhmmssX`, where X is S in summer and W in winter."""
    local = instant.astimezone(zone)
    winter = datetime(local.year, 1, 1, tzinfo=zone)
    # Not `dst()`: Irish winters, not its summers, are the exception in the time zone's files.
    is_summer = local.utcoffset() != winter.utcoffset()
    return f"{local:%y%m%d%H%M%S}{'S' if is_summer else 'W'}"


def _header(identification: str) -> str:
    maker, product = identification[1:_MAKER_END], identification[_MAKER_END + 1 :]
    return f"/{maker}{_BAUD}{product}"


def _lines(readings: Readings, zone: tzinfo) -> Iterator[str]:
    yield f"1-3:0.2.8({_VERSION})"
    clock = readings["0-0:1.0.0"].instant()
    if clock is not None:
        yield f"0-0:1.0.0({p1_time(clock, zone)})"
    yield from _equipment("0-0:96.1.1", "E", readings["1-0:0.0.0"])
    for c in (1, 2):
        for code in (f"1-0:{c}.8.0", *readings.rates(c)):
            yield from _number(code, readings[code], "kWh", _ENERGY, ROUND_FLOOR)
    rate = readings["0-0:96.14.0"].number()
    if rate is not None:
        yield f"0-0:96.14.0({int(rate):04d})"
    for code in ("1-0:1.7.0", "1-0:2.7.0"):
        yield from _number(code, readings[code], "kW", _POWER)
    yield from _number("1-0:32.7.0", readings["1-0:32.7.0"], "V", (3, 1))
    yield from _number("1-0:31.7.0", readings["1-0:31.7.0"], "A", (3, 0))
    for code, source in (("1-0:21.7.0", "1-0:1.7.0"), ("1-0:22.7.0", "1-0:2.7.0")):
        yield from _number(code, readings[source], "kW", _POWER)
    for channel in readings.channels:
        yield from _gas(readings, channel, zone)


def _gas(readings: Readings, channel: int, zone: tzinfo) -> Iterator[str]:
    index = readings[f"0-{channel}:24.2.1"]
    volume = index.number("m3")
    if volume is None or index.captured is None:
        return
    yield f"0-{channel}:24.1.0({_GAS})"
    yield from _equipment(f"0-{channel}:96.1.0", "G", readings[f"0-{channel}:96.1.0"])
    text = _digits(volume, _GAS_DIGITS, ROUND_FLOOR)
    yield f"0-{channel}:24.2.1({p1_time(index.captured, zone)})({text}*m3)"


def _equipment(code: str, kind: str, serial: Reading) -> Iterator[str]:
    """An equipment identifier: its characters as hexadecimal digits.

    It begins with E or G, as those of Dutch meters do: two meters of one serial stay two to readers
    that know a meter by it alone.
    """
    if serial.is_known:
        text = kind + serial.text.rjust(_EQUIPMENT_CHARACTERS - 1, "0")
        yield f"{code}({text.encode('ascii').hex().upper()})"


def _number(
    code: str,
    reading: Reading,
    unit: str,
    digits: tuple[int, int],
    rounding: str = ROUND_HALF_EVEN,
) -> Iterator[str]:
    value = reading.number(unit)
    if value is not None:
        yield f"{code}({_digits(value, digits, rounding)}*{unit})"


def _digits(value: Decimal, digits: tuple[int, int], rounding: str) -> str:
    """So many digits before and behind the point; a register is never shown ahead of itself."""
    whole, decimals = digits
    text = f"{value.quantize(Decimal(1).scaleb(-decimals), rounding):f}"
    return text.zfill(whole + (decimals + 1 if decimals else 0))
