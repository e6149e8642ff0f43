"""A fixed meter, read out as a module reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from elec_meter.access import Level
from elec_meter.addons.asking import ReadoutAsker
from elec_meter.addons.readings import Readings
from elec_meter.config import AddonConfig, addon_readout
from elec_meter.flag import FlagLine, FlagPort, FlagSession
from tests.elec_meter.objects.fixed_meter import FixedMeter

P1 = AddonConfig(name="p1", module="p1")


def module_session(
    meter: FixedMeter,
    addon: AddonConfig = P1,
    *,
    now: datetime | None = None,
    durable: Callable[[], None] = lambda: None,
) -> FlagSession:
    """The meter's side of a module's line."""
    flag = msgspec.structs.replace(meter.config.flag, readout=addon_readout(meter.config, addon))
    port = FlagPort(
        flag,
        meter.directory,
        serial=meter.config.serial,
        durable=durable,
        line=FlagLine(level=Level.READER),
    )
    return port.session(now or meter.now)


def read_out(meter: FixedMeter, at: datetime | None = None) -> Readings:
    """A readout, byte by byte in both directions."""
    meter.now = at or meter.now
    session, asker = module_session(meter), ReadoutAsker()
    to_meter = asker.ask()
    while True:
        to_module = session.receive_data(to_meter, meter.now)
        assert to_module, "the meter has nothing more to say"
        to_meter = b""
        for byte in to_module:
            reply, readings = asker.receive_data(bytes((byte,)))
            to_meter += reply
            if readings is not None:
                return readings
