"""What a read command is answered with: lines of data sets, from the directory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from elec_meter.access import Level, may_read
from elec_meter.errors import NotAllowedError
from elec_meter.flag.command import VALUE_LIMIT
from elec_meter.flag.packed import pack_rows
from elec_meter.flag.readout import readout_line
from elec_meter.flag.refusals import BadValueError, MalformedCommandError, TooLongError
from elec_meter.flag.rows import is_rows, rows_octets, rows_text
from elec_meter.flag.texts import binary_text, cut_to_values, instant_of, json_text, text_of
from elec_meter.objects import (
    CHANGE,
    EVERY_CHANNEL,
    ActivityCalendar,
    CaptureObject,
    CosemObject,
    Directory,
    NoSuchAttributeError,
    ProfileGeneric,
    Register,
    Scalar,
    ScalerUnit,
    Setting,
    SpecialDaysTable,
)

ROWS_LIMIT: Final = 1_600
"""Rows of a profile in one answer: 33 days of half-hours."""

SHORT: Final = {"C": CHANGE, "P": EVERY_CHANNEL}
"""Identifiers of one letter, for the smallest messages."""

_VALUE: Final = 2
_ENTRIES_IN_USE: Final = 7
_WHERE: Final = re.compile(r"(?P<code>[^;]+)(?:;(?P<method>M)?(?P<number>[0-9]{1,3}))?", re.ASCII)


class Place(NamedTuple):
    """An attribute of an object, or a method."""

    object: CosemObject
    number: int
    is_method: bool


def place_of(directory: Directory, identifier: str) -> Place:
    """What `OBIS`, `OBIS;attribute`, `OBIS;Mmethod` or a short identifier names.

    Raises:
        MalformedCommandError: it is none of these.
        UnknownObjectError: the meter has no such object.
    """
    match = _WHERE.fullmatch(identifier)
    if match is None:
        raise MalformedCommandError(f"{identifier!r} names no object")
    code = SHORT.get(match["code"], match["code"])
    each = directory[code]
    number = each.value_attribute if match["number"] is None else int(match["number"])
    return Place(each, number, match["method"] is not None)


def read_lines(
    directory: Directory, level: Level, identifier: str, value: str, *, is_compact: bool
) -> list[str]:
    """The lines of an answer.

    Args:
        directory: where the values are.
        level: who asks.
        identifier: what for.
        value: what stands in parentheses: of a profile `from;to`, otherwise nothing or a 1.
        is_compact: whether documents and rows come packed.

    Raises:
        MeterError: it is refused.
    """
    each, number, is_method = place_of(directory, identifier)
    if is_method:
        raise NoSuchAttributeError("a method cannot be read")
    if not may_read(level, each.obis, each.class_id, number):
        raise NotAllowedError(f"level {int(level)} may not read {each.obis};{number}")
    if isinstance(each, ProfileGeneric) and number == _VALUE:
        return _profile(directory, each, identifier, value, is_compact=is_compact)
    if value not in ("", "1"):
        raise BadValueError(f"{each.obis};{number} is read without a value")
    if isinstance(each, Setting) and number == _VALUE:
        if is_compact:
            return _continued("", binary_text(each.octets()))
        return _continued(identifier, json_text(str(each.value)))
    if number == each.value_attribute and not _is_list(each, identifier, number):
        return [readout_line(each, directory.now(), VALUE_LIMIT)]
    return _attribute(each, identifier, number, directory.now(), is_compact=is_compact)


def _continued(identifier: str, text: str) -> list[str]:
    """A long text as values one behind the other on one line."""
    return [identifier + "".join(f"({part})" for part in cut_to_values(text))]


def _is_list(each: CosemObject, identifier: str, number: int) -> bool:
    """Whether a list of structures is asked for, and not the one value that people see of it."""
    return ";" in identifier and number in each.writable and is_rows(each.entry(number).form)


def _attribute(
    each: CosemObject, identifier: str, number: int, now: datetime, *, is_compact: bool
) -> list[str]:
    value = each.read(number, now)
    if isinstance(each, (ActivityCalendar, SpecialDaysTable)) and isinstance(value, tuple):
        if is_compact:
            return _continued("", binary_text(rows_octets(value)))
        return _continued(identifier, json_text(rows_text(value)))
    if isinstance(value, ScalerUnit):
        return [f"{identifier}({value.scaler};{int(value.unit)})"]
    if isinstance(value, tuple) and value and isinstance(value[0], CaptureObject):
        columns = (f"({column.class_id};{column.obis};{column.attribute})" for column in value)
        return [identifier + "".join(columns)]
    return [f"{identifier}({text_of(each.present(number, now), VALUE_LIMIT)})"]


def _profile(
    directory: Directory,
    profile: ProfileGeneric,
    identifier: str,
    value: str,
    *,
    is_compact: bool,
) -> list[str]:
    from_utc, to_utc = _range(value)
    _refuse_long(profile, from_utc, to_utc)
    rows = profile.rows(from_utc, to_utc)
    if len(rows) > ROWS_LIMIT:
        raise TooLongError(f"{len(rows)} rows are more than {ROWS_LIMIT}: ask for less at once")
    if is_compact:
        return _continued("", binary_text(_packed(profile, rows)))
    sources = [directory[column.obis] for column in profile.columns]
    attributes = [column.attribute for column in profile.columns]
    lines = ["".join(map(_cell, sources, attributes, row)) for row in rows]
    if not lines:
        return [f"{identifier}()"]
    return [identifier + lines[0], *lines[1:]]


def _range(value: str) -> tuple[datetime | None, datetime | None]:
    """`from;to`: the stamps of the first and the last row; without one of them there is no end."""
    if value in ("", "1"):
        return None, None
    first, mark, last = value.partition(";")
    if not mark:
        raise BadValueError("rows are asked for as from;to")
    return (instant_of(first) if first else None, instant_of(last) if last else None)


def _refuse_long(
    profile: ProfileGeneric, from_utc: datetime | None, to_utc: datetime | None
) -> None:
    """Refuse what would be too much, before it is looked up."""
    if from_utc is not None and to_utc is not None and profile.period_s:
        most = (to_utc - from_utc).total_seconds() // profile.period_s + 1
        if most <= ROWS_LIMIT:
            return
    count = profile[_ENTRIES_IN_USE]
    if isinstance(count, int) and count > ROWS_LIMIT:
        raise TooLongError(f"that may be more than {ROWS_LIMIT} rows: ask for less at once")


def _cell(source: CosemObject, attribute: int, value: Scalar) -> str:
    if isinstance(source, Register) and attribute == _VALUE and isinstance(value, int):
        value = source.scaled(value)
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        return f"({text}*{source.unit})" if source.unit else f"({text})"
    return f"({text_of(value, VALUE_LIMIT)})"


def _packed(profile: ProfileGeneric, rows: Sequence[tuple[Scalar, ...]]) -> bytes:
    packed = []
    for end, *cells in rows:
        numbers = [cell for cell in cells if cell is None or isinstance(cell, int)]
        if not isinstance(end, datetime) or len(numbers) != len(cells):
            raise BadValueError(
                f"the rows of {profile.obis} hold more than numbers: read them as text"
            )
        packed.append((end, tuple(numbers)))
    return pack_rows(len(profile.columns) - 1, packed)
