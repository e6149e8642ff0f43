"""What a FLAG readout says: one reading for each of its lines (IEC 62056-21, 6.3.4 and 6.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple, TypeAlias

from elec_meter.addons.errors import LineGarbledError
from elec_meter.objects import ObjectsError, in_unit
from shared.errors import ObisError
from shared.obis import Obis

_LINE: Final = re.compile(
    r"(?P<code>[^()]{1,24})\((?P<value>[^()*]{0,128})(?:\*(?P<unit>[^()*]{1,16}))?\)"
    r"(?:\((?P<captured>[^()]{0,32})\))?"
)
_TIME: Final = "%y-%m-%d %H:%M:%S"


class Reading(NamedTuple):
    """One line of a readout.

    Attributes:
        text: the value as it was sent; empty for one that the meter does not know.
        unit: its unit; empty for none.
        captured: when the value came to be, in UTC, where the meter says so.
    """

    text: str
    unit: str = ""
    captured: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether the meter knows the value."""
        return bool(self.text)

    def number(self, unit: str = "") -> Decimal | None:
        """The value, exactly, in a multiple of its unit; None for what is unknown or no number."""
        try:
            return in_unit(Decimal(self.text), self.unit, unit or self.unit)
        except (InvalidOperation, ObjectsError):
            return None

    def instant(self) -> datetime | None:
        """The value as a time in UTC; None for what is unknown or no time."""
        return _instant(self.text)


UNKNOWN: Final = Reading("")
"""Of an object that was not read, or whose value the meter does not know."""


class Readings:
    r"""A readout: who the meter is, and its values by their full OBIS codes.

    Args:
        identification: the identification message without its end, such as `/HHY6\2HALFHOURLY`.
        values: the readings.
    """

    def __init__(self, identification: str, values: Mapping[str, Reading]) -> None:
        self.identification = identification
        self._values = dict(values)

    def __getitem__(self, code: str) -> Reading:
        return self._values.get(code, UNKNOWN)

    def __contains__(self, code: str) -> bool:
        return code in self._values

    def forgotten(self) -> Readings:
        """The same readout of a meter that does not know any of it."""
        return Readings(self.identification, dict.fromkeys(self._values, UNKNOWN))

    @property
    def codes(self) -> tuple[str, ...]:
        """What was read, in the order of the readout."""
        return tuple(self._values)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels, 1 to 6, whose gas index is in it."""
        return tuple(n for n in range(1, 7) if f"0-{n}:24.2.1" in self._values)

    def rates(self, c: int) -> tuple[str, ...]:
        """The codes of the rates of import (1) or export (2) that are in it, in order."""
        codes = (f"1-0:{c}.8.{rate}" for rate in range(1, 49))
        return tuple(code for code in codes if code in self._values)


Values: TypeAlias = dict[str, Reading]


def read_lines(text: str) -> Values:
    """The readings of the lines between `STX` and `!`, each with its CR LF.

    Raises:
        LineGarbledError: a line is none of a readout.
    """
    values: Values = {}
    for line in text.split("\r\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise LineGarbledError(f"{line[:40]!r} is no line of a readout")
        try:
            code = str(Obis.parse(match["code"]))
        except ObisError:
            raise LineGarbledError(f"{match['code'][:24]!r} is no OBIS code") from None
        captured = _instant(match["captured"] or "")
        values[code] = Reading(match["value"], match["unit"] or "", captured)
    return values


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
