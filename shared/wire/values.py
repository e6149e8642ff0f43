"""Values of data records, exactly: integers, decimal digits, IEEE 754 singles, dates (EN 13757-3).

No floating point: a number is an integer, or for a single the integer and the power of two that
multiplies it.
"""

from shared.wire.records import CODING_REAL, CODING_VARIABLE, TEXT_MAX, Record, text_of

_DECIMAL = (0x9, 0xA, 0xB, 0xC, 0xE)
_BINARY = (1, 2, 3, 4, 6, 7)
_REAL_EXPONENT_LEAST = -149
_YEAR_EVERY = 127
_MONTH_EVERY = 15


def integer(record: Record, unsigned: bool = False) -> "int | None":
    """Return the whole number in ``record``; None if it has none or says "invalid".

    Invalid are: all bits set if ``unsigned``, else the most negative number; decimal digits above
    9 (Annex A, types A, B and C). A decimal number with F in front is negative.
    """
    if record.coding in _DECIMAL:
        return decimal_digits(record.data)
    if record.coding in _BINARY:
        return binary_integer(record.data, unsigned)
    if record.coding == CODING_VARIABLE and record.variable is not None:
        return _variable_integer(record.variable, record.data, unsigned)
    return None


def binary_integer(data: bytes, unsigned: bool = False) -> "int | None":
    """Return the integer in ``data``, low byte first; None for the code of an invalid one."""
    if not data:
        return None
    value = int.from_bytes(data, "little")
    span = 1 << 8 * len(data)
    if unsigned:
        return None if value == span - 1 else value
    if value >= span >> 1:
        value -= span
    return None if value == -(span >> 1) else value


def decimal_digits(data: bytes) -> "int | None":
    """Return the number of packed digits in ``data``, low byte first; None for a digit above 9."""
    value = 0
    negative = False
    leading = True
    for byte in reversed(data):
        for digit in (byte >> 4, byte & 0x0F):
            if leading and digit == 0x0F:
                negative = True
            elif digit > 9:
                return None
            else:
                value = 10 * value + digit
            leading = False
    return -value if negative else value


def real(data: bytes) -> "tuple[int, int] | None":
    """Return (mantissa, power of two) of the single in ``data``; None for infinity and no number.

    Its value is mantissa times two to the power, exactly (type H, IEEE 754).
    """
    bits = int.from_bytes(data, "little")
    exponent = bits >> 23 & 0xFF
    mantissa = bits & 0x7FFFFF
    if exponent == 0xFF:
        return None
    if exponent:
        mantissa |= 0x800000
        exponent -= 1
    return (-mantissa if bits >> 31 else mantissa), exponent + _REAL_EXPONENT_LEAST


def text(record: Record) -> "str | None":
    """Return the text in ``record``, None if it carries no text."""
    if record.coding != CODING_VARIABLE or record.variable is None or record.variable > TEXT_MAX:
        return None
    return text_of(record.data)


def is_real(record: Record) -> bool:
    """Tell whether ``record`` carries a single."""
    return record.coding == CODING_REAL


def date_text(record: Record) -> "str | None":
    """Return the date or time in ``record`` as ISO 8601 text; None if it is invalid or no date.

    Two bytes are a date (type G), four a date and minute (F), six a date and second (I), three a
    time of day (J). Times are the meter's own. A part that stands for every day, month or year
    (a periodic date) is written as asterisks.
    """
    data = record.data
    if record.coding == 2:
        return _date(data[0], data[1], None)
    if record.coding == 3:
        return _time(data[2] & 0x1F, data[1] & 0x3F, data[0] & 0x3F)
    if record.coding == 4:
        if data[0] & 0x80:
            return None
        day = _date(data[2], data[3], data[1] >> 5 & 3)
        return _joined(day, _time(data[1] & 0x1F, data[0] & 0x3F, 0))
    if record.coding == 6:
        if data[1] & 0x80:
            return None
        day = _date(data[3], data[4], None)
        return _joined(day, _time(data[2] & 0x1F, data[1] & 0x3F, data[0] & 0x3F))
    return None


def _joined(day: "str | None", time: "str | None") -> "str | None":
    return None if day is None or time is None else day + "T" + time


def _time(hour: int, minute: int, second: int) -> "str | None":
    if hour > 23 or minute > 59 or second > 59:
        return None
    return "%02d:%02d:%02d" % (hour, minute, second)


def _date(low: int, high: int, hundreds: "int | None") -> "str | None":
    day = low & 0x1F
    month = high & 0x0F
    year = (high >> 4) << 3 | low >> 5
    if low == 0xFF and high == 0xFF:
        return None
    if month != _MONTH_EVERY and not 1 <= month <= 12:
        return None
    if year != _YEAR_EVERY:
        if year > 99:
            return None
        year += _century(year, hundreds)
        if month <= 12 and day > _days(year, month):
            return None
    return "%s-%s-%s" % (
        "****" if year == _YEAR_EVERY else "%04d" % year,
        "**" if month == _MONTH_EVERY else "%02d" % month,
        "%02d" % day if day else "**",
    )


def _century(year: int, hundreds: "int | None") -> int:
    # Two digits alone mean 1981 to 2080; meters older than the hundreds bits leave them zero.
    if hundreds:
        return 1900 + 100 * hundreds
    return 1900 if year > 80 else 2000


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _variable_integer(variable: int, data: bytes, unsigned: bool) -> "int | None":
    if 0xC0 <= variable <= 0xC9:
        return decimal_digits(data)
    if 0xD0 <= variable <= 0xD9:
        digits = decimal_digits(data)
        return None if digits is None else -digits
    if variable >= 0xE0:
        return binary_integer(data, unsigned)
    return None
