"""Buffers of profiles as COSEM data: rows of values (IEC 62056-6-2, 4.3.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from struct import Struct, error
from typing import Final

from elec_meter.dlms.cursor import encode_length, encode_octets
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.rendering import NULL, Column, column, encode_any
from elec_meter.dlms.selection import RowSelection
from elec_meter.dlms.services import AccessResult, RefusedError
from elec_meter.dlms.tags import NUMBERS, Tag
from elec_meter.objects import CaptureObject, Directory, ProfileGeneric, Scalar

BUFFER_MAX: Final = 4 << 20
"""Bytes of a buffer that is given in one answer, in however many blocks."""

_STAMP: Final = 0
_Row = tuple[Scalar, ...]


def buffer(profile: ProfileGeneric, directory: Directory, selection: RowSelection) -> bytes:
    """The rows that are selected, as an array of structures.

    A row that follows the one before it by exactly the capture period has null-data for its time;
    the first one, and one after a gap, has it in full. Nothing else is compressed.

    Raises:
        RefusedError: more than `BUFFER_MAX` bytes.
    """
    rows = select_rows(profile, selection)
    columns = [_column(directory, profile.columns[place]) for place in selection.columns]
    encode = _row_encoder(columns, selection.columns)
    period_s = profile.period_s
    period, due = timedelta(seconds=period_s), None
    parts, size = [], 0
    for row in rows:
        stamp = row[_STAMP]
        part = encode(row, NULL if stamp == due else _stamped(stamp))
        due = stamp + period if period_s and isinstance(stamp, datetime) else None
        parts.append(part)
        size += len(part)
        if size > BUFFER_MAX:
            raise RefusedError(AccessResult.OTHER_REASON)
    return bytes((Tag.ARRAY,)) + encode_length(len(parts)) + b"".join(parts)


def select_rows(profile: ProfileGeneric, selection: RowSelection) -> Sequence[_Row]:
    """The rows of a profile that are selected, with all their columns."""
    rows = profile.rows(selection.from_utc, selection.to_utc)
    if not selection.is_by_entry:
        return rows
    return rows[selection.first - 1 : selection.last or None]


def _column(directory: Directory, captured: CaptureObject) -> Column:
    if captured.obis not in directory:
        return Column(encode_any)
    return column(directory[captured.obis], captured.attribute)


def _stamped(stamp: Scalar) -> bytes:
    if not isinstance(stamp, datetime):
        return encode_any(stamp)
    return bytes((Tag.OCTETS,)) + encode_octets(encode_date_time(stamp))


def _row_encoder(
    columns: Sequence[Column], places: Sequence[int]
) -> Callable[[_Row, bytes], bytes]:
    """Makes the function from a row, and its stamp's bytes, to the row's bytes.

    Most rows are a stamp and numbers of known types: those are packed in one step.
    """
    head = bytes((Tag.STRUCTURE,)) + encode_length(len(places))
    has_stamp = bool(places) and places[0] == _STAMP
    numbers = list(zip(columns, places, strict=True))[has_stamp:]

    def one_by_one(row: _Row, stamp: bytes) -> bytes:
        values = b"".join(each.encode(row[place]) for each, place in numbers)
        return head + (stamp if has_stamp else b"") + values

    tags = [each.tag for each in columns[has_stamp:] if each.tag is not None]
    if len(tags) < len(numbers):
        return one_by_one
    layout = Struct(">" + "".join(f"B{NUMBERS[tag].format[1:]}" for tag in tags))
    arguments: list[Scalar] = [None] * (2 * len(tags))
    arguments[::2] = tags
    is_whole = list(places) == list(range(len(places)))

    def at_once(row: _Row, stamp: bytes) -> bytes:
        values: Iterable[Scalar]
        values = row[1 : len(places)] if is_whole else [row[place] for _, place in numbers]
        arguments[1::2] = values
        try:
            packed = layout.pack(*arguments)
        except error:
            return one_by_one(row, stamp)
        return head + (stamp if has_stamp else b"") + packed

    return at_once
