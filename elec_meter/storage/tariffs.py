"""The reference tariffs that are shipped as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from elec_meter import config
from elec_meter.config import TariffConfig, config_from_toml
from elec_meter.errors import ConfigError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SUFFIX: Final = ".toml"


def reference_tariff_names() -> tuple[str, ...]:
    """What there is, in order, such as `economy-7-local`."""
    return tuple(sorted(_files()))


def read_reference_tariff(name: str) -> TariffConfig:
    """A reference tariff: its file is a configuration document with nothing but the tariff.

    Raises:
        ConfigError: there is no tariff of that name.
    """
    files = _files()
    if name not in files:
        known = ", ".join(sorted(files))
        raise ConfigError(f"there is no reference tariff {name[:40]!r}, but {known}")
    return config_from_toml(files[name].read_text(encoding="utf-8"), f"{name}{_SUFFIX}").tariff


def _files() -> dict[str, Traversable]:
    from importlib.resources import files  # slow to import, and few commands need it

    return {
        file.name.removesuffix(_SUFFIX): file
        for file in (files(config) / "tariffs").iterdir()
        if file.name.endswith(_SUFFIX)
    }
