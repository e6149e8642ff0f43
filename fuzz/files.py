"""The files that a user names: each is read from a directory that goes with the process."""

from __future__ import annotations

import atexit
import io
import wave
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from collector import CollectorError, Keystore, ReplayFile
from elec_meter import MeterError
from elec_meter.sampling import RecordedSource
from elec_meter.storage import read_gas_day_json, read_load_series
from fuzz.target import Feed, Target

CYCLES: Final = (np.arange(160) % 40 * 100 - 2000).astype(np.int16)
RATE_HZ: Final = 2000


@cache
def _directory() -> Path:
    directory = TemporaryDirectory(prefix="halfhourly-fuzz-")
    atexit.register(directory.cleanup)
    return Path(directory.name)


def _read_from(name: str, read: Callable[[Path], object]) -> Feed:
    path = _directory() / name
    path.touch(mode=0o600)

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        read(path)

    return feed


def _telegrams() -> tuple[Feed, Sequence[bytes]]:
    lines = b"# a night\n2026-01-01T00:15:02.500Z 2E44931578563412\n2026-01-01T00:30:02Z 7a 2a\n"
    return _read_from("telegrams.txt", ReplayFile), [lines]


def _load() -> tuple[Feed, Sequence[bytes]]:
    lines = (
        b"LCLid,tstp,energy(kWh/hh)\n"
        b"MAC000010,2013-01-01 00:00:00.0000000,0.509\n"
        b"MAC000010,2013-01-01 00:30:00.0000000,1.2e-3\n"
        b'"MAC000010",2013-01-01T01:00Z,0\n'
    )
    return _read_from("load.csv", lambda path: read_load_series(path, "LCLid", "MAC000010")), [
        lines
    ]


def _gas() -> tuple[Feed, Sequence[bytes]]:
    document = (
        b'{"gas": {"data": ['
        b'{"consumption": 0.25, "interval": {"start": "2021-10-01T00:00:00.000", "end": ""},'
        b' "unit": "kwh"},'
        b'{"consumption": 12e-3, "interval": {"start": "2021-10-01T00:30:00.000", "end": ""},'
        b' "unit": "kwh"}]}}'
    )
    return _read_from("gas.json", read_gas_day_json), [document, b'{"gas":' * 500]


def _keys() -> tuple[Feed, Sequence[bytes]]:
    document = b'{"00000001": "000102030405060708090a0b0c0d0e0f"}'
    return _read_from("keys.json", lambda path: Keystore.open(path.parent)), [document, b"[" * 990]


def _npz() -> tuple[Feed, Sequence[bytes]]:
    stored, packed = io.BytesIO(), io.BytesIO()
    np.savez(stored, voltage=CYCLES, current=CYCLES // 10, rate_hz=RATE_HZ)
    np.savez_compressed(packed, voltage=CYCLES / 10, current=CYCLES / 100, rate_hz=RATE_HZ)
    seeds = [stored.getvalue(), packed.getvalue()]
    return _read_from("waveform.npz", RecordedSource), seeds


def _wav() -> tuple[Feed, Sequence[bytes]]:
    seeds = []
    for width in (2, 3):
        samples = np.repeat(CYCLES, 2).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width]
        written = io.BytesIO()
        with wave.open(written, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(width)
            file.setframerate(RATE_HZ)
            file.writeframes(samples.tobytes())
        seeds.append(written.getvalue())
    return _read_from("waveform.wav", RecordedSource), seeds


def _csv() -> tuple[Feed, Sequence[bytes]]:
    whole = "".join(f"{volts},{volts // 10}\n" for volts in CYCLES.tolist())
    real = "".join(f"{volts / 10},{volts / 100}\n" for volts in CYCLES.tolist())
    seeds = [f"voltage,current\n{lines}".encode() for lines in (whole, real)]
    read = _read_from("waveform.csv", lambda path: RecordedSource(path, rate_hz=RATE_HZ))
    return read, seeds


FILE_TARGETS: Final = (
    Target("telegrams", _telegrams, (CollectorError,)),
    Target("keys", _keys, (CollectorError,)),
    Target("load", _load, (MeterError,)),
    Target("gas", _gas, (MeterError,)),
    Target("npz", _npz, (MeterError,)),
    Target("wav", _wav, (MeterError,)),
    Target("csv", _csv, (MeterError,)),
)
