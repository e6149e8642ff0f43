"""Telegrams a second: verified at the gate, and plain ones beside pyMeterBus, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import meterbus

from collector import (
    CountReceived,
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    ReceivedFrame,
    TelegramReceived,
    UnitRecord,
)
from collector.decode import decode_telegram
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.address import secondary_address
from shared.wire.advert import advert_key, count_objects, seal_advert
from shared.wire.mbus import encode_frame, response
from shared.wire.seal import seal_telegram
from shared.wire.telegram import PulseTelegram, encode_records
from shared.wire.wmbus import frame_a

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
KEY: Final = bytes(range(16))
SERIAL: Final = "00000001"
ADDRESS: Final = bytes.fromhex("C0FFEE123456")
COUNT: Final = 4_000
ROUNDS: Final = 200
BEST_OF: Final = 5
METERS: Final = Path(__file__).parents[1] / "tests" / "shared" / "wire" / "wired_frames.txt"

SAID: Final = PulseTelegram(
    count=4_321,
    uptime_s=900_000,
    volume_l=43_210,
    last_pulse_age_s=17,
    battery_left_d=7_000,
    reset_counter=3,
    grid_count=4_300,
    grid_age_s=600,
    increments=tuple(hour % 7 for hour in range(96)),
)
"""What a unit says in its longest telegram: two days of half-hours."""


def rows() -> list[dict[str, Any]]:
    """Telegrams and adverts through the gate; plain telegrams decoded by us and by pyMeterBus."""
    name = "telegrams of two days in mode 7, verified and decoded"
    found = [_row(name, _received(_sealed(), TelegramReceived), "aim: 5,000 on one core")]
    found.append(_row("adverts with a count, verified", _received(_adverts(), CountReceived)))
    unit = encode_frame(
        response(1, secondary_address(SERIAL, "HHY", 1, 3), 1, 0, encode_records(SAID))
    )
    plain = {
        "a unit's plain telegram of two days": [unit],
        "plain telegrams of real meters": list(_real_meters()),
    }
    for what, telegrams in plain.items():
        ours = _plain(decode_telegram, telegrams)
        theirs = _plain(lambda data: meterbus.load(data).to_JSON(), telegrams)
        beside = f"{ours / theirs:.1f} x pyMeterBus"
        if what.startswith("a unit"):
            beside += ", which leaves the half-hours packed"
        found.append(_row(f"{what}, decoded", ours, beside))
        found.append(_row(f"{what}, pyMeterBus", theirs))
    return found


def _sealed() -> list[ReceivedFrame]:
    records = encode_records(SAID)
    return [
        _frame(frame_a(seal_telegram(AesBlock, KEY, SERIAL, records, counter, counter & 0xFF)))
        for counter in range(COUNT)
    ]


def _adverts() -> list[ReceivedFrame]:
    key = advert_key(AesBlock, KEY, ADDRESS)
    return [
        _frame(
            seal_advert(AesBlock, key, ADDRESS, count_objects(counter, 4_321, 17), counter),
            ADDRESS,
        )
        for counter in range(COUNT)
    ]


def _frame(data: bytes, address: bytes | None = None) -> ReceivedFrame:
    return ReceivedFrame(data, NOW, "benchmark", 2, address=address)


def _received(frames: Sequence[ReceivedFrame], kind: type[object]) -> float:
    record = UnitRecord(serial=SERIAL, channel="gas", paired_utc=NOW, base_count=0, address=ADDRESS)

    def receive_all() -> int:
        ingest = Ingest(Fleet([FleetUnit(record)]), MemoryKeystore({SERIAL: KEY}))
        # What was refused is no telegram that was verified.
        assert all(isinstance(ingest.receive(frame), kind) for frame in frames)
        return len(frames)

    return _a_second(receive_all)


def _plain(decode: Callable[[bytes], object], telegrams: Sequence[bytes]) -> float:
    def decode_all() -> int:
        for _ in range(ROUNDS):
            for telegram in telegrams:
                decode(telegram)
        return ROUNDS * len(telegrams)

    return _a_second(decode_all)


def _a_second(work: Callable[[], int]) -> float:
    """How many in a second of the processor, the best of a few."""
    best = 0.0
    for _ in range(BEST_OF):
        begun = time.process_time()
        done = work()
        best = max(best, done / (time.process_time() - begun))
    return best


def _real_meters() -> Sequence[bytes]:
    lines = METERS.read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line.split()[1]) for line in lines if not line.startswith("#")]


def _row(name: str, value: float, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "1/s", "relative_to": beside}
