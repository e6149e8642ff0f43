"""A house's gas, its meter, and the unit on it, on one clock: what `pulse-unit sim` runs.

Time is integer ms UTC and is an argument. The same seed is the same life.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from pulse_unit.config import UnitConfig
from pulse_unit.errors import ConfigError
from pulse_unit.hal.gas_meter import GasMeter
from pulse_unit.hal.virtual import VirtualUnit
from pulse_unit.reed import sample_interval_ms

_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_STEP_MS: Final = 60_000
_REST_MS: Final = 5_000

# (minutes, flow in litres per hour)
Draw = tuple[int, int]


def household(seed: int, flow_max_l_per_h: int, *, heats: bool) -> Iterator[Draw]:
    """Yield the draws of a family for ever: hot water and cooking, and a boiler that cycles.

    Args:
        seed: of the family.
        flow_max_l_per_h: of its meter, of which each appliance takes a share.
        heats: whether the house is heated, morning and evening.
    """
    rng = random.Random(f"{seed}/household")
    boiler_l_per_h = flow_max_l_per_h * 2 // 5
    while True:
        for hour in range(24):
            if heats and hour in (6, 7, 16, 17, 18, 19, 20, 21):
                burns = rng.randint(8, 14)
                for _ in range(2):
                    yield (burns, boiler_l_per_h)
                    yield (30 - burns, 0)
            elif hour in (8, 12, 18, 22) or rng.random() < 0.1:
                burns = rng.randint(2, 20)
                yield (burns, flow_max_l_per_h * rng.choice((60, 120, 350)) // 1_000)
                yield (60 - burns, 0)
            else:
                yield (60, 0)


def steady(l_per_h: int) -> Iterator[Draw]:
    """Yield one flow for ever."""
    return repeat((60, l_per_h))


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    telegrams: int = 0
    adverts: int = 0
    power_cuts: int = 0
    writes: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What left the unit: `kind` is "telegram" or "advert"."""

    at_utc_ms: int
    kind: str
    data: bytes


class Simulation:
    """A gas meter that turns as gas is drawn, and a unit that counts it.

    Args:
        serial: of the unit, eight digits.
        key: of the unit, 16 bytes.
        config: what it is told.
        draws: what is drawn from the meter; nothing more once they end.
        start_utc_ms: when the unit boots first.
        seed: of bounce, noise and power cuts.
        address: of its Bluetooth; None for none.
        drift_ppm: of its clock.
        spikes_per_day: disturbances of the contact too short to count.
        power_cuts_per_day: how often its battery loses contact, on average.

    Raises:
        ConfigError: for a serial, key or meter that no unit has.
    """

    def __init__(
        self,
        serial: str,
        key: bytes,
        config: UnitConfig,
        draws: Iterable[Draw],
        *,
        start_utc_ms: int,
        seed: int = 0,
        address: bytes | None = None,
        drift_ppm: int = 0,
        spikes_per_day: int = 0,
        power_cuts_per_day: int = 0,
    ) -> None:
        self.config = config
        self.now_utc_ms = start_utc_ms
        self.tally = Tally()
        self.flow_l_per_h = 0
        self._identity = (serial, key)
        self._address = address
        self._drift_ppm = drift_ppm
        self._draws = iter(draws)
        self._draw_end_ms = start_utc_ms
        self._rng = random.Random(f"{seed}/power")
        self._cut_every_ms = _DAY_MS // power_cuts_per_day if power_cuts_per_day else 0
        try:
            self.meter = GasMeter(
                config.pulse_weight_nl,
                config.flow_max_l_per_h,
                seed,
                settle_ms=sample_interval_ms(config.pulse_weight_nl, config.flow_max_l_per_h),
                spikes_per_day=spikes_per_day,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.unit = self._booted(None)
        self._cut_ms = self._next_cut_ms()

    def advance(self, until_utc_ms: int) -> list[Sent]:
        """Let time pass; return what the unit has sent, in order."""
        sent: list[Sent] = []
        while self.now_utc_ms < until_utc_ms:
            if self.now_utc_ms >= self._draw_end_ms:
                self._draw()
            step_ms = min(until_utc_ms, self._draw_end_ms, self.now_utc_ms + _STEP_MS, self._cut_ms)
            for at_ms, closed in self.meter.flow(self.now_utc_ms, step_ms, self.flow_l_per_h):
                self.unit.edge(at_ms, closed)
            sent += self._taken(step_ms)
            self.now_utc_ms = step_ms
            if step_ms >= self._cut_ms:
                self._cut_power()
        return sent

    def come_to_rest(self) -> None:
        """Stop the gas, and let the unit count what the reed has just done."""
        self.flow_l_per_h = 0
        until_ms = self.now_utc_ms + _REST_MS
        for at_ms, closed in self.meter.flow(self.now_utc_ms, until_ms, 0):
            self.unit.edge(at_ms, closed)
        self._taken(until_ms)
        self.now_utc_ms = self._draw_end_ms = until_ms

    def summary(self) -> dict[str, int]:
        """Return the figures of this life so far, by their names in JSON."""
        unit = self.unit.unit
        return {
            "pulses_turned": self.meter.closings,
            "pulses_counted": unit.count,
            "passed_l": self.meter.passed_nl // 1_000_000_000,
            "telegrams": self.tally.telegrams,
            "adverts": self.tally.adverts,
            "power_cuts": self.tally.power_cuts,
            "boots": unit.boot,
            "error_flags": unit.error_flags,
            "memory_operations": self.tally.writes + self.unit.nvm_revision,
            "battery_left_d": unit.battery_left_d,
        }

    def _draw(self) -> None:
        minutes, self.flow_l_per_h = next(self._draws, (60, 0))
        self._draw_end_ms = self.now_utc_ms + minutes * _MINUTE_MS

    def _taken(self, until_utc_ms: int) -> list[Sent]:
        frames = self.unit.advance(until_utc_ms)
        telegrams = [Sent(at_ms, "telegram", frame) for at_ms, frame in frames]
        adverts = [Sent(at_ms, "advert", data) for at_ms, data in self.unit.take_adverts()]
        self.tally.telegrams += len(telegrams)
        self.tally.adverts += len(adverts)
        return sorted(telegrams + adverts, key=lambda sent: sent.at_utc_ms)

    def _booted(self, nvm: bytes | None) -> VirtualUnit:
        serial, key = self._identity
        return VirtualUnit(
            serial,
            key,
            self.config,
            nvm=nvm,
            boot_utc_ms=self.now_utc_ms,
            drift_ppm=self._drift_ppm,
            closed=self.meter.is_closed,
            address=self._address,
        )

    def _cut_power(self) -> None:
        self.tally.power_cuts += 1
        self.tally.writes += self.unit.nvm_revision
        self.unit = self._booted(self.unit.nvm)
        self._cut_ms = self._next_cut_ms()

    def _next_cut_ms(self) -> int:
        if not self._cut_every_ms:
            return 1 << 62
        return self.now_utc_ms + self._rng.randint(1_000, 2 * self._cut_every_ms)
