"""Metrology and synthesis, side by side in one process: the contenders take turns on one core.

Times are those of the processor, which another program on the machine does not lengthen. Every
number is that of the fastest round, and contenders are set beside each other that measure the same
samples. Before they race, each one's sums are compared with the product's.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import plain_metrology
from benchmarks.instructions import instructions_per_pair
from elec_meter.metrology import Calibration, Fleet, Metrology
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains

ROOT = Path(__file__).parents[1]
ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
ROUNDS = 5
PAIRS = 50_000_000
SECONDS = 60
METERS = 20_000

_PRODUCT, _CALIBRATED = "Metrology.process", "Metrology.process with phase and long gains"
_NUMPY, _CHUNKED = "numpy pipeline", "numpy pipeline in chunks that stay in the cache"
_LOOP = "plain numba loop"
_SHORT_LOOP = "plain numba loop without reactive"
_PQOPEN, _READ, _SINES = "pqopen-lib", "memory read limit", "sine per sample"
_MANY = f"{PAIRS // 1_000_000} M pairs"
_OTHERS = (_NUMPY, _CHUNKED, _LOOP, _SHORT_LOOP, _PQOPEN, _READ)
# As `elec-meter calibrate` may find it.
_PHASE_URAD = 1_234

# How far the sums of others may be from the product's: of active energy, and of reactive energy
# with a delay in whole samples (off by the half of one, or by what the mains is from 50 Hz).
_ACTIVE_TOLERANCE = 1e-3
_REACTIVE_TOLERANCE = 0.02
# The first and the last cycle may be one's and not the other's.
_ENDS_CYCLES = 3

Sums = tuple[float, float | None]
"""Active and reactive (None: not computed) of all cycles, count^2."""

_console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Contender:
    """Who measures or makes samples.

    Attributes:
        kind: What it is.
        how: In which portions, of which samples.
        pairs: How many of them.
        work: Measures or makes all of them.
        sums: What the result of `work` comes to; None where it has none.
        beside: The kinds that it is set beside, of the same `pairs`.
    """

    kind: str
    how: str
    pairs: int
    work: Callable[[], Any]
    sums: Callable[[Any], Sums] | None = None
    beside: tuple[str, ...] = ()


def rows() -> list[dict[str, Any]]:
    """One row per contender: millions of voltage and current pairs a second, one core."""
    table: list[dict[str, Any]] = []
    for rate_hz in (4000, 32_000):
        contenders = _contenders(rate_hz)
        _compare(contenders, rate_hz)
        best_s = _race(contenders)
        table += [
            _row(
                f"{each.kind}, {each.how}, {rate_hz // 1000} kHz",
                each.pairs / best_s[k] / 1e6,
                "Mpairs/s",
                _beside(k, contenders, best_s),
            )
            for k, each in enumerate(contenders)
        ]
        whole_s = next(
            taken_s
            for each, taken_s in zip(contenders, best_s, strict=True)
            if (each.kind, each.pairs) == (_PRODUCT, PAIRS)
        )
        kilohertz = f"{rate_hz // 1000} kHz"
        table.append(_row(f"processor time of {_MANY}, {kilohertz}", whole_s, "s"))
        table.append(_row(f"processor time per pair, {kilohertz}", whole_s / PAIRS * 1e9, "ns"))
    table.append(_row("100,000 meters, 1 s at 4 kHz", _fleet_s() * 100_000 / METERS, "core-s"))
    for counted, instructions in instructions_per_pair():
        table.append(_row(f"instructions per pair, 4 kHz, {counted}", instructions, ""))
    waited_s, computed_s = _first_reading_s()
    table.append(_row("first reading after process start", waited_s, "s"))
    table.append(_row("first reading, processor time", computed_s, "s"))
    return table


def _contenders(rate_hz: int) -> list[Contender]:
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
    portions = [rate_hz * s for s in (1, 10, 60)]
    contenders = [
        *_plain(many, _MANY),
        Contender(_READ, _MANY, PAIRS, lambda: plain_metrology.read(many)),
    ]
    contenders += _product(many, [PAIRS])
    contenders += _plain(minute, f"{SECONDS} s")
    contenders += _product(minute, portions)
    pqopen = _pqopen(minute)
    contenders += [Contender(_PQOPEN, "1 s blocks", len(minute), pqopen)] if pqopen else []
    size = len(minute)
    contenders.append(
        Contender(_SINES, f"{SECONDS} s", size, lambda: plain_metrology.sines(size, rate_hz))
    )
    contenders += [
        Contender(
            "SyntheticMains", f"{s} s blocks", size, _synthesis(mains, s * rate_hz), None, (_SINES,)
        )
        for s in (1, 10)
    ]
    return contenders


def _plain(block: SampleBlock, how: str) -> list[Contender]:
    """What others would write, of these samples."""
    v, i, lag = block.voltage, block.current, block.rate_hz // 200
    cycles = np.zeros((len(block) * 60 // block.rate_hz, plain_metrology.COLUMNS))

    def sums(filled: int) -> Sums:
        return (
            float(cycles[:filled, plain_metrology.ACTIVE].sum()),
            float(cycles[:filled, plain_metrology.REACTIVE].sum()),
        )

    works: list[tuple[str, Callable[[], Any], Callable[[int], Sums]]] = [
        *(
            (kind, partial(plain_metrology.by_numpy, block, cycles, pairs), sums)
            for kind, pairs in ((_NUMPY, len(block)), (_CHUNKED, plain_metrology.CACHED_PAIRS))
        ),
        (_LOOP, lambda: plain_metrology.by_loop(v, i, lag, cycles), sums),
        (
            _SHORT_LOOP,
            lambda: plain_metrology.by_short_loop(v, i, cycles),
            lambda filled: (sums(filled)[0], None),
        ),
    ]
    return [Contender(kind, how, len(block), work, summed) for kind, work, summed in works]


def _product(block: SampleBlock, sizes: Sequence[int]) -> list[Contender]:
    """The product, of a meter as it is drawn and of a calibrated one, in blocks of each size."""
    contenders = []
    for kind, calibration in (
        (_PRODUCT, _calibration(block.rate_hz)),
        (_CALIBRATED, _calibrated(block.rate_hz)),
    ):
        gain_mj = calibration.energy_mj_per_count(block.rate_hz)
        for size in sizes:
            how = _MANY if size == PAIRS else f"{size // block.rate_hz} s blocks"
            work = _process(block, size, calibration)

            def sums(energies: tuple[int, int], gain_mj: Fraction = gain_mj) -> Sums:
                return float(energies[0] / gain_mj), float(energies[1] / gain_mj)

            contenders.append(Contender(kind, how, len(block), work, sums, _OTHERS))
    return contenders


def _process(block: SampleBlock, size: int, calibration: Calibration) -> Callable[[], Any]:
    """The block in parts through a pipeline that has been running for long."""
    metrology = Metrology(calibration, rate_hz=block.rate_hz)
    days = count()

    def work() -> tuple[int, int]:
        # Another anchor is another stream: what was measured a round ago is measured again.
        anchor = ANCHOR + timedelta(days=next(days))
        active_mj = reactive_mvars = 0
        for first in range(0, len(block), size):
            part = slice(first, first + size)
            measurement = metrology.process(
                SampleBlock(block.voltage[part], block.current[part], first, block.rate_hz, anchor)
            )
            active_mj += int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
            first_to_fourth = measurement.reactive_mvars.sum(axis=0)
            reactive_mvars += int(first_to_fourth[:2].sum()) - int(first_to_fourth[2:].sum())
        return active_mj, reactive_mvars

    return work


def _compare(contenders: list[Contender], rate_hz: int) -> None:
    """Let each work once, and hold its sums to those of the product of the same samples.

    Raises:
        SystemExit: They do not measure the same thing.
    """
    found = [(each, each.sums(each.work())) for each in contenders if each.sums is not None]
    for each, (active, reactive) in found:
        true_active, true_reactive = next(
            sums for other, sums in found if (other.kind, other.pairs) == (_PRODUCT, each.pairs)
        )
        assert true_reactive is not None
        ends = _ENDS_CYCLES * rate_hz / 50 / each.pairs
        tolerances = [_ACTIVE_TOLERANCE + ends, _REACTIVE_TOLERANCE + ends]
        if each.kind == _CALIBRATED:
            turned = complex(true_active, true_reactive) * np.exp(-1e-6j * _PHASE_URAD)
            true_active, true_reactive = turned.real, turned.imag
        errors = [active / true_active - 1]
        errors += [] if reactive is None else [reactive / true_reactive - 1]
        told = " and ".join(f"{100 * error:+.3f} %" for error in errors)
        _console.print(f"{each.kind}, {each.how}: P (and Q) differ by {told}", style="dim")
        if any(abs(error) > allowed for error, allowed in zip(errors, tolerances, strict=False)):
            raise SystemExit(f"{each.kind}, {each.how}, differs from the product by {told}")


def _race(contenders: list[Contender]) -> list[float]:
    """The best time of each, taken in turns so that a busy moment hits all alike."""
    best_s = [float("inf")] * len(contenders)
    for _ in range(ROUNDS):
        for k, each in enumerate(contenders):
            start = time.process_time()
            each.work()
            best_s[k] = min(best_s[k], time.process_time() - start)
    return best_s


def _beside(place: int, contenders: list[Contender], best_s: list[float]) -> str:
    """How many times as fast as what else does the same with the same samples."""
    own = contenders[place]
    return ", ".join(
        f"{taken_s / best_s[place]:.3g} x {other.kind}"
        for other, taken_s in zip(contenders, best_s, strict=True)
        if other.kind in own.beside and other.pairs == own.pairs
    )


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}


def _mains(rate_hz: int) -> SyntheticMains:
    return SyntheticMains(
        rate_hz=rate_hz, seed=1, anchor_utc=ANCHOR, load=ConstantLoad(1500.0, 400.0)
    )


def _calibration(rate_hz: int) -> Calibration:
    return Calibration.for_converter(_mains(rate_hz).converter)


def _calibrated(rate_hz: int) -> Calibration:
    """As `elec-meter calibrate` derives one: a phase, and gains whose terms are long."""
    drawn = _calibration(rate_hz)
    return Calibration.from_integers(
        bits=16,
        voltage_pv_per_count=round(drawn.voltage_mv_per_count * 10**9) | 1,
        current_pa_per_count=round(drawn.current_ma_per_count * 10**9) | 1,
        phase_urad=_PHASE_URAD,
    )


def _pqopen(block: SampleBlock) -> Callable[[], Any] | None:
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


def _synthesis(mains: SyntheticMains, size: int) -> Callable[[], Any]:
    def work() -> None:
        for first in range(0, SECONDS * mains.rate_hz, size):
            mains.block(first, size)

    return work


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


def _first_reading_s() -> tuple[float, float]:
    """Seconds until a new interpreter has the quantities of its first second, the cache warm.

    On the clock, and of the processor: a busy machine lengthens only the first.
    """
    waited_s = computed_s = float("inf")
    for _ in range(3):
        start, before = time.perf_counter(), os.times()
        subprocess.run([sys.executable, "-m", "benchmarks.first_reading"], cwd=ROOT, check=True)
        after = os.times()
        waited_s = min(waited_s, time.perf_counter() - start)
        used_s = after.children_user - before.children_user
        used_s += after.children_system - before.children_system
        computed_s = min(computed_s, used_s)
    return waited_s, computed_s
