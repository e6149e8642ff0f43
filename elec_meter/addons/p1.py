"""The module `p1`: a Dutch meter's port for displays in homes, on TCP and on a serial device."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from elec_meter.addons.errors import SettingError
from elec_meter.addons.line import MeterLine
from elec_meter.addons.outlets import Outlet, SerialOutlet, TcpOutlet
from elec_meter.addons.p1_telegram import p1_telegram
from elec_meter.addons.settings import Settings

INTERVAL_S: Final = 1
"""As DSMR 5 has it; readers of DSMR 4 expect ten."""

ZONE: Final = "Europe/Amsterdam"
"""Readers take a telegram's times for those of Amsterdam, whatever the house's are."""


async def run(line: MeterLine, settings: Settings) -> None:
    """Send telegrams for ever.

    Settings: `listen` (HOST:PORT), `serial` (a device), `interval_s` (1 to 60), `zone`.

    Raises:
        AddonError: a setting is wrong, or the line or the outlet fails.
    """
    address, device = settings.address("listen"), settings.text("serial")
    interval_s = settings.number("interval_s", INTERVAL_S, 1, 60)
    zone = settings.zone("zone", ZONE)
    settings.require_no_more()
    async with AsyncExitStack() as stack:
        outlets: list[Outlet] = []
        if address is not None:
            outlets.append(await TcpOutlet.start(address))
        if device:
            outlets.append(await SerialOutlet.start(device))
        if not outlets:
            raise SettingError("p1 needs the setting listen or serial")
        for outlet in outlets:
            stack.push_async_callback(outlet.close)
        line.say(f"listens on {' and '.join(outlet.name for outlet in outlets)}")
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            telegram = p1_telegram(await line.readout(), zone)
            for outlet in outlets:
                outlet.send(telegram)
            # Where the meter answers slowly a telegram comes late; none follows at its heels.
            due_s = max(due_s + interval_s, loop.time() + interval_s / 2)
            await asyncio.sleep(due_s - loop.time())
