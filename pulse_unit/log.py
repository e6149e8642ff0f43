"""The unit's 30-minute grid: the count at each tick, and what a telegram says of the last ones.

Ticks are whole seconds of uptime, so that a telegram's uptime less the age of the grid is exact.
The count at a tick includes the pulses accepted up to and including its instant.
"""

from array import array

from pulse_unit.history import CountHistory
from pulse_unit.pace import Pace
from shared.wire.grid import COUNT_MASK, HALF_HOUR_MS, HALF_HOUR_S

_PULSES_KEPT = 16
TOLERANCE_S = 10  # how far from its place an entry may lie and still be told by a telegram

_OVERFLOW = 0xFFFF
_MOVE_MAX_S = 127


class PulseLog:
    """Counts at grid ticks and the tick of the last pulse, for one boot.

    Args:
        history: where every entry goes besides.
        slots: how many increments are kept for telegrams.
    """

    def __init__(self, history: CountHistory, slots: int) -> None:
        self._history = history
        self._increments = array("H", [0] * slots)
        self._moves_s = array("b", [0] * slots)  # each tick's distance from its place
        self._slots = slots
        self._newest = 0
        self._filled = 0
        self._after_s = 0  # the grid's own tick after one that is logged out of turn, or 0
        self._next_s = HALF_HOUR_S
        self._pace = Pace()
        self.grid_tick_s = 0
        self.grid_count = 0
        self._pulses_s = array("I", [0] * _PULSES_KEPT)
        self._pulses = 0  # noted since the boot

    @property
    def next_ms(self) -> int:
        """The uptime of the next grid tick."""
        return self._next_s * 1000

    def begin(self, boot: int, count: int) -> None:
        """Log the boot itself: its tick is 0."""
        self.grid_count = count
        self._history.begin(boot, 0, count)

    @property
    def last_pulse_s(self) -> int:
        """The uptime at the last pulse in seconds, or -1: before this boot, or never."""
        return self._pulses_s[(self._pulses - 1) % _PULSES_KEPT] if self._pulses else -1

    def pulse(self, at_ms: int) -> None:
        """Note when a pulse was accepted."""
        self._pulses_s[self._pulses % _PULSES_KEPT] = at_ms // 1000
        self._pulses += 1

    def recent_pulses(self) -> "tuple[int, ...]":
        """Return the uptimes at the last pulses of this boot in seconds, newest first."""
        newest = self._pulses - 1
        kept = min(self._pulses, _PULSES_KEPT)
        return tuple([self._pulses_s[(newest - age) % _PULSES_KEPT] for age in range(kept)])

    def tick(self, count: int) -> None:
        """Log the count at the grid tick that is due."""
        tick_s = self._next_s
        self._newest = (self._newest or self._slots) - 1
        self._filled = min(self._filled + 1, self._slots)
        self._increments[self._newest] = min((count - self.grid_count) & COUNT_MASK, _OVERFLOW)
        move_s = tick_s - self.grid_tick_s - HALF_HOUR_S
        self._moves_s[self._newest] = max(-_MOVE_MAX_S, min(_MOVE_MAX_S, move_s))
        self.grid_tick_s = tick_s
        self.grid_count = count
        self._history.append(tick_s, count)
        self._next_s = self._after_s or self._pace.tick_s(tick_s + HALF_HOUR_S)
        self._after_s = 0

    def rephase(self, since_boundary_ms: int, uptime_ms: int) -> None:
        """Move the grid to the UTC half-hours.

        A boundary that no tick has logged within `TOLERANCE_S`, because the old grid would have
        done so later, is logged at the next whole second; one that was logged early, just before,
        is not logged again.

        Args:
            since_boundary_ms: from the last UTC half-hour boundary to now, 0 to 1,799,999.
            uptime_ms: now; all ticks up to it are logged.
        """
        self._pace.told(uptime_ms - since_boundary_ms)
        next_s = (uptime_ms - since_boundary_ms + HALF_HOUR_MS + 500) // 1000
        now_s = -(-uptime_ms // 1000)
        self._after_s = 0
        if next_s - self.grid_tick_s <= TOLERANCE_S:
            next_s += HALF_HOUR_S
        if next_s - self.grid_tick_s > HALF_HOUR_S + TOLERANCE_S and now_s < next_s:
            self._next_s = now_s
            self._after_s = next_s
        else:
            self._next_s = max(next_s, now_s)

    def recent(self) -> "tuple[int, ...]":
        """Return the increments before the newest tick, newest first.

        They stop before one that overflowed and where moves of the phase add up to more than
        `TOLERANCE_S`: entry i stands for 1800 i seconds before the newest tick.
        """
        recent = []
        moved_s = 0
        for age in range(self._filled):
            place = (self._newest + age) % self._slots
            moved_s += self._moves_s[place]
            if self._increments[place] == _OVERFLOW or abs(moved_s) > TOLERANCE_S:
                break
            recent.append(self._increments[place])
        return tuple(recent)
