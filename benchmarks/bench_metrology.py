"""Metrology and synthesis, side by side in one process: the contenders take turns on one core.

Times are those of the processor, which another program on the machine does not lengthen.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
from numba import njit
from rich.console import Console

from elec_meter.metrology import Calibration, Fleet, Metrology
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
ROUNDS = 5
PAIRS = 50_000_000
MANY = "50 M pairs"
SECONDS = 60
METERS = 20_000
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
# Given how many times to measure the same minute.
MINUTES = """
import sys
from datetime import UTC, datetime, timedelta
from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains
anchor = datetime(2024, 1, 1, tzinfo=UTC)
mains = SyntheticMains(seed=1, anchor_utc=anchor, load=ConstantLoad(1500.0, 400.0))
block = mains.block(0, 240_000)
metrology = Metrology(Calibration.for_converter(mains.converter), rate_hz=4000)
for minute in range(int(sys.argv[1])):
    metrology.process(SampleBlock(block.voltage, block.current, minute * 240_000, 4000, anchor))
"""

Work = Callable[[], object]
_console = Console(stderr=True)


def rows() -> list[dict[str, Any]]:
    """One row per contender: millions of voltage and current pairs a second, one core."""
    table: list[dict[str, Any]] = []
    for rate_hz in (4000, 32_000):
        contenders = _contenders(rate_hz)
        taken_s = _race([work for _, _, work in contenders])
        speeds = {
            name: [pairs / taken / 1e6 for taken in rounds]
            for (name, pairs, _), rounds in zip(contenders, taken_s, strict=True)
        }
        table += [
            _row(name, max(rounds), "Mpairs/s", _beside(name, speeds))
            for name, rounds in speeds.items()
        ]
        kilohertz = f"{rate_hz // 1000} kHz"
        whole_s = PAIRS / 1e6 / max(speeds[f"Metrology.process, {MANY}, {kilohertz}"])
        table.append(_row(f"processor time of {MANY}, {kilohertz}", whole_s, "s"))
        table.append(_row(f"processor time per pair, {kilohertz}", whole_s / PAIRS * 1e9, "ns"))
    table.append(_row("100,000 meters, 1 s at 4 kHz", _fleet_s() * 100_000 / METERS, "core-s"))
    for counted, instructions in _instructions_per_pair():
        table.append(_row(f"instructions per pair, 4 kHz, {counted}", instructions, ""))
    waited_s, computed_s = _first_reading_s()
    table.append(_row("first reading after process start", waited_s, "s"))
    table.append(_row("first reading, processor time", computed_s, "s"))
    return table


def _contenders(rate_hz: int) -> list[tuple[str, int, Work]]:
    mains = _mains(rate_hz)
    minute = mains.block(0, SECONDS * rate_hz)
    times = -(-PAIRS // len(minute))
    many = SampleBlock(
        np.tile(minute.voltage, times)[:PAIRS],
        np.tile(minute.current, times)[:PAIRS],
        0,
        rate_hz,
        ANCHOR,
    )
    cycles = np.zeros((PAIRS * 60 // rate_hz, 6))
    works: list[tuple[str, int, Work]] = [
        ("numpy pipeline", PAIRS, lambda: _numpy(many)),
        ("plain numba loop", PAIRS, lambda: _plain(many.voltage, many.current, rate_hz, cycles)),
        (
            "plain numba loop without reactive",
            PAIRS,
            lambda: _plainest(many.voltage, many.current, cycles),
        ),
        ("memory read limit", PAIRS, lambda: _read(many)),
        (f"Metrology.process, {MANY}", PAIRS, _process(many, PAIRS)),
        ("numpy pipeline, 60 s blocks", len(minute), lambda: _numpy(minute)),
    ]
    works += [
        (f"Metrology.process, {s} s blocks", len(minute), _process(minute, s * rate_hz))
        for s in (1, 10, 60)
    ]
    pqopen = _pqopen(minute)
    works += [("pqopen-lib", len(minute), pqopen)] if pqopen else []
    works.append(("sine per sample", len(minute), lambda: _sines(len(minute), rate_hz)))
    works += [
        (f"SyntheticMains, {s} s blocks", len(minute), _synthesis(mains, s * rate_hz))
        for s in (1, 10)
    ]
    return [(f"{name}, {rate_hz // 1000} kHz", pairs, work) for name, pairs, work in works]


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}


def _beside(name: str, speeds: dict[str, list[float]]) -> str:
    """How many times as fast as what else does the same at the same rate: the rounds' median."""
    what, rate = name.split(",", maxsplit=1)[0], name.rsplit(",", maxsplit=1)[-1]
    others = {
        "Metrology.process": (
            "numpy pipeline",
            "plain numba loop",
            "plain numba loop without reactive",
            "pqopen-lib",
            "memory read limit",
        ),
        "SyntheticMains": ("sine per sample",),
    }
    ratios = [
        (other, float(np.median(np.divide(speeds[name], speeds[f"{other},{rate}"]))))
        for other in others.get(what, ())
        if f"{other},{rate}" in speeds
    ]
    return ", ".join(f"{ratio:.3g} x {other}" for other, ratio in ratios)


def _race(works: list[Work]) -> list[list[float]]:
    """The times of each, taken in turns so that a busy moment hits all alike."""
    taken_s: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, rounds in zip(works, taken_s, strict=True):
            start = time.process_time()
            work()
            rounds.append(time.process_time() - start)
    return taken_s


def _mains(rate_hz: int) -> SyntheticMains:
    return SyntheticMains(
        rate_hz=rate_hz, seed=1, anchor_utc=ANCHOR, load=ConstantLoad(1500.0, 400.0)
    )


def _process(block: SampleBlock, size: int) -> Work:
    """The block in parts through a pipeline that has been running for long."""
    metrology = Metrology(_calibration(block.rate_hz), rate_hz=block.rate_hz)
    days = count()

    def work() -> None:
        # Another anchor is another stream: what was measured a round ago is measured again.
        anchor = ANCHOR + timedelta(days=next(days))
        for first in range(0, len(block), size):
            part = slice(first, first + size)
            metrology.process(
                SampleBlock(block.voltage[part], block.current[part], first, block.rate_hz, anchor)
            )

    work()
    return work


def _pqopen(block: SampleBlock) -> Work | None:
    """The same samples through pqopen-lib (the extra `bench`), where it is installed."""
    if importlib.util.find_spec("pqopen") is None:
        _console.print("pqopen-lib is not installed: it and what it needs take 150 MB", style="dim")
        return None
    from daqopen.channelbuffer import AcqBuffer
    from pqopen.powersystem import PowerSystem

    rate_hz = block.rate_hz
    size = 4 * rate_hz

    def work() -> None:
        volts, amperes = AcqBuffer(size=size), AcqBuffer(size=size)
        system = PowerSystem(zcd_channel=volts, input_samplerate=rate_hz)
        system.add_phase(u_channel=volts, i_channel=amperes)
        for first in range(0, len(block), rate_hz):
            volts.put_data(block.voltage[first : first + rate_hz] * np.float32(0.0122))
            amperes.put_data(block.current[first : first + rate_hz] * np.float32(0.0046))
            system.process()

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
    lag = block.rate_hz // 200
    for product in (v, i, v * v, i * i, v * i):
        np.add.reduceat(product, rises)
    np.add.reduceat(v[:-lag] * i[lag:], rises[:-1])
    for channel in (block.voltage, block.current):
        channel.min(), channel.max()


@njit(cache=True)
def _plainest(voltage: Any, current: Any, cycles: Any) -> Any:
    """As `_plain`, but without reactive power and saturation."""
    rows = count = sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
    last = np.int16(0)
    for k in range(voltage.size):
        v, i = np.int64(voltage[k]), np.int64(current[k])
        if last < 0 <= v and count:
            cycles[rows, 0] = sum_vv - sum_v * sum_v / count
            cycles[rows, 1] = sum_ii - sum_i * sum_i / count
            cycles[rows, 2] = sum_vi - sum_v * sum_i / count
            rows += 1
            count = sum_v = sum_i = sum_vv = sum_ii = sum_vi = np.int64(0)
        count += 1
        sum_v += v
        sum_i += i
        sum_vv += v * v
        sum_ii += i * i
        sum_vi += v * i
        last = voltage[k]
    return rows


@njit(cache=True)
def _plain(voltage: Any, current: Any, rate_hz: Any, cycles: Any) -> Any:
    """One pass, one sample after the other, the sums closed at each rise: the same quantities."""
    rows = peak = np.int64(0)
    lag = count = np.int64(rate_hz // 200)
    sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
    last = np.int16(0)
    for k in range(lag, voltage.size):
        v, i = np.int64(voltage[k]), np.int64(current[k])
        if last < 0 <= v:
            cycles[rows, 0] = sum_vv - sum_v * sum_v / count
            cycles[rows, 1] = sum_ii - sum_i * sum_i / count
            cycles[rows, 2] = sum_vi - sum_v * sum_i / count
            cycles[rows, 3] = sum_qi - sum_v * sum_i / count
            cycles[rows, 4], cycles[rows, 5] = count, peak
            rows += 1
            lag = (count + 2) // 4
            count = peak = sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_qi = np.int64(0)
        count += 1
        sum_v += v
        sum_i += i
        sum_vv += v * v
        sum_ii += i * i
        sum_vi += v * i
        sum_qi += np.int64(voltage[k - lag]) * i
        peak = max(peak, abs(v), abs(i))
        last = voltage[k]
    return rows


def _sines(count: int, rate_hz: int) -> None:
    """Voltage and current without harmonics or wander, the direct way."""
    angle = np.arange(count) * (2 * np.pi * 50 / rate_hz)
    for amplitude, lag in ((27_000, 0.0), (2_000, 0.3)):
        np.rint(amplitude * np.sin(angle - lag)).astype(np.int16)


def _read(block: SampleBlock) -> None:
    """Look at every byte of both once."""
    block.voltage.view(np.int64).max()
    block.current.view(np.int64).max()


def _fleet_s() -> float:
    """Processor seconds of one second of `METERS` meters at 4 kHz."""
    block = _mains(4000).block(0, 4000)
    voltage = np.tile(block.voltage, (METERS, 1))
    current = np.tile(block.current, (METERS, 1))
    fleet = Fleet([_calibration(4000)] * METERS, rate_hz=4000)
    best_s = float("inf")
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        fleet.process(voltage, current, first_sample=fleet.next_sample, anchor_utc=ANCHOR)
        best_s = min(best_s, time.process_time() - start)
    return best_s


def _instructions_per_pair() -> list[tuple[str, float]]:
    """By what they were counted, and how many one pair more takes; nothing where nothing counts."""
    for tool in (_count_by_perf, _count_by_callgrind):
        counted = tool()
        if counted is not None:
            return [counted]
    _console.print("no tool counts instructions here", style="dim")
    return []


def _count_by_perf() -> tuple[str, float] | None:
    if shutil.which("perf") is None:
        return None
    told = []
    for minutes in (10, 110):
        run = subprocess.run(
            ["perf", "stat", "-x,", "-e", "instructions:u", "--", *_minutes(minutes)],
            check=False,
            capture_output=True,
            text=True,
        )
        counter = (run.stderr.splitlines() or [""])[-1].split(",")[0]
        if run.returncode or not counter.isdigit():
            _console.print(f"perf counts no instructions here: {counter}", style="dim")
            return None
        told.append(int(counter))
    return "by perf", (told[1] - told[0]) / (100 * 240_000)


def _count_by_callgrind() -> tuple[str, float] | None:
    """Of code for a processor that valgrind knows: it runs none that is newer."""
    if shutil.which("valgrind") is None:
        return None
    processor = "haswell" if platform.machine() == "x86_64" else "generic"
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {
            "NUMBA_CPU_NAME": processor,
            "NUMBA_CPU_FEATURES": "",
            "NUMBA_CACHE_DIR": folder,
            "PYTHONHASHSEED": "0",
        }
        # Compiled outside of valgrind, in which that would take minutes.
        subprocess.run(_minutes(1), check=True, env=env)
        told = []
        for minutes in (2, 42):
            tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counted"]
            run = subprocess.run(
                [*tool, *_minutes(minutes)], check=False, env=env, capture_output=True, text=True
            )
            found = re.search(r"Collected : (\d+)", run.stderr)
            if run.returncode or found is None:
                _console.print("callgrind counts no instructions here", style="dim")
                return None
            told.append(int(found[1]))
    return f"by callgrind for {processor}", (told[1] - told[0]) / (40 * 240_000)


def _minutes(minutes: int) -> list[str]:
    return [sys.executable, "-c", MINUTES, str(minutes)]


def _first_reading_s() -> tuple[float, float]:
    """Seconds until a new interpreter has the quantities of its first second, the cache warm.

    On the clock, and of the processor: a busy machine lengthens only the first.
    """
    waited_s = computed_s = float("inf")
    for _ in range(3):
        start, before = time.perf_counter(), os.times()
        subprocess.run([sys.executable, "-c", FIRST_READING], check=True)
        after = os.times()
        waited_s = min(waited_s, time.perf_counter() - start)
        used_s = after.children_user - before.children_user
        used_s += after.children_system - before.children_system
        computed_s = min(computed_s, used_s)
    return waited_s, computed_s
