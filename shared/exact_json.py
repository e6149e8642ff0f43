"""JSON with exact numbers: the standard library has no way to write a `Decimal` as a number."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any


def exact_json(value: Any, *, indent: int | None = None) -> str:
    """The JSON text of a value, in one line unless it is indented by so many blanks a level.

    Args:
        value: dicts, lists, tuples, text, numbers, booleans, None, and dates and instants, which
            are written in ISO 8601, those of UTC with a Z. A `Decimal` keeps all its digits and
            has no exponent.
        indent: blanks for each level.

    Raises:
        TypeError: there is something else in it.
        ValueError: there is a number in it that JSON has not, such as infinity.
    """
    return _text(value, indent, 0)


def _text(value: Any, indent: int | None, depth: int) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number of JSON")
        return format(value, "f")
    if isinstance(value, date):
        return f'"{value.isoformat().removesuffix("+00:00")}{_zone(value)}"'
    if isinstance(value, dict):
        items = [f"{_name(name)}: {_text(each, indent, depth + 1)}" for name, each in value.items()]
        return _enclosed("{", items, "}", indent, depth)
    if isinstance(value, list | tuple):
        return _enclosed(
            "[", [_text(each, indent, depth + 1) for each in value], "]", indent, depth
        )
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _zone(value: date) -> str:
    is_utc = isinstance(value, datetime) and value.utcoffset() == timedelta()
    return "Z" if is_utc else ""


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name in JSON")
    return json.dumps(name, ensure_ascii=False)


def _enclosed(opening: str, items: list[str], closing: str, indent: int | None, depth: int) -> str:
    if indent is None or not items:
        return f"{opening}{', '.join(items)}{closing}"
    pad = "\n" + " " * indent * (depth + 1)
    return f"{opening}{pad}{f',{pad}'.join(items)}{pad[:-indent] if indent else pad}{closing}"
