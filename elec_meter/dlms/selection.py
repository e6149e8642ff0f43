"""Selective access to the rows of profiles: by range and by entry (IEC 62056-6-2, 4.3.6.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from elec_meter.dlms.data import CosemData
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.instants import decode_date_time
from elec_meter.dlms.services import AccessResult, RefusedError, Selection
from elec_meter.dlms.tags import Tag
from elec_meter.objects import CaptureObject
from shared.errors import SharedError
from shared.obis import Obis
from shared.timegrid import from_unix_s

_BY_RANGE, _BY_ENTRY = 1, 2
_CLOCKS: Final = (
    CaptureObject(8, Obis.parse("0-0:1.0.0"), 2),
    CaptureObject(1, Obis.parse("0-0:1.1.0"), 2),
)


class RowSelection(NamedTuple):
    """Which rows and columns of a profile are wanted.

    Attributes:
        columns: places of the columns, in the profile's order.
        from_utc: the first stamp; None for no bound.
        to_utc: the last stamp; None for no bound.
        first: the first row, counted from 1 with the oldest.
        last: the last row; 0 for that which is there last.
    """

    columns: tuple[int, ...]
    from_utc: datetime | None = None
    to_utc: datetime | None = None
    first: int = 1
    last: int = 0

    @property
    def is_by_entry(self) -> bool:
        """Whether rows are counted."""
        return (self.first, self.last) != (1, 0)


def row_selection(selection: Selection | None, captured: tuple[CaptureObject, ...]) -> RowSelection:
    """What a request selects of a profile with these columns; everything if it selects nothing.

    Raises:
        RefusedError: it makes no sense.
    """
    everything = tuple(range(len(captured)))
    if selection is None:
        return RowSelection(everything)
    if selection.selector == _BY_RANGE:
        restricting, start, end, wanted = _parts(selection.parameters, Tag.STRUCTURE, 4)
        if _capture_object(restricting) not in _CLOCKS:
            raise RefusedError(AccessResult.SCOPE_OF_ACCESS_VIOLATED)
        columns = _columns(wanted, captured) or everything
        return RowSelection(columns, _bound(start), _bound(end))
    if selection.selector == _BY_ENTRY:
        numbers = [_number(each) for each in _parts(selection.parameters, Tag.STRUCTURE, 4)]
        first, last, first_column, last_column = numbers
        places = everything[max(first_column, 1) - 1 : last_column or None]
        if not places:
            raise RefusedError(AccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return RowSelection(places, first=max(first, 1), last=last)
    raise RefusedError(AccessResult.SCOPE_OF_ACCESS_VIOLATED)


def _parts(data: CosemData, tag: Tag, count: int | None = None) -> tuple[CosemData, ...]:
    if data.tag is not tag or not isinstance(data.value, tuple):
        raise RefusedError(AccessResult.TYPE_UNMATCHED)
    if count is not None and len(data.value) != count:
        raise RefusedError(AccessResult.TYPE_UNMATCHED)
    return data.value


def _number(data: CosemData) -> int:
    if not isinstance(data.value, int) or data.value < 0:
        raise RefusedError(AccessResult.TYPE_UNMATCHED)
    return data.value


def _capture_object(data: CosemData) -> CaptureObject:
    """A column as a selection names it; the index into a structure is always 0 here."""
    class_id, name, attribute, _ = _parts(data, Tag.STRUCTURE, 4)
    if not isinstance(name.value, bytes) or len(name.value) != 6:
        raise RefusedError(AccessResult.TYPE_UNMATCHED)
    return CaptureObject(_number(class_id), Obis.from_bytes(name.value), _number(attribute))


def _columns(wanted: CosemData, captured: tuple[CaptureObject, ...]) -> tuple[int, ...]:
    named = {_capture_object(each) for each in _parts(wanted, Tag.ARRAY)}
    if not named <= set(captured):
        raise RefusedError(AccessResult.SCOPE_OF_ACCESS_VIOLATED)
    return tuple(place for place, each in enumerate(captured) if each in named)


def _bound(data: CosemData) -> datetime | None:
    """A date-time, also in octets, or UNIX seconds; null-data is no bound."""
    tag, value = data
    if tag is Tag.NULL:
        return None
    try:
        if isinstance(value, bytes) and tag in (Tag.OCTETS, Tag.DATE_TIME):
            return decode_date_time(value)
        if isinstance(value, int) and tag is Tag.UINT32:
            return from_unix_s(value)
    except (MalformedError, SharedError):
        pass
    raise RefusedError(AccessResult.TYPE_UNMATCHED)
