"""The configuration document as text: TOML for people, JSON for the database."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any, Final

import msgspec

from elec_meter.errors import ConfigError

from .base import FORMS
from .schema import MeterConfig

_PLAIN_WORDS: Final = {
    "Object contains unknown field": "there is no key",
    "Object missing required field": "there must be a key",
    "Expected": "expected",
    "'object'": "a table",
    "'array'": "a list",
    "'str'": "a text",
    "'int'": "a whole number",
    "'float'": "a decimal number",
    "'bool'": "true or false",
}


def config_from_toml(text: str, source: str = "configuration") -> MeterConfig:
    """Read a TOML document.

    Args:
        text: the document.
        source: what to call it in a refusal, such as the file's name.

    Raises:
        ConfigError: no TOML, or not a meter; the sentence names the path and the reason.
    """
    try:
        return msgspec.convert(tomllib.loads(text, parse_float=Decimal), MeterConfig)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(source, error)) from None


def config_from_json(document: bytes | str, source: str = "configuration") -> MeterConfig:
    """Read what `config_to_json` wrote; errors as for `config_from_toml`."""
    try:
        return msgspec.json.decode(document, type=MeterConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(source, error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} is not JSON: {error}") from None


def config_to_json(config: MeterConfig) -> bytes:
    """The whole document, defaults included, in one line that reads back as an equal value."""
    return msgspec.json.encode(config, order="deterministic")


def config_json_schema() -> dict[str, Any]:
    """The document's JSON schema (2020-12)."""
    return msgspec.json.schema(MeterConfig)


def _sentence(source: str, error: msgspec.ValidationError) -> str:
    reason, _, path = str(error).partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    return ": ".join(part for part in (source, where, _plain(reason)) if part)


def _plain(reason: str) -> str:
    for pattern, form in FORMS.items():
        if reason.endswith(repr(pattern)):
            return f"this must be {form}"
    reason = reason.replace("`", "'")
    for technical, plain in _PLAIN_WORDS.items():
        reason = reason.replace(technical, plain)
    return reason
