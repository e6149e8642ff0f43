"""The configuration document as text: TOML for people, JSON for the database."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from elec_meter.errors import ConfigError

from .host import ConfigFile, HostConfig
from .schema import MeterConfig
from .sentences import refusing
from .shape import Plain, plain, table_of, without_defaults

MAX_TEXT: Final = 1_000_000
"""Characters, or bytes, of a document as text: several times what the largest one has."""

HOST: Final = "host"
"""The table of a file that is no part of the meter's document."""

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


def file_from_toml(
    text: str, source: str = "configuration"
) -> tuple[MeterConfig, HostConfig | None]:
    """Read a TOML file: the meter's document, and beside it perhaps the table `[host]`.

    Raises:
        ConfigError: as for `config_from_toml`; so for what the table says.
    """
    _refuse_long(source, text)
    _refuse_deep_keys(source, text)
    with refusing(source, "TOML", ConfigError):
        tables = tomllib.loads(text, parse_float=_decimal)
        has_host, host = HOST in tables, {HOST: tables.pop(HOST, None)}
        config = msgspec.convert(tables, MeterConfig)
    if not has_host:
        return config, None
    with refusing(source, "TOML", ConfigError, ConfigFile):
        return config, msgspec.convert(host, ConfigFile).host


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
    """Read what `config_to_json` wrote; errors as for `config_from_toml`, and no key twice."""
    _refuse_long(source, document)
    with refusing(source, "JSON", ConfigError):
        config = msgspec.json.decode(document, type=MeterConfig)
    twice: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        twice.extend(name for name in names if names.count(name) > 1)

    json.loads(document, object_pairs_hook=note, parse_int=str, parse_float=str)
    if twice:
        raise ConfigError(f"{source}: the key {twice[0]!r} occurs twice")
    return config


def config_to_json(config: MeterConfig) -> bytes:
    """The whole document, defaults included, in one line that reads back as an equal value."""
    return msgspec.json.encode(config, order="deterministic")


def config_json_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a file: the document's, and `[host]` beside it."""
    schema = msgspec.json.schema(MeterConfig)
    (host,), shapes = msgspec.json.schema_components([HostConfig], ref_template="#/$defs/{name}")
    schema["$defs"] |= shapes
    schema["$defs"][MeterConfig.__name__]["properties"][HOST] = host
    return schema


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
