"""The configuration document as text: TOML for people, JSON for the database."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from elec_meter.errors import ConfigError

from .schema import MeterConfig
from .sentences import refusing
from .shape import Plain, plain, table_of, without_defaults

MAX_TEXT: Final = 1_000_000
"""Characters, or bytes, of a document as text: several times what the largest one has."""

_LONGEST_NUMBER: Final = 40
_KEY_PARTS: Final = 64


def config_from_toml(text: str, source: str = "configuration") -> MeterConfig:
    """Read a TOML document.

    Args:
        text: the document.
        source: what to call it in a refusal, such as the file's name.

    Raises:
        ConfigError: no TOML, or not a meter; the sentence names the path and the reason.
    """
    _refuse_long(source, text)
    _refuse_deep_keys(source, text)
    with refusing(source, "TOML", ConfigError):
        return msgspec.convert(tomllib.loads(text, parse_float=_decimal), MeterConfig)


def _refuse_deep_keys(source: str, text: str) -> None:
    """Refuse a key of very many parts before it is read: that takes the square of their number."""
    for line in text.splitlines():
        key = line.partition("=")[0]
        if key.count(".") > _KEY_PARTS and not key.lstrip().startswith("#"):
            raise ConfigError(f"{source} is nested too deeply")


def config_to_toml(config: MeterConfig, *, defaults: bool = False) -> str:
    """The document as TOML that reads back as an equal value.

    Args:
        config: the document.
        defaults: whether keys stand there that have their default value.
    """
    import tomli_w

    value = plain(config)
    return tomli_w.dumps(_for_toml(value if defaults else without_defaults(table_of(), value)))


def config_from_json(document: bytes | str, source: str = "configuration") -> MeterConfig:
    """Read what `config_to_json` wrote; errors as for `config_from_toml`."""
    _refuse_long(source, document)
    with refusing(source, "JSON", ConfigError):
        return msgspec.json.decode(document, type=MeterConfig)


def config_to_json(config: MeterConfig) -> bytes:
    """The whole document, defaults included, in one line that reads back as an equal value."""
    return msgspec.json.encode(config, order="deterministic")


def config_json_schema() -> dict[str, Any]:
    """The document's JSON schema (2020-12)."""
    return msgspec.json.schema(MeterConfig)


def _refuse_long(source: str, text: bytes | str) -> None:
    if len(text) > MAX_TEXT:
        raise ConfigError(f"{source} is longer than {MAX_TEXT} characters")


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("more digits than any number of a document has")
    return Decimal(text)


def _for_toml(value: Plain) -> Plain:
    """TOML has no None, and an instant is best read in UTC."""
    match value:
        case dict():
            return {name: _for_toml(each) for name, each in value.items() if each is not None}
        case list():
            return [_for_toml(each) for each in value]
        case datetime():
            return value.astimezone(UTC)
    return value
