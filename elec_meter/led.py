"""The LED of the meter: pulses of the energy that is registered (EN 50470-1, test output)."""

from __future__ import annotations

from typing import Final

from .config import LedConfig
from .metrology import PulseOutput

FLASH_US: Final = 100_000
"""How long a pulse is lit."""


class Led:
    """Pulses are `floor(energy x constant)`: a function of the registers, so that they go on.

    Args:
        config: the meter constant.
    """

    def __init__(self, config: LedConfig) -> None:
        self.config = config
        self._output: PulseOutput | None = None
        self._lit_us: int | None = None

    def configure(self, config: LedConfig) -> None:
        """Go on with another constant; what was registered before flashes no more."""
        if config != self.config:
            self.config, self._output = config, None

    def pulses(self, energy_mj: int) -> int:
        """All pulses that so much energy is worth."""
        return PulseOutput(self.config.imp_per_kwh, energy_mj=energy_mj).pulses

    def advance(self, energy_mj: int, now_us: int) -> None:
        """So much is registered at an instant of the host's, UNIX microseconds."""
        output = self._output
        if output is None or energy_mj < output.energy_mj:
            self._output = PulseOutput(self.config.imp_per_kwh, energy_mj=energy_mj)
        elif output.add(energy_mj - output.energy_mj):
            self._lit_us = now_us

    def is_lit(self, now_us: int) -> bool:
        """Whether a pulse came due just before an instant of the host's, UNIX microseconds."""
        return self._lit_us is not None and 0 <= now_us - self._lit_us < FLASH_US
