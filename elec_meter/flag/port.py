"""The meter as a tariff device on its FLAG lines: what the configuration says, checked once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from elec_meter.config import FlagConfig
from elec_meter.flag.conversation import ProgrammingDesk
from elec_meter.flag.identification import Identification
from elec_meter.flag.line import FlagLine
from elec_meter.flag.readout import Readout
from elec_meter.flag.session import FlagSession, Services, StreamFactory
from elec_meter.objects import Directory


class FlagPort:
    """Makes the sessions of a meter's FLAG lines.

    Args:
        config: identification and readout.
        directory: where the values of the readout are.
        serial: an address of every meter, beside the device address that it may have.
        durable: called before values are read; it returns once they survive a power cut.
        line: time-outs and the like, of lines for which nothing else is said; its level is the
            readout's.
        desk: where programming leads to; without one, or without any password, there is none.
        enhanced: makes the protocol of mode E; without it there is none.

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
        desk: ProgrammingDesk | None = None,
        enhanced: StreamFactory | None = None,
    ) -> None:
        identification = Identification(
            config.manufacturer, config.identification, (serial, config.device_address)
        )
        self._line = line or FlagLine()
        readout = Readout(directory, config.readout, durable, self._line.level)
        self._services = Services(identification, readout, durable, desk, enhanced)

    def session(self, now: datetime, line: FlagLine | None = None) -> FlagSession:
        """A line was opened at `now`."""
        return FlagSession(self._services, line or self._line, now)
