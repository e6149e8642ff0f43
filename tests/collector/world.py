"""A pulse unit on paper, and a journal that stamps what is received from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from collector.entries import (
    CountEntry,
    EndEntry,
    Entry,
    JournalEntry,
    LogEntry,
    LogTick,
    Stamp,
    TelegramKey,
)
from shared.wire.telegram import PulseTelegram

START_S = 1_767_225_600  # 2026-01-01 00:00 UTC, a boundary
MODULUS = 1 << 32


class PaperUnit:
    """Pulses at given instants of UTC, told by a clock that drifts.

    Args:
        pulses_ms: when the pulses are, rising.
        first_count: the count before the first of them.
        drift_ppm: what its clock gains.
        boot_ms: when its clock was started.
    """

    def __init__(
        self,
        pulses_ms: Iterable[int],
        *,
        first_count: int = 0,
        drift_ppm: int = 0,
        boot_ms: int = START_S * 1000,
    ) -> None:
        self.pulses_ms = list(pulses_ms)
        self.first_count = first_count
        self.drift_ppm = drift_ppm
        self.boot_ms = boot_ms
        self.boot = 1
        self.counter = 0
        self.grid_s: list[int] = []
        self.next_grid_s = 1800
        self._logged: list[LogTick] = []

    def uptime_ms(self, utc_ms: int) -> int:
        """The unit's clock."""
        return (utc_ms - self.boot_ms) * (1_000_000 + self.drift_ppm) // 1_000_000

    def utc_ms(self, uptime_ms: int) -> int:
        """When the unit's clock shows this."""
        return self.boot_ms + -(-uptime_ms * 1_000_000 // (1_000_000 + self.drift_ppm))

    def turned(self, utc_ms: int) -> int:
        """How many pulses there have been, in truth."""
        return bisect_right(self.pulses_ms, utc_ms)

    def reboot(self, utc_ms: int) -> None:
        """Start the clock anew."""
        self._run(utc_ms)
        self.boot += 1
        self.counter += 1000
        self.boot_ms = utc_ms
        self.grid_s = []
        self.next_grid_s = 1800

    def set_phase(self, utc_ms: int, since_boundary_ms: int) -> None:
        """Move the grid so that it has a tick at the next boundary."""
        self._run(utc_ms)
        self.next_grid_s = (self.uptime_ms(utc_ms) + 1_800_000 - since_boundary_ms + 500) // 1000

    def telegram(self, utc_ms: int, *, error_flags: int = 0, history: int = 96) -> PulseTelegram:
        """What it says now."""
        self._run(utc_ms)
        self.counter += 1
        uptime_s = self.uptime_ms(utc_ms) // 1000
        turned = self.turned(utc_ms)
        age_s = None
        if turned and self.pulses_ms[turned - 1] >= self.boot_ms:
            age_s = uptime_s - self.uptime_ms(self.pulses_ms[turned - 1]) // 1000
        grid = self.grid_s[-history - 1 :][::-1]
        counts = [self.turned(self.utc_ms(tick_s * 1000)) for tick_s in grid]
        last = next(
            (n for n in range(1, len(grid)) if abs(grid[0] - 1800 * n - grid[n]) > 10), len(grid)
        )
        return PulseTelegram(
            count=(self.first_count + turned) % MODULUS,
            uptime_s=uptime_s,
            last_pulse_age_s=age_s,
            error_flags=error_flags,
            reset_counter=self.boot,
            grid_count=(self.first_count + counts[0]) % MODULUS if grid else None,
            grid_age_s=uptime_s - grid[0] if grid else None,
            increments=tuple(counts[n] - counts[n + 1] for n in range(last - 1)),
        )

    def log(self, utc_ms: int) -> list[LogTick]:
        """Its own log: counts at all ticks of its grid, of all its boots."""
        self._run(utc_ms)
        return list(self._logged)

    def _run(self, utc_ms: int) -> None:
        while self.next_grid_s * 1000 <= self.uptime_ms(utc_ms):
            self.grid_s.append(self.next_grid_s)
            count = self.first_count + self.turned(self.utc_ms(self.next_grid_s * 1000))
            self._logged.append(LogTick(self.boot, self.next_grid_s, count % MODULUS))
            self.next_grid_s += 1800


class PaperJournal:
    """Stamps receptions as the journal does."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.epoch = 1
        self._last_ms = 0
        self._newest: TelegramKey | None = None
        self._known: set[LogTick] = set()

    def receive(
        self,
        key: TelegramKey,
        telegram: PulseTelegram,
        received_ms: int,
        delay_max_s: int | None = 5,
        *,
        is_authentic: bool = True,
    ) -> JournalEntry:
        """Append a reception."""
        stamp = self._stamp(received_ms)
        is_overtaken = self._newest is not None and key < self._newest
        is_bounded = delay_max_s is not None and not is_overtaken
        entry = JournalEntry(
            stamp=stamp,
            key=key,
            earliest_ms=received_ms - delay_max_s * 1000 if is_bounded else None,
            latest_ms=received_ms,
            uptime_s=telegram.uptime_s,
            count=telegram.count,
            last_pulse_age_s=telegram.last_pulse_age_s,
            grid_count=telegram.grid_count,
            grid_age_s=telegram.grid_age_s,
            increments=telegram.increments,
            error_flags=telegram.error_flags,
            is_authentic=is_authentic,
        )
        self._newest = key if self._newest is None else max(self._newest, key)
        self.entries.append(entry)
        return entry

    def receive_count(
        self, counter: int, count: int, received_ms: int, delay_max_s: int | None = 5
    ) -> CountEntry:
        """Append a reception that tells a count and no clock."""
        earliest_ms = None if delay_max_s is None else received_ms - delay_max_s * 1000
        key = TelegramKey(0, counter)
        stamp = self._stamp(received_ms)
        entry = CountEntry(stamp, key, earliest_ms, received_ms, count % MODULUS)
        self.entries.append(entry)
        return entry

    def read_log(self, ticks: Iterable[LogTick], received_ms: int) -> None:
        """Append what was read of a log, as far as it is new."""
        fresh = tuple(sorted(set(ticks) - self._known))
        self._known |= set(fresh)
        if fresh:
            self.entries.append(LogEntry(self._stamp(received_ms), fresh))

    def end(self, pulses: int, received_ms: int) -> None:
        """Append that the unit was taken off."""
        self.entries.append(EndEntry(self._stamp(received_ms), received_ms, pulses))

    def _stamp(self, received_ms: int) -> Stamp:
        self._last_ms = max(received_ms, self._last_ms + 1)
        return Stamp(self.epoch, self._last_ms)
