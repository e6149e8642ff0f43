"""What every part of the configuration document is made of: forms of text, and the base class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.errors import ObisError
from shared.obis import Obis

MANUFACTURER_FORM: Final = r"[A-Z]{2}[A-Za-z]"
PRODUCT_FORM: Final = r"[ \"-.0-\[\]-~]{1,14}"


def whole(form: str) -> str:
    """The pattern of a text that has this form; a bare `$` would allow a line's end after it."""
    return rf"^{form}$(?!\n)"


DIGITS_8: Final = whole("[0-9]{8}")
MINUTE: Final = whole("([01][0-9]|2[0-3]):[0-5][0-9]")
NAME: Final = whole("[a-z][a-z0-9_]{0,15}")
ASCII: Final = whole("[ -~]*")
LETTERS_3: Final = whole(MANUFACTURER_FORM)
PRODUCT: Final = whole(PRODUCT_FORM)
ADDRESS: Final = whole("[0-9A-Za-z ]{0,32}")
HOST_NAME: Final = whole("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

FORMS: Final = {
    DIGITS_8: "eight digits",
    MINUTE: "a time from 00:00 to 23:59",
    NAME: "up to 16 small letters, digits and underscores",
    ASCII: "printable ASCII",
    LETTERS_3: "three letters, of which the third may be small",
    PRODUCT: "up to 14 characters without '/', '!' and '\\'",
    ADDRESS: "up to 32 digits, letters and spaces",
    HOST_NAME: "a host name of small letters, digits, dots and hyphens",
}
"""What a text must match, in words."""

TimeBase = Literal["utc", "local"]
"""Whether times of day are UTC or British local time."""

Serial = Annotated[str, Meta(pattern=DIGITS_8, description="Eight digits.")]
ObisText = Annotated[str, Meta(description="An OBIS code such as 1-0:1.8.0.", max_length=24)]
DeviceId = Annotated[str, Meta(pattern=ASCII, max_length=32)]
Printable = Annotated[str, Meta(pattern=ASCII)]
MinuteText = Annotated[str, Meta(pattern=MINUTE, description="HH:MM")]
Name = Annotated[str, Meta(pattern=NAME)]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part of the document: immutable, named fields, no unknown ones."""


def minute_of(text: str) -> int:
    """Minutes since midnight of `HH:MM`."""
    return int(text[:2]) * 60 + int(text[3:])


def require_obis(text: str) -> None:
    """Refuse what is no OBIS code."""
    try:
        Obis.parse(text)
    except ObisError as error:
        raise ValueError(str(error)) from None


def refuse_repeated(what: str, values: Sequence[str]) -> None:
    """Refuse a list in which something stands twice."""
    repeated = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if repeated is not None:
        raise ValueError(f"the {what} {repeated} occurs twice")
