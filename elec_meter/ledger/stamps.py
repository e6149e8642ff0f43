"""Which rate a half-hour of gas gets, and when its block periods begin."""

from __future__ import annotations

import math
from collections.abc import Sequence

from elec_meter.clock import SECOND_US, Clock
from elec_meter.config import CalendarConfig, GasUnitConfig
from elec_meter.tariff import Calendar, block_period, rate_at
from shared.timegrid import half_hour_floor_s

from .registers import RateRegisters
from .state import GasCalendar
from .walk import Stay


class Stamps:
    """Which rate a half-hour gets: by the calendar that was in force when it was opened."""

    def __init__(self, unit: GasUnitConfig, calendars: Sequence[GasCalendar]) -> None:
        self._litres_per_pulse = unit.weight.litres_per_pulse
        self._history = calendars
        self._calendars: dict[int, Calendar] = {}
        self._last_s: int | None = None
        self._place = -1

    def resume(self, clock: Clock, through_us: int) -> None:
        """Go on after the half-hour that ended at an instant of the host's time."""
        for piece in clock.pieces(through_us - 1, through_us):
            meter_us = piece.stretch.meter_at(through_us - 1)
            self._last_s = half_hour_floor_s(meter_us // SECOND_US)

    def renew(self, unit: GasUnitConfig, registers: RateRegisters) -> None:
        """The history has grown: registers of the newest calendar are there from now on."""
        self._litres_per_pulse = unit.weight.litres_per_pulse
        self.expect(self._history[-1].calendar, registers)

    def expect(self, calendar: CalendarConfig, registers: RateRegisters) -> None:
        """Registers of this calendar are there from now on; the next half-hour chooses its own."""
        registers.configure(calendar.rates, self._bounds(calendar))
        self._place = -1

    def newest(self, at_s: int) -> int:
        """The rate of a half-hour that opens now."""
        return rate_at(self._calendar(len(self._history) - 1), at_s) if self._history else 1

    def stamp(self, stay: Stay, registers: RateRegisters) -> int:
        """The rate of a stay; registers, bounds and block period become those of its opening."""
        if not self._history:
            return 1
        place = max(0, sum(each.from_us <= stay.from_us for each in self._history) - 1)
        config = self._history[place].calendar
        if place != self._place:
            self._place = place
            registers.configure(config.rates, self._bounds(config))
        # By the half-hour before, so that a restart in between changes nothing.
        if config.blocks is not None and self._last_s is not None:
            reset = config.blocks.reset
            if block_period(reset, self._last_s) != block_period(reset, stay.start_s):
                registers.begin_block_period()
        self._last_s = stay.start_s
        return rate_at(self._calendar(place), stay.start_s)

    def _bounds(self, config: CalendarConfig) -> list[tuple[int, ...]]:
        """Bounds in litres as bounds in pulses: the pulse that passes one belongs beyond it."""
        return [
            tuple(math.ceil(bound / self._litres_per_pulse) for bound in bounds)
            for bounds in config.thresholds
        ]

    def _calendar(self, place: int) -> Calendar:
        if place not in self._calendars:
            entry = self._history[place]
            self._calendars[place] = Calendar.from_config(entry.calendar, entry.offset_s)
        return self._calendars[place]
