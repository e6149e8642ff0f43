"""Whether the ports of a table `[host]` could open, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from elec_meter.config import HostConfig
from elec_meter.errors import ConfigError, MeterError
from elec_meter.panel import PanelMissingError, require_installed
from elec_meter.ports import CertificateError, SerialDevice, check_tls, lapse_of

from .dlms import require_line
from .panel import require_closed_as_told


def check_host(config: HostConfig, folder: Path) -> list[str]:
    """Refuse ports that would fail at every start, by the rules of the start.

    Args:
        config: the table, which may be that of another computer.
        folder: where its file is: paths begin there.

    Returns:
        What could not be looked at here: path and reason each.

    Raises:
        ConfigError: with the path and the reason.
    """
    require_line(config)
    notes = []
    if config.flag is not None and config.flag.optical is not None:
        with _at("host.flag.optical"):
            SerialDevice.parse(config.flag.optical)
    if config.panel is not None:
        with _at("host.panel"):
            require_closed_as_told(config.panel)
        try:
            require_installed()
        except PanelMissingError as error:
            notes.append(f"host.panel: {error}")
    for name, certificate, key in _certificates(config, folder):
        with _at(f"host.{name}"):
            found = check_tls(certificate, key)
        notes += [f"host.{name}: {note}" for note in found]
    return notes


def lapses(config: HostConfig, folder: Path, now: datetime) -> list[str]:
    """What is to be said of certificates whose time is not now: the start opens their ports.

    Args:
        config: as `check_host` took it.
        folder: likewise.
        now: the host's UTC.
    """
    found = []
    for name, certificate, _ in _certificates(config, folder):
        with suppress(CertificateError):  # it is another computer's
            lapse = lapse_of(certificate, now)
            found += [] if lapse is None else [f"host.{name}: {lapse}"]
    return found


def _certificates(config: HostConfig, folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """The ports that are encrypted, each with its certificate and key."""
    for name in ("flag", "dlms", "panel"):
        table = getattr(config, name)
        if table is not None and table.certificate is not None:
            yield name, folder / table.certificate, folder / table.key


@contextmanager
def _at(path: str) -> Iterator[None]:
    try:
        yield
    except MeterError as error:
        raise ConfigError(f"{path}: {error}") from None
