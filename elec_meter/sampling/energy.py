"""Recorded or simulated energy: exact millijoules second by second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elec_meter.sampling.errors import EnergySeriesError

_SECOND_US = 1_000_000
_INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True, eq=False, init=False)
class EnergySeries:
    """Energy of some channels, one entry for every second from `start_s` on.

    Args:
        start_s: UNIX seconds of the first entry's beginning, the host's time.
        energies_mj: by channel, whole millijoules (for reactive energy mvar s), shape (n,), the
            same n for all channels.

    Raises:
        EnergySeriesError: no channel, lengths that differ, something that is no whole number, a
            negative energy, or more energy than 64 bits hold.
    """

    start_s: int
    seconds: int
    _reached_mj: dict[str, NDArray[np.int64]]

    def __init__(self, start_s: int, energies_mj: Mapping[str, ArrayLike]) -> None:
        columns = {name: _checked(name, column) for name, column in energies_mj.items()}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1 or not min(lengths):
            raise EnergySeriesError("an energy series has one length, of a second or more")
        reached = {name: _reached(column) for name, column in columns.items()}
        object.__setattr__(self, "start_s", start_s)
        object.__setattr__(self, "seconds", lengths.pop())
        object.__setattr__(self, "_reached_mj", reached)

    @property
    def end_s(self) -> int:
        """The UNIX second after the last one."""
        return self.start_s + self.seconds

    def flows(self) -> dict[str, Callable[[int], int]]:
        """By channel: the energy that has flowed by an instant of the host's, UNIX microseconds."""
        return {name: self._flow(reached) for name, reached in self._reached_mj.items()}

    def _flow(self, reached_mj: NDArray[np.int64]) -> Callable[[int], int]:
        start_s, seconds = self.start_s, self.seconds

        def flow(at_us: int) -> int:
            return int(reached_mj[min(seconds, max(0, at_us // _SECOND_US - start_s))])

        return flow


def _checked(name: str, column: ArrayLike) -> NDArray[np.int64]:
    energies = np.asarray(column)
    if energies.ndim != 1 or energies.dtype.kind not in "iu":
        raise EnergySeriesError(f"the energies of {name} are no list of whole millijoules")
    if energies.size and energies.min() < 0:
        raise EnergySeriesError(f"{name} has a negative energy")
    if energies.size and int(energies.max()) * energies.size > _INT64_MAX:
        raise EnergySeriesError(f"{name} has more energy than 64 bits hold")
    return energies.astype(np.int64, copy=False)


def _reached(energies_mj: NDArray[np.int64]) -> NDArray[np.int64]:
    """The energy before each second, and after the last."""
    reached_mj = np.zeros(len(energies_mj) + 1, np.int64)
    np.cumsum(energies_mj, out=reached_mj[1:])
    return reached_mj
