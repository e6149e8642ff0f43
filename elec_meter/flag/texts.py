"""Values as FLAG lines have them, and back: numbers, times, binary, JSON."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, date, datetime, time
from typing import Final

from elec_meter.flag.command import VALUE_LIMIT
from elec_meter.flag.refusals import BadValueError
from elec_meter.flag.rows import is_rows, rows_of
from elec_meter.objects import Form, Given, Scalar

_ILLEGAL: Final = re.compile(r"[^ -~]|[()*/!]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)
_TIME: Final = re.compile(r"\d\d-?\d\d-?\d\d ?\d\d:?\d\d(?::?\d\d)?", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def text_of(value: Scalar, limit: int) -> str:
    """Times and dates as head ends expect them, everything else in the characters allowed.

    What is true is 1; a character that is not allowed is `_`.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return f"{value:%y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%y-%m-%d}"
    if isinstance(value, time):
        return f"{value:%H:%M:%S}"
    return _ILLEGAL.sub("_", str(value))[:limit]


def instant_of(text: str) -> datetime:
    """A time in UTC: `26-04-01 12:00:00` or its digits alone; the seconds may be missing.

    Raises:
        BadValueError: it is none.
    """
    digits = re.sub(r"[-: ]", "", text)
    try:
        if _TIME.fullmatch(text) is None:
            raise ValueError
        return datetime.strptime(digits.ljust(12, "0"), "%y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadValueError(f"{text[:20]!r} is no time such as 26-04-01 12:00:00") from None


def binary_text(octets: bytes) -> str:
    """Octets as base64url without padding, which is legal in a value."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def octets_of(text: str, *, is_compact: bool) -> bytes:
    """Octets of base64url (types 5 and 6) or of hexadecimal (1 and 3).

    Raises:
        BadValueError: it is none.
    """
    try:
        if not is_compact:
            return bytes.fromhex(text)
        if _BASE64.fullmatch(text) is None:
            raise ValueError
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        form = "base64url" if is_compact else "hexadecimal"
        raise BadValueError(f"the value is not {form}") from None


def json_text(text: str) -> str:
    """JSON in the characters allowed: what is not stands in texts, where it can be escaped."""
    return _ILLEGAL.sub(lambda match: _escaped(match[0]), text)


def cut_to_values(text: str) -> list[str]:
    """A long text as values of legal length; an empty one is one empty value."""
    return [text[at : at + VALUE_LIMIT] for at in range(0, len(text), VALUE_LIMIT)] or [""]


def given_of(form: Form, text: str, *, is_compact: bool) -> Given:
    """What an entry takes, from a value.

    Raises:
        BadValueError: it is not of that form.
    """
    if is_rows(form):
        return rows_of(form, octets_of(text, is_compact=True) if is_compact else text)
    match form:
        case Form.TIME:
            return instant_of(text)
        case Form.MOMENT:
            return instant_of(text) if text else None
        case Form.NUMBER:
            if _NUMBER.fullmatch(text) is None:
                raise BadValueError(f"{text[:20]!r} is no whole number")
            return int(text)
        case Form.TEXT | Form.PARTS:
            return text
        case Form.DOCUMENT if not is_compact:
            return text
        case _:
            return octets_of(text, is_compact=is_compact)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
