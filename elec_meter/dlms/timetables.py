"""Calendars and special days that a client writes, made of COSEM data (classes 11 and 20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from elec_meter.dlms.data import CosemData
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.instants import decode_date_pattern, decode_time
from elec_meter.dlms.tags import Tag
from elec_meter.objects import (
    DayAction,
    DayProfile,
    Form,
    Rows,
    SeasonProfile,
    SpecialDayEntry,
    WeekProfile,
)
from shared.obis import Obis

_T = TypeVar("_T")

_WEEK_DAYS: Final = 7
_NAME_BYTES: Final = 6


def rows_of(form: Form, data: CosemData) -> Rows | None:
    """A list of one of the forms that have an entry here; None for another form.

    Raises:
        MalformedError: the data is no such list.
    """
    match form:
        case Form.SEASONS:
            return _array(data, _season)
        case Form.WEEKS:
            return _array(data, _week)
        case Form.DAYS:
            return _array(data, _day)
        case Form.SPECIAL_DAYS:
            return _array(data, _special_day)
        case Form.SPECIAL_DAY:
            return (_special_day(data),)
    return None


def _season(data: CosemData) -> SeasonProfile:
    name, start, week = _structure(data, 3)
    return SeasonProfile(_text(name), decode_date_pattern(_octets(start)), _text(week))


def _week(data: CosemData) -> WeekProfile:
    name, *days = _structure(data, 1 + _WEEK_DAYS)
    return WeekProfile(_text(name), *(_number(each, Tag.UINT8) for each in days))


def _day(data: CosemData) -> DayProfile:
    number, actions = _structure(data, 2)
    return DayProfile(_number(number, Tag.UINT8), _array(actions, _action))


def _action(data: CosemData) -> DayAction:
    start, table, selector = _structure(data, 3)
    name = _octets(table)
    if len(name) != _NAME_BYTES:
        raise MalformedError(f"{len(name)} bytes are no logical name")
    return DayAction(
        decode_time(_octets(start)), Obis.from_bytes(name), _number(selector, Tag.UINT16)
    )


def _special_day(data: CosemData) -> SpecialDayEntry:
    number, date, day = _structure(data, 3)
    dates = decode_date_pattern(_octets(date))
    return SpecialDayEntry(_number(number, Tag.UINT16), dates, _number(day, Tag.UINT8))


def _array(data: CosemData, element: Callable[[CosemData], _T]) -> tuple[_T, ...]:
    tag, value = data
    if tag is not Tag.ARRAY or not isinstance(value, tuple):
        raise MalformedError(f"a {tag.name} is no list")
    return tuple(element(each) for each in value if isinstance(each, CosemData))


def _structure(data: CosemData, count: int) -> list[CosemData]:
    tag, value = data
    parts = (
        [each for each in value if isinstance(each, CosemData)] if isinstance(value, tuple) else []
    )
    if tag is not Tag.STRUCTURE or len(parts) != count:
        raise MalformedError(f"a {tag.name} is no structure of {count} parts")
    return parts


def _octets(data: CosemData) -> bytes:
    tag, value = data
    if not isinstance(value, bytes):
        raise MalformedError(f"a {tag.name} is no octet string")
    return value


def _text(data: CosemData) -> str:
    try:
        return _octets(data).decode()
    except UnicodeDecodeError:
        raise MalformedError("a name is not UTF-8") from None


def _number(data: CosemData, tag: Tag) -> int:
    if data.tag is not tag or not isinstance(data.value, int):
        raise MalformedError(f"a {data.tag.name} is no {tag.name}")
    return data.value
