"""The configuration document as a file."""

from __future__ import annotations

from pathlib import Path

from elec_meter.config import MeterConfig, config_from_toml
from elec_meter.errors import ConfigError


def read_config(path: Path | str) -> MeterConfig:
    """Read a TOML file.

    Raises:
        ConfigError: it cannot be read, or is refused; the sentence names file, path and reason.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file in UTF-8") from None
    return config_from_toml(text, str(path))
