"""Lists of structures as FLAG has them: JSON, or MessagePack in types 5 and 6.

A structure is a list of its parts in the order of the class; names are texts, dates are written as
in the configuration document, times of day as `HH:MM:SS`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import IntEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from elec_meter.config import DatePattern
from elec_meter.flag.refusals import BadValueError
from elec_meter.objects import (
    DayAction,
    DayProfile,
    Form,
    Rows,
    SeasonProfile,
    SpecialDayEntry,
    WeekProfile,
)
from shared.errors import ObisError
from shared.obis import Obis
from shared.timegrid import iso_utc

_Uint8 = Annotated[int, Meta(ge=0, le=0xFF)]
_Uint16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
_Season = tuple[str, str, str]
_Week = tuple[str, _Uint8, _Uint8, _Uint8, _Uint8, _Uint8, _Uint8, _Uint8]
_Time = Annotated[time, Meta(tz=False)]
_Day = tuple[_Uint8, list[tuple[_Time, str, _Uint16]]]
_SpecialDay = tuple[_Uint16, str, _Uint8]

_SHAPES: Final[dict[Form, Any]] = {
    Form.SEASONS: list[_Season],
    Form.WEEKS: list[_Week],
    Form.DAYS: list[_Day],
    Form.SPECIAL_DAYS: list[_SpecialDay],
    Form.SPECIAL_DAY: _SpecialDay,
}


def rows_text(value: object) -> str:
    """A list as JSON in one line."""
    return msgspec.json.encode(_plain(value)).decode()


def rows_octets(value: object) -> bytes:
    """A list as MessagePack."""
    return msgspec.msgpack.encode(_plain(value))


def rows_of(form: Form, given: str | bytes) -> Rows:
    """The list that a text, JSON, or octets, MessagePack, are.

    Raises:
        BadValueError: they are none of this form.
    """
    try:
        if isinstance(given, str):
            value = msgspec.json.decode(given, type=_SHAPES[form])
        else:
            value = msgspec.msgpack.decode(given, type=_SHAPES[form])
        return _rows(form, value)
    except (ValueError, ObisError, RecursionError) as error:
        raise BadValueError(f"the value is not {form.value}: {error}") from None


def is_rows(form: Form) -> bool:
    """Whether values of a form are lists of structures, or one structure."""
    return form in _SHAPES


def _rows(form: Form, value: Any) -> Rows:
    match form:
        case Form.SEASONS:
            return tuple(
                SeasonProfile(name, DatePattern.parse(start), week) for name, start, week in value
            )
        case Form.WEEKS:
            return tuple(WeekProfile(*week) for week in value)
        case Form.DAYS:
            return tuple(
                DayProfile(
                    number,
                    tuple(
                        DayAction(start, Obis.parse(table), selector)
                        for start, table, selector in actions
                    ),
                )
                for number, actions in value
            )
        case Form.SPECIAL_DAY:
            value = [value]
    return tuple(
        SpecialDayEntry(number, DatePattern.parse(dates), day) for number, dates, day in value
    )


def _plain(value: object) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Obis, DatePattern)):
        return str(value)
    return int(value) if isinstance(value, IntEnum) else value
