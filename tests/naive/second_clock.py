"""A slow clock: it lives through every second and remembers each of them."""

from __future__ import annotations

from fractions import Fraction


class SecondClock:
    """The meter's time, exactly, at whole seconds of the host's, the first of which is 0.

    Args:
        meter_s: the meter's time at the host's second 0.
        ppm: how much it gains.
    """

    def __init__(self, meter_s: int, ppm: Fraction) -> None:
        self.ppm = ppm
        self.left = Fraction(0)
        self.times: list[Fraction] = [Fraction(meter_s)]

    def live(self, seconds: int) -> None:
        """Seconds pass; a second in 360 is gained or lost as long as an adjustment lasts."""
        for _ in range(seconds):
            step = 1 + self.ppm / 1_000_000
            slew = max(-Fraction(1, 360), min(Fraction(1, 360), self.left))
            self.left -= slew
            self.times.append(self.times[-1] + step + slew)

    def set(self, meter_s: int) -> None:
        """It is so late now."""
        self.left = Fraction(0)
        self.times[-1] = Fraction(meter_s)
