"""Metrology and synthesis, side by side in one process: the contenders take turns."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numba import njit

from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
ROUNDS = 25
SECONDS = 60
FIRST_READING = """
import time
import numpy as np
from datetime import UTC, datetime
from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import ConstantLoad, SyntheticMains
mains = SyntheticMains(seed=1, anchor_utc=datetime(2024, 1, 1, tzinfo=UTC), load=ConstantLoad(1.0))
metrology = Metrology(Calibration.for_converter(mains.converter), rate_hz=4000)
while metrology.process(mains.block(metrology.next_sample, 4000)).quantities is None:
    pass
"""

Work = Callable[[], object]


def rows() -> list[dict[str, Any]]:
    """One row per contender: millions of voltage and current pairs a second, one core."""
    contenders: list[tuple[str, int, Work]] = []
    for rate_hz in (4000, 32_000):
        contenders += _contenders(rate_hz)
    best_s = _race([work for _, _, work in contenders])
    speed = {n: p / s / 1e6 for (n, p, _), s in zip(contenders, best_s, strict=True)}
    table = [_row(name, value, "Mpairs/s", _beside(name, speed)) for name, value in speed.items()]
    per_block = dict(zip(speed, best_s, strict=True))["Metrology.process, 1 s blocks, 4 kHz"]
    table.append(_row("Metrology.process of one 1 s block, 4 kHz", per_block / SECONDS * 1e6, "us"))
    table.append(_row("first reading after process start", _first_reading_s(), "s"))
    return table


def _contenders(rate_hz: int) -> list[tuple[str, int, Work]]:
    mains = _mains(rate_hz)
    block = mains.block(0, SECONDS * rate_hz)
    kilohertz = f"{rate_hz // 1000} kHz"
    works: dict[str, Work] = {
        "numpy pipeline": lambda: _numpy(block),
        "plain numba loop": lambda: _plain(block.voltage, block.current),
        "memory read limit": lambda: _read(block),
    }
    for seconds in (1, 10, 60):
        works[f"Metrology.process, {seconds} s blocks"] = _process(block, seconds * rate_hz)
    works["sine per sample"] = lambda: _sines(SECONDS * rate_hz, rate_hz)
    for seconds in (1, 10):
        works[f"SyntheticMains, {seconds} s blocks"] = _synthesis(mains, seconds * rate_hz)
    return [(f"{name}, {kilohertz}", len(block), work) for name, work in works.items()]


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}


def _beside(name: str, speed: dict[str, float]) -> str:
    """How many times as fast as what else does the same at the same rate."""
    what, rate = name.split(",", maxsplit=1)[0], name.rsplit(",", maxsplit=1)[-1]
    others = {
        "Metrology.process": ("numpy pipeline", "plain numba loop", "memory read limit"),
        "SyntheticMains": ("sine per sample",),
    }
    ratios = [(other, speed[name] / speed[f"{other},{rate}"]) for other in others.get(what, ())]
    return ", ".join(f"{ratio:.2g} x {other}" for other, ratio in ratios)


def _race(works: list[Work]) -> list[float]:
    """The best time of each, taken in turns so that a busy moment hits all alike."""
    best_s = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for k, work in enumerate(works):
            start = time.perf_counter()
            work()
            best_s[k] = min(best_s[k], time.perf_counter() - start)
    return best_s


def _mains(rate_hz: int) -> SyntheticMains:
    return SyntheticMains(
        rate_hz=rate_hz, seed=1, anchor_utc=ANCHOR, load=ConstantLoad(1500.0, 400.0)
    )


def _process(block: SampleBlock, size: int) -> Work:
    """The block in parts through a pipeline that has been running for long."""
    metrology = Metrology(_calibration(block.rate_hz), rate_hz=block.rate_hz)
    # Another anchor is another stream: what was measured a round ago may be measured again.
    streams = [
        [
            SampleBlock(
                block.voltage[first : first + size],
                block.current[first : first + size],
                first,
                block.rate_hz,
                ANCHOR + timedelta(days=stream),
            )
            for first in range(0, len(block), size)
        ]
        for stream in range(2)
    ]

    def work() -> None:
        for part in streams[0]:
            metrology.process(part)
        streams.reverse()

    work()
    return work


def _calibration(rate_hz: int) -> Calibration:
    return Calibration.for_converter(_mains(rate_hz).converter)


def _synthesis(mains: SyntheticMains, size: int) -> Work:
    def work() -> None:
        for first in range(0, SECONDS * mains.rate_hz, size):
            mains.block(first, size)

    return work


def _numpy(block: SampleBlock) -> None:
    """Crossings by sign, sums by reduceat: what one writes in an afternoon."""
    v, i = block.voltage.astype(np.float64), block.current.astype(np.float64)
    rises = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0)) + 1
    for product in (v, i, v * v, i * i, v * i):
        np.add.reduceat(product, rises)


@njit(cache=True)
def _plain(voltage: Any, current: Any) -> Any:
    """One pass, one sample after the other, the sums closed at each rise."""
    power = 0.0
    count = sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
    last = np.int16(0)
    for k in range(voltage.size):
        v, i = np.int64(voltage[k]), np.int64(current[k])
        if last < 0 <= v:
            power += (sum_vi - sum_v * sum_i / count) / count
            power += (sum_vv - sum_v * sum_v / count) * (sum_ii - sum_i * sum_i / count)
            count = sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
        count += 1
        sum_v += v
        sum_i += i
        sum_vv += v * v
        sum_ii += i * i
        sum_vi += v * i
        last = voltage[k]
    return power


def _sines(count: int, rate_hz: int) -> None:
    """Voltage and current without harmonics or wander, the direct way."""
    angle = np.arange(count) * (2 * np.pi * 50 / rate_hz)
    for amplitude, lag in ((27_000, 0.0), (2_000, 0.3)):
        np.rint(amplitude * np.sin(angle - lag)).astype(np.int16)


def _read(block: SampleBlock) -> None:
    """Look at every byte of both once."""
    block.voltage.view(np.int64).max()
    block.current.view(np.int64).max()


def _first_reading_s() -> float:
    """Seconds until a new interpreter has the quantities of its first second, the cache warm."""
    best_s = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST_READING], check=True)
        best_s = min(best_s, time.perf_counter() - start)
    return best_s
