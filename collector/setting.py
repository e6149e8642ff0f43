"""What a unit is told while it is paired: the phase of half-hours, its weight and its index."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.timegrid import HALF_HOUR_MS, unix_ms, unix_s
from shared.units import PulseWeight
from shared.wire.errors import WireError
from shared.wire.settings import encode_settings

from .bearers.base import ReceivedFrame
from .dial import DialReading
from .events import TelegramReceived

_NL_PER_L: Final = 1_000_000_000
# What every unit leaves the factory with (docs/pulse-unit.md).
_FACTORY: Final[dict[str, int | None]] = {
    "reply_window_ms": 2_000,
    "advert_period_s": 60,
    "window_period_s": 14_400,
    "history": 96,
}


class UnitSetting:
    """Commands to a unit that is being paired, one in each of its reply windows.

    Counters of commands begin at the time in UNIX seconds: so they exceed those of any collector
    that the unit was paired with before.

    Args:
        key: the unit's; None for one that cannot be told anything.

    Attributes:
        counter: the last command's; 0 before the first.
        phased_ms: when the unit was told the phase, UNIX milliseconds.
        is_configured: whether it has taken its settings; None if it never listened.
    """

    def __init__(self, key: bytes | None) -> None:
        self.counter = 0
        self.phased_ms: int | None = None
        self.is_configured: bool | None = None
        self._key = key
        self._settings: bytes | None = None
        self._initial_l: int | None = None
        self._weight_nl = 0
        self._listens = False
        self._window_is_open = False

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to wait for."""
        return not self._listens or self._settings is None or bool(self.is_configured)

    def configure(
        self, weight: PulseWeight, flow_max_l_h: int, period_s: int, dial: DialReading, count: int
    ) -> None:
        """From now on tell it its settings: the dial shows this at that count."""
        index_nl = int(dial.litres * _NL_PER_L)
        self._weight_nl = round(weight.litres_per_pulse * _NL_PER_L)
        self._initial_l = (index_nl - count * self._weight_nl) // _NL_PER_L
        self.is_configured = False if self._listens else None
        if not -0x80000000 < self._initial_l <= 0x7FFFFFFF:
            self._initial_l = None  # a unit that has counted for ages tells no volume
        try:
            self._settings = encode_settings(
                _FACTORY
                | {
                    "pulse_weight_nl": self._weight_nl,
                    "flow_max_l_per_h": flow_max_l_h,
                    "initial_index_l": self._initial_l,
                    "telegram_period_s": period_s,
                }
            )
        except WireError:
            self._settings = None  # a weight or flow that no unit of ours can be told

    def hear(self, received: TelegramReceived, frame: ReceivedFrame) -> None:
        """Take a telegram: it may show that the settings were taken, and opens a reply window."""
        self._window_is_open = frame.two_way and received.is_authentic
        self._listens = self._listens or self._window_is_open
        if self._settings is None or self._initial_l is None:
            return
        told = received.telegram
        expected_l = self._initial_l + told.count * self._weight_nl // _NL_PER_L
        if told.volume_l == expected_l:
            self.is_configured = True

    def command(self, now: datetime) -> bytes | None:
        """The command for the reply window that is open; None if there is none, or none is due."""
        if not self._window_is_open or self._key is None:
            return None
        self._window_is_open = False
        from shared.crypto.backend_cryptography import AesBlock
        from shared.wire.command import CONFIGURE, seal_command, seal_phase

        now_ms = unix_ms(now)
        if self.phased_ms is None:
            self.phased_ms = now_ms
            return seal_phase(AesBlock, self._key, self._next(now), now_ms % HALF_HOUR_MS)
        if self._settings is None or self.is_configured:
            return None
        return seal_command(AesBlock, self._key, CONFIGURE, self._next(now), self._settings)

    def _next(self, now: datetime) -> int:
        self.counter = max(self.counter + 1, unix_s(now))
        return self.counter
