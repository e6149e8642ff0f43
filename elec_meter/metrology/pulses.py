"""The test output of a meter: how many pulses its energy is worth."""

from __future__ import annotations

import operator
from fractions import Fraction

from elec_meter.metrology.errors import PulseOutputError
from shared.units import MJ_PER_WH


class PulseOutput:
    """Counts the pulses that energy makes due (EN 50470-1: the test output, here an LED).

    At all times `pulses == floor(energy x constant)`, exactly, in whatever portions energy comes.
    Which energy that is says the caller: a meter's LED usually shows import and export together.

    Args:
        constant_imp_per_kwh: Pulses per kilowatt-hour, or per kvarh: an integer or an exact ratio.
        energy_mj: Energy registered before, as of a meter that starts again; millijoules (or
            millivar-seconds). Its pulses are not due any more.

    Raises:
        PulseOutputError: For a constant that is not above zero or not exact, or negative energy.
    """

    __slots__ = ("_energy_mj", "_pulses", "_pulses_per_mj")

    def __init__(self, constant_imp_per_kwh: int | Fraction, *, energy_mj: int = 0) -> None:
        if not isinstance(constant_imp_per_kwh, (int, Fraction)):
            raise PulseOutputError(f"a meter constant is exact, not {constant_imp_per_kwh!r}")
        if constant_imp_per_kwh <= 0:
            raise PulseOutputError(f"a meter constant is above zero, not {constant_imp_per_kwh}")
        self._pulses_per_mj = Fraction(constant_imp_per_kwh) / (1000 * MJ_PER_WH)
        self._energy_mj = self._pulses = 0
        self.add(energy_mj)

    def add(self, energy_mj: int) -> int:
        """How many pulses became due with this energy.

        Args:
            energy_mj: whole millijoules; integers of numpy become Python's, which never overflow.

        Raises:
            PulseOutputError: For energy that is no whole number, or negative: a pulse that was
                given cannot be taken back.
        """
        try:
            energy_mj = operator.index(energy_mj)
        except TypeError:
            raise PulseOutputError(f"energy is whole millijoules, not {energy_mj}") from None
        if energy_mj < 0:
            raise PulseOutputError(f"energy is added, not taken away: {energy_mj} mJ")
        before = self._pulses
        self._energy_mj += energy_mj
        self._pulses = self._energy_mj * self._pulses_per_mj.numerator
        self._pulses //= self._pulses_per_mj.denominator
        return self._pulses - before

    @property
    def pulses(self) -> int:
        """All pulses so far: the floor of `energy_mj` times the constant."""
        return self._pulses

    @property
    def energy_mj(self) -> int:
        """All energy so far, in millijoules."""
        return self._energy_mj
