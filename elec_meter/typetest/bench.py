"""The bench of the type test: a source of known power, and a meter that is read beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from elec_meter.metrology import Calibration, Flags, Metrology
from elec_meter.sampling import Converter, SampleBlock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elec_meter.typetest.waves import SteadyWave

RATES_HZ = (4_000, 8_000)
WIDTHS_BITS = (16, 24)
NOISE_COUNT = 0.5

_QUADRANTS = 4
_ANCHOR_UTC = datetime(2024, 1, 1, tzinfo=UTC)
_LEAD_S = 1  # the meter finds the mains in it
_TAIL_S = 1  # and ends the last whole second's last cycle in it


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter registered in whole seconds of a steady load.

    Attributes:
        seconds: how many.
        import_mj: by second, millijoules.
        export_mj: likewise.
        reactive_mvars: by quadrant and second, millivar-seconds.
        flags: whatever was wrong.
    """

    seconds: int
    import_mj: list[int]
    export_mj: list[int]
    reactive_mvars: list[list[int]]
    flags: Flags

    @property
    def net_mj(self) -> int:
        """Import less export of all seconds, millijoules."""
        return sum(self.import_mj) - sum(self.export_mj)

    @property
    def net_mvars(self) -> int:
        """Q+ less Q- of all seconds, millivar-seconds."""
        first, second, third, fourth = map(sum, self.reactive_mvars)
        return first + second - third - fourth


@dataclass(frozen=True, slots=True)
class Bench:
    """Tests meters of one kind; both converters have noise of half a count (RMS).

    Args:
        rate_hz: samples per second.
        bits: width of the converters, whose full scale is 400 V and 150 A.
        seed: of the noise.
        offsets_count: what each converter shows of nothing at all: voltage, current.
    """

    rate_hz: int
    bits: int
    seed: int = 1
    offsets_count: tuple[int, int] = (7, -5)

    @property
    def converter(self) -> Converter:
        """The front end of the meters."""
        return Converter(voltage_peak_mv=400_000, current_peak_ma=150_000, bits=self.bits)

    def read(self, wave: SteadyWave, seconds: int) -> Reading:
        """What a fresh meter registers of `wave` in `seconds` whole seconds."""
        metrology = Metrology(Calibration.for_converter(self.converter), rate_hz=self.rate_hz)
        first_s = int(_ANCHOR_UTC.timestamp()) + _LEAD_S
        total = np.zeros((2 + _QUADRANTS, seconds), np.int64)
        flags = Flags(0)
        for block in self.blocks(wave, _LEAD_S + seconds + _TAIL_S):
            measurement = metrology.process(block)
            flags |= measurement.flags
            place = measurement.second_s - first_s
            inside = (place >= 0) & (place < seconds)
            energies = np.vstack(
                (measurement.import_mj, measurement.export_mj, measurement.reactive_mvars.T)
            )
            total[:, place[inside]] += energies[:, inside]
        import_mj, export_mj, *reactive = total.tolist()
        return Reading(seconds, import_mj, export_mj, reactive, flags)

    def blocks(self, wave: SteadyWave, seconds: int) -> Iterator[SampleBlock]:
        """Samples of so many seconds at least, a block a second."""
        converter = self.converter
        rng = np.random.default_rng(self.seed)
        volts = wave.volts(self.rate_hz) * (1000 / float(converter.voltage_mv_per_count))
        amperes = wave.amperes(self.rate_hz) * (1000 / float(converter.current_ma_per_count))
        rate_hz = self.rate_hz
        for second in range(seconds):
            begin = second % wave.pattern_s * rate_hz
            part = slice(begin, begin + rate_hz)
            voltage = self._counts(volts[part] + self.offsets_count[0], rng)
            current = self._counts(amperes[part] + self.offsets_count[1], rng)
            yield SampleBlock(voltage, current, second * rate_hz, rate_hz, _ANCHOR_UTC)

    def _counts(self, exact: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        counts = rng.standard_normal(exact.size)
        counts *= NOISE_COUNT
        counts += exact
        np.rint(counts, out=counts)
        limit = self.converter.full_scale_count
        if np.abs(counts).max() >= limit:
            np.clip(counts, -limit, limit - 1, out=counts)
        return counts.astype(self.converter.dtype)
