"""The directory as rows, plain enough for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.extended_register import ExtendedRegister
from elec_meter.objects.classes.profile_generic import ProfileGeneric
from elec_meter.objects.classes.register import Register
from elec_meter.objects.directory import Directory
from shared.timegrid import iso_utc

_CAPTURE_TIME: Final = 5
_MOMENTARY_D: Final = 7


def accumulating(directory: Directory) -> Iterator[Register]:
    """All registers that accumulate, and others that have a value; none of the moment."""
    for each in directory:
        if not isinstance(each, Register) or each.obis.d == _MOMENTARY_D:
            continue
        if each.modulus is not None or each.value is not None:
            yield each


def register_row(each: Register, now: datetime) -> dict[str, Any]:
    """A register as a row, at an instant of the host's UTC."""
    return {
        "obis": str(each.obis),
        "name": each.name,
        "value": each.value_at(now),
        "unit": each.unit,
        "captured": _captured(each, now),
    }


def register_rows(directory: Directory) -> list[dict[str, Any]]:
    """The rows of `accumulating`, in the order of their OBIS codes."""
    now = directory.now()
    return [register_row(each, now) for each in accumulating(directory)]


def object_row(each: CosemObject, now: datetime) -> dict[str, Any]:
    """An object that is a single value as a row: what is not known is None, and times are text."""
    return {
        "obis": str(each.obis),
        "class": each.class_id,
        "name": each.name,
        "value": _plain(each.value_at(now)),
        "unit": each.unit,
    }


def object_rows(directory: Directory) -> list[dict[str, Any]]:
    """Everything that is a single value, in the order of the OBIS codes."""
    now = directory.now()
    return [object_row(each, now) for each in directory if not isinstance(each, ProfileGeneric)]


def _plain(value: Scalar) -> int | Decimal | str | None:
    if isinstance(value, datetime):
        return iso_utc(value)
    return value.isoformat() if isinstance(value, (date, time)) else value


def _captured(each: CosemObject, now: datetime) -> str | None:
    """When a value came to be, where that is kept."""
    at = each.present(_CAPTURE_TIME, now) if isinstance(each, ExtendedRegister) else None
    return iso_utc(at) if isinstance(at, datetime) else None
