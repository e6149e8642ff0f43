"""Sealed frames, as they come out of a bearer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector import ReceivedFrame, UnitRecord
from collector.entries import TelegramKey
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.oms import seal_telegram
from shared.wire.telegram import PulseTelegram, encode_records
from shared.wire.wmbus import frame_a
from tests.collector.world import START_S

SERIAL = "00000001"
KEY = bytes(range(15, -1, -1))
START = datetime.fromtimestamp(START_S, UTC)


def at(seconds: float) -> datetime:
    """An instant of the test, in seconds from its start."""
    return START + timedelta(seconds=seconds)


def record(**changes: object) -> UnitRecord:
    """The pairing of the tests' unit."""
    fixed = {"serial": SERIAL, "channel": "gas", "paired_utc": START, "base_count": 0}
    return UnitRecord(**(fixed | changes))


def telegram(count: int, uptime_s: int = 1000, **fields: object) -> PulseTelegram:
    """A telegram that says little else."""
    return PulseTelegram(**({"count": count, "uptime_s": uptime_s, "reset_counter": 1} | fields))


def sealed(
    said: PulseTelegram, counter: int, *, serial: str = SERIAL, key: bytes = KEY, **address: object
) -> bytes:
    """A radio frame that says it."""
    records = encode_records(said)
    return frame_a(seal_telegram(AesBlock, key, serial, records, counter, counter & 255, **address))


def received(
    data: bytes, seconds: float, delay_max_s: int | None = 2, **changes: object
) -> ReceivedFrame:
    """A frame as a bearer hands it over."""
    return ReceivedFrame(data, at(seconds), "test", delay_max_s, **changes)


def heard(count: int, seconds: float, counter: int, **fields: object) -> ReceivedFrame:
    """A frame with this count, sent and received at once by a unit that booted 1000 s before."""
    said = telegram(count, **({"uptime_s": int(seconds) + 1000} | fields))
    return received(sealed(said, counter), seconds)


def key(counter: int, boot: int = 1) -> TelegramKey:
    """A telegram's key."""
    return TelegramKey(boot, counter)
