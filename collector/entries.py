"""What the journal holds and the fold takes: receptions of verified telegrams, each stamped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shared.timegrid import half_hour_floor_s
from shared.wire.grid import COUNT_MODULUS


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
        increments: pulses of the half-hours of the unit's clock before that tick, newest first.
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
    increments: tuple[int, ...] = ()
    error_flags: int = 0
    is_authentic: bool = True


@dataclass(frozen=True, slots=True)
class Pairing:
    """What the pairing fixed.

    Attributes:
        paired_ms: when, in UNIX milliseconds; the half-hour around it is the first.
        base_count: the unit's count then.
        pulses_max: more pulses than this in a half-hour are implausible.
    """

    paired_ms: int
    base_count: int
    pulses_max: int

    @property
    def first_s(self) -> int:
        """The first boundary, where no pulse has been counted: the first half-hour's start."""
        return half_hour_floor_s(self.paired_ms // 1000)


def forward(newer: int, older: int) -> int:
    """Pulses from one cyclic count to another; negative if it is nearer behind than ahead."""
    half = COUNT_MODULUS >> 1
    return (newer - older + half) % COUNT_MODULUS - half
