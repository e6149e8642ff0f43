"""What the journal holds and the fold takes: what was told of a unit's count, each time stamped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.timegrid import DAY_S, half_hour_floor_s
from shared.wire.grid import COUNT_MODULUS

HORIZON_S: Final = 48 * 3600
"""H: how long after a boundary evidence for it may still come in."""

LOG_HORIZON_S: Final = 31 * DAY_S
"""H of a unit whose log can be read."""


class Stamp(NamedTuple):
    """When the journal took an entry: unique, and rising in both parts.

    Attributes:
        epoch: which spell of the collector's clock, from one power-up or clock set to the next.
        received_ms: UNIX milliseconds; never below those of an earlier stamp.
    """

    epoch: int
    received_ms: int


class TelegramKey(NamedTuple):
    """The order in which a unit sent its telegrams; no two share a key."""

    boot: int
    counter: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One reception of one telegram.

    A second reception of the same telegram is a second entry with the same key and another
    interval; what it says counts once.

    Attributes:
        stamp: when the journal took it.
        key: the telegram's place in the order of sending.
        earliest_ms: UNIX milliseconds before which it cannot have been sent, by the collector's
            clock; None if it may have waited for any time.
        latest_ms: UNIX milliseconds after which it cannot have been sent.
        uptime_s: the unit's clock when it was sent, rounded down.
        count: pulses, modulo 2^32.
        last_pulse_age_s: seconds from the last pulse to `uptime_s`; saturates at 0x7FFFFF.
        grid_count: count at the newest 30-minute tick of the unit's clock.
        grid_age_s: seconds from that tick to `uptime_s`.
        increments: pulses of the half-hours of the unit's clock before that tick, newest first; in
            bytes where they fit, so that two of them are to be compared number by number.
        error_flags: `shared.wire.telegram.FLAG_...`.
        is_authentic: whether a MAC proves all this.
    """

    stamp: Stamp
    key: TelegramKey
    earliest_ms: int | None
    latest_ms: int
    uptime_s: int
    count: int
    last_pulse_age_s: int | None = None
    grid_count: int | None = None
    grid_age_s: int | None = None
    increments: Sequence[int] = ()
    error_flags: int = 0
    is_authentic: bool = True


@dataclass(frozen=True, slots=True)
class CountEntry:
    """One reception of a frame that tells a count and no clock: an advert, another maker's meter.

    Attributes:
        stamp: when the journal took it.
        key: the frame's place in the order of sending among its like; telegrams are numbered apart.
        earliest_ms: as in `JournalEntry`.
        latest_ms: likewise.
        count: pulses, modulo 2^32.
        is_authentic: whether a MAC or MIC proves it.
    """

    stamp: Stamp
    key: TelegramKey
    earliest_ms: int | None
    latest_ms: int
    count: int
    is_authentic: bool = True


class LogPlace(NamedTuple):
    """A place in a unit's log: a boot, and its uptime in seconds."""

    boot: int
    tick_s: int


class LogTick(NamedTuple):
    """An entry of a unit's own log: the count that it told at a tick of its clock."""

    boot: int
    tick_s: int
    told: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one reading of a unit's log told that no reading before it had.

    Attributes:
        stamp: when the journal took it.
        ticks: in order of boot and tick.
    """

    stamp: Stamp
    ticks: tuple[LogTick, ...]


@dataclass(frozen=True, slots=True)
class EndEntry:
    """The unit was taken off its meter: nothing that it tells counts for more than this.

    Attributes:
        stamp: when the journal took it.
        ended_ms: when it was taken off, in UNIX milliseconds.
        pulses: since the pairing, all that it counted.
    """

    stamp: Stamp
    ended_ms: int
    pulses: int


Entry = JournalEntry | CountEntry | LogEntry | EndEntry


@dataclass(frozen=True, slots=True)
class Pairing:
    """What the pairing fixed.

    Attributes:
        paired_ms: when, in UNIX milliseconds; the half-hour around it is the first.
        base_count: the unit's count then.
        pulses_max: more pulses than this in a half-hour are implausible.
        horizon_s: H: `HORIZON_S`, or `LOG_HORIZON_S` where the unit's log can be read.
    """

    paired_ms: int
    base_count: int
    pulses_max: int
    horizon_s: int = HORIZON_S

    @property
    def first_s(self) -> int:
        """The first boundary, where no pulse has been counted: the first half-hour's start."""
        return half_hour_floor_s(self.paired_ms // 1000)

    @property
    def block_days(self) -> int:
        """Days of the blocks in which entries leave the fold: longer than the horizon.

        What is stamped before the block that precedes that of the newest stamp is left out.
        """
        return self.horizon_s // DAY_S + 2

    def window_ms(self, stamp_ms: int) -> int:
        """The first stamp, in UNIX milliseconds, that is not left out beside a newest one."""
        block_ms = self.block_days * DAY_S * 1000
        return (stamp_ms // block_ms - 1) * block_ms


def forward(newer: int, older: int) -> int:
    """Pulses from one cyclic count to another; negative if it is nearer behind than ahead."""
    half = COUNT_MODULUS >> 1
    return (newer - older + half) % COUNT_MODULUS - half
