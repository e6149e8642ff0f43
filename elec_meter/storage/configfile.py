"""The configuration document as a file."""

from __future__ import annotations

from pathlib import Path

from elec_meter.config import HostConfig, MeterConfig, file_from_toml
from elec_meter.errors import ConfigError


def read_config(path: Path | str) -> MeterConfig:
    """The meter's document of a TOML file; what the file says of the host is checked too.

    Raises:
        ConfigError: it cannot be read, or is refused; the sentence names file, path and reason.
    """
    return read_config_file(path)[0]


def read_config_file(path: Path | str) -> tuple[MeterConfig, HostConfig | None]:
    """As `read_config`, with the table `[host]` if there is one.

    Raises:
        ConfigError: as there.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # as some editors write it
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file in UTF-8") from None
    return file_from_toml(text, str(path))
