"""Fields of requests, and the orders that need no more than the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .energy import calorific_value, correction_factor
from .errors import OrderError

if TYPE_CHECKING:
    from .storage.pairings import Pairings

Request: TypeAlias = Mapping[str, Any]
Reply: TypeAlias = dict[str, Any]

_TEXT_MAX: Final = 200


def keep_calorific(pairings: Pairings, request: Request) -> Reply:
    """Keep what `calorific.set` or `calorific.correction` says.

    Raises:
        CollectorError: it says nothing that can be; nothing was changed.
        UnitsError: a number is none.
    """
    if request.get("request") == "calorific.correction":
        channel, factor = text_of(request, "channel", "gas"), text_of(request, "factor", "")
        pairings.set_correction(channel or "gas", correction_factor(factor or ""))
        return {"channel": channel, "factor": factor}
    try:
        day = date.fromisoformat(text_of(request, "from", "") or "")
    except ValueError:
        raise OrderError("a gas day is written 2026-04-01") from None
    text = text_of(request, "mj_m3", None)
    pairings.set_calorific_value(day, None if text is None else calorific_value(text))
    return {"from": day.isoformat(), "mj_m3": text}


def text_of(request: Request, name: str, otherwise: str | None) -> str | None:
    """A field that is text of one line; a label may have three.

    Raises:
        OrderError: it is something else.
    """
    value = request.get(name, otherwise)
    if value is None:
        return otherwise
    if not isinstance(value, str) or len(value) > _TEXT_MAX or not value.isprintable():
        if name == "label" and isinstance(value, str) and len(value) <= _TEXT_MAX:
            return value  # a printed label has three lines
        raise OrderError(f"{name} is no text of one line, up to {_TEXT_MAX} characters")
    return value


def truth_of(request: Request, name: str, otherwise: bool | None) -> bool:
    """A field that is true or false; it has to be there where `otherwise` is None.

    Raises:
        OrderError: it is something else.
    """
    value = request.get(name, otherwise)
    if not isinstance(value, bool):
        raise OrderError(f"{name} is true or false")
    return value


def whole_of(request: Request, name: str, otherwise: int, most: int) -> int:
    """A field that is a whole number from 0 to `most`.

    Raises:
        OrderError: it is something else.
    """
    value = request.get(name)
    if value is None:
        return otherwise
    if type(value) is not int or not 0 <= value <= most:
        raise OrderError(f"{name} is a whole number from 0 to {most}")
    return value
