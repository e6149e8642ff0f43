"""The schema as data, for all that walks over a document: texts, differences, compact coding.

A document as plain data is made of dicts (a table, by its names in TOML), lists, texts, whole
numbers, decimals, instants, true, false and None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from .base import DIGITS_8, MINUTE, ObisText, Serial
from .schema import DataChannelConfig, GasUnitConfig, MeterConfig
from .slot import AddonConfig, AddonSetting
from .switchgear import TerminalConfig
from .tariff import DayConfig, SeasonConfig, SpecialDayConfig, WeekConfig

Plain = Any
"""A part of a document as plain data."""


class Kind(Enum):
    """What a single value is; it decides how the value is coded."""

    TRUTH = "true or false"
    COUNT = "whole number from 0"
    NUMBER = "whole number"
    DECIMAL = "decimal number"
    CHOICE = "choice"
    MINUTE = "time of day"
    SERIAL = "eight digits"
    OBIS = "OBIS code"
    TEXT = "text"
    INSTANT = "whole minute of UTC"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `choices` are those of a choice, in the order of the schema."""

    kind: Kind
    choices: tuple[Plain, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of any length."""

    element: Shape


@dataclass(frozen=True, slots=True)
class Maybe:
    """Something or None."""

    inner: Shape


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a table.

    Attributes:
        number: its place in the schema's order, from 0: later versions only append.
        name: as in TOML.
        shape: what its value is.
        required: whether it has no default.
        default: plain data; None for a required field.
    """

    number: int
    name: str
    shape: Shape
    required: bool
    default: Plain


@dataclass(frozen=True, slots=True)
class Table:
    """A table with named fields.

    Attributes:
        name: of the class that describes it.
        fields: in the schema's order.
        key: the field that tells an element of a list from the others, if there is one.
    """

    name: str
    fields: tuple[Field, ...]
    key: str | None


Shape = Scalar | Rows | Maybe | Table

_KEYS: Final[dict[type, str]] = {
    GasUnitConfig: "serial",
    DataChannelConfig: "name",
    DayConfig: "name",
    WeekConfig: "name",
    SeasonConfig: "start",
    SpecialDayConfig: "date",
    TerminalConfig: "number",
    AddonConfig: "name",
    AddonSetting: "name",
}
_SIMPLE: Final[dict[Any, Kind]] = {
    bool: Kind.TRUTH,
    int: Kind.NUMBER,
    str: Kind.TEXT,
    Decimal: Kind.DECIMAL,
    datetime: Kind.INSTANT,
}


def plain(value: object) -> Plain:
    """A document, or a part of one, as plain data with all its defaults."""
    return _with_lists(msgspec.to_builtins(value, builtin_types=(Decimal, datetime)))


def without_defaults(shape: Shape, value: Plain) -> Plain:
    """The same without the keys that have their default value."""
    match shape:
        case Table(fields=fields):
            return {
                field.name: without_defaults(field.shape, value[field.name])
                for field in fields
                if field.required or value[field.name] != field.default
            }
        case Rows(element=element):
            return [without_defaults(element, each) for each in value]
        case Maybe(inner=inner) if value is not None:
            return without_defaults(inner, value)
    return value


@cache
def table_of(kind: type[msgspec.Struct] = MeterConfig) -> Table:
    """The table that a class of the schema describes; without one, the whole document."""
    fields = tuple(
        Field(
            number,
            field.encode_name,
            _shape(field.type),
            field.required,
            plain(_default(field)),
        )
        for number, field in enumerate(msgspec.structs.fields(kind))
    )
    return Table(kind.__name__, fields, _KEYS.get(kind))


def shape_at(path: str, whole: type[msgspec.Struct] = MeterConfig) -> Shape | None:
    """What stands at a path such as `tariff.import.switches[0].at`; None if there is nothing."""
    shape: Shape = table_of(whole)
    for part in path.replace("[", ".[").split("."):
        if isinstance(shape, Maybe):
            shape = shape.inner
        if part.startswith("[") and isinstance(shape, Rows):
            shape = shape.element
            continue
        fields = shape.fields if isinstance(shape, Table) else ()
        found = next((field for field in fields if field.name == part), None)
        if found is None:
            return None
        shape = found.shape
    return shape


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.required:
        return None
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _shape(kind: Any) -> Shape:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in (Serial, ObisText):
        return Scalar(Kind.SERIAL if kind == Serial else Kind.OBIS)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is Literal:
        return Scalar(Kind.CHOICE, arguments)
    if origin in (UnionType, Union):
        (inner,) = (each for each in arguments if each is not NoneType)
        return Maybe(_shape(inner))
    if origin is tuple:
        return Rows(_shape(arguments[0]))
    if kind in _SIMPLE:
        return Scalar(_SIMPLE[kind])
    return table_of(kind)


def _annotated(kind: Any, metadata: tuple[Any, ...]) -> Shape:
    patterns = [each.pattern for each in metadata]
    if DIGITS_8 in patterns:
        return Scalar(Kind.SERIAL)
    if MINUTE in patterns:
        return Scalar(Kind.MINUTE)
    if kind is int and any(each.ge is not None and each.ge >= 0 for each in metadata):
        return Scalar(Kind.COUNT)
    return _shape(kind)


def _with_lists(value: Plain) -> Plain:
    if isinstance(value, dict):
        return {name: _with_lists(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_lists(each) for each in value]
    return value
