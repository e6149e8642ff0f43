"""The parts of the document, each on its own: as JSON for people, as few bytes.

A part is named by its key, or by a path of keys such as `display.scroll`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from elec_meter.errors import ConfigError
from shared.wire.crc import crc_en13757

from .codec import config_from_json
from .coding import Reader, Writer, read_value, write_value
from .errors import ChangeCorruptError, ChangeInvalidError, ChangeTruncatedError
from .schema import MeterConfig
from .sentences import refusal, refusing
from .shape import Plain, Shape, Table, plain, table_of

_CHECK_BYTES: Final = 2


def part_names() -> tuple[str, ...]:
    """Those of the first level, in the order of the schema, which only grows at its end."""
    return tuple(field.name for field in table_of().fields)


def part_to_json(config: MeterConfig, name: str) -> str:
    """A part with all its defaults, in one line."""
    return msgspec.json.encode(_value(config, name), order="deterministic").decode()


def part_from_json(config: MeterConfig, name: str, text: str) -> MeterConfig:
    """The document with this part instead of its own.

    Raises:
        ConfigError: it is no JSON, or the document is refused; the sentence says where and why.
    """
    with refusing(name, "JSON", ConfigError):
        msgspec.json.decode(text)  # one value, and nothing behind it that could be another part
    parts = _replaced(config, name, msgspec.Raw(text.encode()))
    return config_from_json(msgspec.json.encode(parts))


def refuse_left_out(config: MeterConfig, name: str, text: str) -> None:
    """Refuse a part that says nothing of a key which is not as it is by default.

    What a document leaves out has its default, so a table that somebody wrote for one of its keys
    would lose all others: its display lists, its crystal's drift.

    Args:
        config: what is in force.
        name: the part.
        text: what `part_from_json` takes for it.

    Raises:
        ConfigError: a key is left out that would change by that.
    """
    given, before = msgspec.json.decode(text), _value(config, name)
    if not isinstance(given, dict) or not isinstance(before, dict):
        return
    after = _value(part_from_json(config, name, text), name)
    for key in before:
        if key not in given and after[key] != before[key]:
            raise ConfigError(
                f"{name}: the key {key!r} is left out, which would set it back to its default;"
                " a part is written whole"
            )


def part_to_octets(config: MeterConfig, name: str) -> bytes:
    """A part as it stands for itself in a change, and a check (docs/configuration.md)."""
    out = Writer()
    write_value(out, _shape(name), _value(config, name))
    return bytes(out) + _check(bytes(out))


def part_from_octets(config: MeterConfig, name: str, octets: bytes) -> MeterConfig:
    """The document with this part instead of its own.

    Raises:
        ChangeTruncatedError: its end is missing.
        ChangeCorruptError: it is damaged, or was no part.
        ChangeInvalidError: the document is refused.
    """
    value, check = octets[:-_CHECK_BYTES], octets[-_CHECK_BYTES:]
    if not value:
        raise ChangeTruncatedError("the part ends before it is complete")
    if check != _check(value):
        raise ChangeCorruptError("the part is damaged")
    source = Reader(value)
    part = read_value(source, _shape(name))
    if source.left:
        raise ChangeCorruptError("the part goes on after its end")
    try:
        return msgspec.convert(_replaced(config, name, part), MeterConfig)
    except msgspec.ValidationError as error:
        raise ChangeInvalidError(refusal("the changed document", error)) from None


def _shape(path: str) -> Shape:
    shape: Shape = table_of()
    for name in path.split("."):
        assert isinstance(shape, Table)
        shape = next(field.shape for field in shape.fields if field.name == name)
    return shape


def _value(config: MeterConfig, path: str) -> Plain:
    value = plain(config)
    for name in path.split("."):
        value = value[name]
    return value


def _replaced(config: MeterConfig, path: str, value: Plain) -> Plain:
    """The document as plain data, with something else at a path."""
    *outer, last = path.split(".")
    document = plain(config)
    table = document
    for name in outer:
        table = table[name]
    table[last] = value
    return document


def _check(octets: bytes) -> bytes:
    return crc_en13757(octets).to_bytes(_CHECK_BYTES, "big")
