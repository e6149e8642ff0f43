"""The module `p1`: a Dutch meter's port for displays in homes, on TCP and on a serial device."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from elec_meter.addons.line import MeterLine
from elec_meter.addons.outlets import Outlet, SerialOutlet, TcpOutlet
from elec_meter.addons.p1_settings import P1Settings
from elec_meter.addons.p1_telegram import p1_telegram
from elec_meter.addons.readouts import Readouts
from elec_meter.addons.settings import Settings


async def run(line: MeterLine, settings: Settings) -> None:
    """Send telegrams for ever.

    Settings: `listen` (HOST:PORT), `serial` (a device), `interval_s` (1 to 60), `zone`.

    Raises:
        AddonError: a setting is wrong, or the line or the outlet fails.
    """
    told = P1Settings.of(settings)
    async with AsyncExitStack() as stack:
        outlets: list[Outlet] = []
        if told.listen is not None:
            outlets.append(await TcpOutlet.start(told.listen))
        if told.serial:
            outlets.append(await SerialOutlet.start(told.serial))
        for outlet in outlets:
            stack.push_async_callback(outlet.close)
        serves = f"listens on {' and '.join(outlet.name for outlet in outlets)}"
        line.say(serves)
        # A display notices that telegrams stay away; none says that nothing is known.
        source = Readouts(line, "sends no telegrams", serves)
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            readings = await source.next()
            if readings is not None:
                telegram = p1_telegram(readings, told.zone)
                for outlet in outlets:
                    outlet.send(telegram)
            # Where the meter answers slowly a telegram comes late; none follows at its heels.
            due_s = max(due_s + told.interval_s, loop.time() + told.interval_s / 2)
            await asyncio.sleep(due_s - loop.time())
