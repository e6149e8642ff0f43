"""Classes 19, 23 and 41: how the meter's lines are set up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from msgspec.structs import replace

from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import FlagConfig
from elec_meter.dlms import HdlcLine
from elec_meter.flag import FlagLine
from elec_meter.flag.line import SPEEDS_BPS, FlagTiming
from elec_meter.objects.catalogue import directory_of
from elec_meter.runtime import Runtime

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def values(config: MeterConfig, code: str) -> list[object]:
    """Attributes 2 and on."""
    found = directory_of(config)[code]
    return [found[number] for number in found.attributes[1:]]


def test_the_optical_port_is_as_the_flag_port_has_it() -> None:
    """Speeds, reaction time and device address; there is no password to be read."""
    config = MeterConfig(serial="20481337")
    mode, opening, fastest, response, address, *passwords = values(config, "0-0:20.0.0")
    assert (0, 1, "20481337") == (mode, response, address)
    assert (300, 19_200) == (SPEEDS_BPS[str(opening)], SPEEDS_BPS[str(fastest)])
    assert ["", "", ""] == passwords
    quick = replace(config, flag=FlagConfig(manufacturer="HHy", device_address="A1"))
    assert [0, "A1"] == values(quick, "0-0:20.0.0")[3:5]


def test_hdlc_is_set_up_as_it_is_spoken() -> None:
    """Windows, fields and time-outs of every line that says nothing else."""
    line, ours = HdlcLine(), HdlcLine().parameters
    _, sent, received, *lengths, octet_ms, inactivity_s, _ = values(MeterConfig(), "0-0:22.0.0")
    assert (ours.window_sent, ours.window_received) == (sent, received)
    assert [ours.length_sent, ours.length_received] == lengths
    assert (line.octet_ms, line.inactivity_ms) == (octet_ms, 1_000 * inactivity_s)
    assert FlagTiming().inactivity_ms == FlagLine().timing.inactivity_ms == 1_000 * inactivity_s


def test_the_tcp_port_is_the_one_that_listens() -> None:
    """None before, whatever the computer was told to take."""
    meter = Meter(MeterConfig(), Storage.in_memory(), NOON)
    assert meter.objects["0-0:25.0.0"].value is None

    async def run() -> int:
        async with Runtime(meter, lambda: NOON, dlms=("127.0.0.1", 0)) as runtime:
            return int(runtime.ports["DLMS"].rpartition(":")[2])

    assert asyncio.run(run()) == meter.objects["0-0:25.0.0"].value
