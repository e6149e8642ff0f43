"""The meter as a tariff device on its FLAG lines: what the configuration says, checked once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from elec_meter.config import FlagConfig
from elec_meter.flag.identification import Identification
from elec_meter.flag.readout import Readout
from elec_meter.flag.session import FlagLine, FlagSession
from elec_meter.objects import Directory


class FlagPort:
    """Makes the sessions of a meter's FLAG lines.

    Args:
        config: identification and readout.
        directory: where the values are.
        serial: the device address where the configuration gives none.
        durable: called before values are read; it returns once they survive a power cut.
        line: time-outs and the like.

    Raises:
        ConfigError: the readout names what cannot be read out.
    """

    def __init__(
        self,
        config: FlagConfig,
        directory: Directory,
        *,
        serial: str,
        durable: Callable[[], None],
        line: FlagLine | None = None,
    ) -> None:
        self._identification = Identification(
            config.manufacturer, config.identification, config.device_address or serial
        )
        self._readout = Readout(directory, config.readout, durable)
        self._line = line or FlagLine()

    def session(self, now: datetime) -> FlagSession:
        """A line was opened at `now`."""
        return FlagSession(self._identification, self._readout, self._line, now)
