"""A FLAG port over a fixed meter, and ways to feed its sessions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from elec_meter.config import FlagConfig
from elec_meter.flag import FlagLine, FlagPort, FlagSession, ProgrammingDesk
from elec_meter.objects import UnitReport
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

READOUT = (
    "0.0.0",
    "0.9.1",
    "0.9.2",
    "1-0:1.8.0",
    "1.8.1",
    "1.8.2",
    "2.8.0",
    "0-1:24.2.1",
    "0-1:96.1.0",
    "F.F",
)
SIGN_ON = b"/?!\r\n"
IDENTIFICATION = b"/HHY6\\2HALFHOURLY\r\n"
SELECT_READOUT = b"\x06060\r\n"
BREAK = b"\x01B0\x03q"
NOW = datetime.fromisoformat("2012-10-28T00:40:07+00:00")


def busy_meter() -> FixedMeter:
    """Energy at both rates, gas, a unit that was heard."""
    meter = FixedMeter()
    meter.book("import", 123_456)
    meter.book("import", 7, START + timedelta(hours=1))
    meter.book("export", 12)
    meter.pulses.received = 1234
    meter.reports["00000001"] = UnitReport(START + timedelta(minutes=37, seconds=30), 3650)
    return meter


def config(meter: FixedMeter, **changes: object) -> FlagConfig:
    """The fixed meter's FLAG configuration with this readout, and what else a test changes."""
    return msgspec.structs.replace(meter.config.flag, **{"readout": READOUT, **changes})


def flag_port(
    meter: FixedMeter | None = None,
    durable: Callable[[], None] = lambda: None,
    line: FlagLine | None = None,
    desk: ProgrammingDesk | None = None,
    **changes: object,
) -> FlagPort:
    """A port over a fixed meter."""
    meter = meter or FixedMeter()
    return FlagPort(
        config(meter, **changes),
        meter.directory,
        serial=meter.config.serial,
        durable=durable,
        line=line,
        desk=desk,
    )


def new_session(**changes: object) -> FlagSession:
    """A line that was just opened."""
    return flag_port(**changes).session(NOW)


def later(milliseconds: float) -> datetime:
    """An instant after `NOW`."""
    return NOW + timedelta(milliseconds=milliseconds)


def cuts(data: bytes, seed: int) -> Iterator[bytes]:
    """The bytes in pieces of random length, empty ones among them."""
    chance = random.Random(seed)
    start = 0
    while start < len(data):
        end = start + chance.randrange(0, 7)
        yield data[start:end]
        start = end


def fed(session: FlagSession, data: bytes, now: datetime = NOW) -> bytes:
    """Whole."""
    return session.receive_data(data, now)


def fed_bytewise(session: FlagSession, data: bytes, now: datetime = NOW) -> bytes:
    """Byte by byte."""
    return b"".join(session.receive_data(bytes((byte,)), now) for byte in data)


def fed_at_cuts(session: FlagSession, data: bytes, seed: int, now: datetime = NOW) -> bytes:
    """In random pieces."""
    return b"".join(session.receive_data(piece, now) for piece in cuts(data, seed))
