"""The load profile as a compact array, 1-0:99.1.1: what a head end fetches from many meters.

Each row is the number of its period, its status, the status of the first pulse channel, and what
passed, in 16 bits each. 65535 stands for what is not known yet (its status says so) or does not
fit: the whole number is in 1-0:99.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from struct import Struct
from typing import Final, NamedTuple

from elec_meter.dlms.cursor import encode_length, encode_octets
from elec_meter.dlms.errors import EncodingError
from elec_meter.dlms.profiles import select_rows
from elec_meter.dlms.selection import RowSelection
from elec_meter.dlms.tags import NUMBERS, Tag
from elec_meter.objects import CaptureObject, Directory, ProfileGeneric, Scalar
from shared.obis import Obis
from shared.timegrid import unix_s

COMPACT_PROFILE: Final = Obis.parse("1-0:99.1.1")
PERIOD_NUMBER: Final = CaptureObject(1, Obis.parse("0-0:128.37.0"), 2)
"""The first column: UNIX seconds of the period's end, divided by its length, modulo 65536."""

NOT_HERE: Final = 0xFFFF

LOAD_PROFILE: Final = Obis.parse("1-0:99.1.0")
_GAS: Final = Obis.parse("0-1:24.3.0")
_MODULUS: Final = 0x1_0000
_UINT8_MAX: Final = 0xFF
# Import, export, and reactive import: what lags, whichever way active energy flows.
_DELTAS: Final = tuple(Obis.parse(f"1-0:{c}.29.0") for c in (1, 2, 3))


class _Source(NamedTuple):
    """A column of one of the two profiles that is copied, and its type."""

    is_gas: bool
    place: int
    tag: Tag


class CompactProfile:
    """Rows of the load profile and of the first pulse channel, side by side.

    Args:
        directory: where both profiles are.

    Raises:
        UnknownObjectError: there is no load profile.
    """

    def __init__(self, directory: Directory) -> None:
        load = directory[LOAD_PROFILE]
        assert isinstance(load, ProfileGeneric)
        self.load: Final = load
        self._gas = None
        if _GAS in directory:
            gas = directory[_GAS]
            assert isinstance(gas, ProfileGeneric)
            self._gas = gas
        self.columns, self._sources = self._layout()
        tags = (Tag.UINT16, *(source.tag for source in self._sources))
        self._row = Struct(">" + "".join(NUMBERS[tag].format[1:] for tag in tags))
        self._tags = tags

    def buffer(self, selection: RowSelection) -> bytes:
        """The rows that are selected, as a compact array."""
        places = selection.columns
        tags = bytes(self._tags[place] for place in places)
        description = bytes((Tag.STRUCTURE,)) + encode_length(len(places)) + tags
        rows = self._rows(selection)
        if places == tuple(range(len(self._tags))):
            content = b"".join(self._row.pack(*row) for row in rows)
        else:
            layout = Struct(">" + "".join(NUMBERS[self._tags[each]].format[1:] for each in places))
            content = b"".join(layout.pack(*(row[each] for each in places)) for row in rows)
        return bytes((Tag.COMPACT_ARRAY,)) + description + encode_octets(content)

    def _layout(self) -> tuple[tuple[CaptureObject, ...], list[_Source]]:
        """Columns of the buffer, and where they are copied from."""
        load = {each.obis: place for place, each in enumerate(self.load.columns)}
        columns = [PERIOD_NUMBER, self.load.columns[1]]
        sources = [_Source(False, 1, Tag.UINT8)]
        if self._gas is not None:
            columns.append(self._gas.columns[1])
            sources.append(_Source(True, 1, Tag.UINT8))
        for obis in _DELTAS:
            if obis in load:
                columns.append(self.load.columns[load[obis]])
                sources.append(_Source(False, load[obis], Tag.UINT16))
        if self._gas is not None:
            columns.append(self._gas.columns[2])
            sources.append(_Source(True, 2, Tag.UINT16))
        return tuple(columns), sources

    def _rows(self, selection: RowSelection) -> list[list[int]]:
        rows = select_rows(self.load, selection)
        gas = self._gas_by_stamp(rows)
        period_s = self.load.period_s
        found = []
        for row in rows:
            stamp = row[0]
            assert isinstance(stamp, datetime)
            beside = gas.get(stamp, ())
            numbers = [unix_s(stamp) // period_s % _MODULUS]
            for is_gas, place, tag in self._sources:
                values = beside if is_gas else row
                numbers.append(_fitting(values[place] if values else None, tag))
            found.append(numbers)
        return found

    def _gas_by_stamp(self, rows: Sequence[tuple[Scalar, ...]]) -> dict[Scalar, tuple[Scalar, ...]]:
        if self._gas is None or not rows:
            return {}
        first, last = rows[0][0], rows[-1][0]
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        return {row[0]: row for row in self._gas.rows(first, last)}


def _fitting(value: Scalar, tag: Tag) -> int:
    """A number within the type's bounds; the highest for what is not known or too large."""
    highest = _UINT8_MAX if tag is Tag.UINT8 else NOT_HERE
    if value is None:
        return 0 if tag is Tag.UINT8 else highest
    if not isinstance(value, int):
        raise EncodingError(f"{value!r} is no number of a row")
    return min(max(value, 0), highest)
