"""A pulse unit on paper: its pulses are planned, its telegrams are sealed like any other."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import Final

from shared.crypto.backend_cryptography import AesBlock
from shared.timegrid import HALF_HOUR_S, half_hour_floor_s
from shared.wire.seal import seal_telegram
from shared.wire.telegram import HISTORY_BYTES, PulseTelegram, encode_records
from shared.wire.wmbus import frame_a

PERIOD_S: Final = 900
SENT_AFTER_S: Final = 5
"""Telegrams leave so long after every quarter of an hour, and so just after every boundary."""
FIRST_COUNT: Final = 1_000
"""The count at the pairing; a unit that tells 0 tells nothing."""
_BATTERY_LEFT_D: Final = 7_300
_COUNT_MODULUS: Final = 1 << 32


class PaperUnit:
    """One unit, with a clock that neither gains nor loses.

    Args:
        serial: identification number, 8 digits.
        key: 16 bytes.
        paired_s: when it is paired, UNIX seconds on a half-hour boundary; it was started two
            half-hours before.
    """

    def __init__(self, serial: str, key: bytes, paired_s: int) -> None:
        self.serial = serial
        self.key = key
        self._booted_s = paired_s - 2 * HALF_HOUR_S
        self._pulses_s: list[int] = []
        self._messages = 0

    def turn(self, start_s: int, pulses: int) -> None:
        """Count so many pulses in the half-hour that starts then, evenly and clear of its ends."""
        spread = (start_s + HALF_HOUR_S * (2 * n + 1) // (2 * pulses) for n in range(pulses))
        self._pulses_s = sorted([*self._pulses_s, *spread])

    def frame(self, at_s: int) -> bytes:
        """The radio frame that it sends at a UNIX second, history included."""
        self._messages += 1
        telegram = self._telegram(at_s)
        return frame_a(
            seal_telegram(
                AesBlock,
                self.key,
                self.serial,
                encode_records(telegram),
                self._messages,
                self._messages & 0xFF,
            )
        )

    def _telegram(self, at_s: int) -> PulseTelegram:
        turned = bisect_right(self._pulses_s, at_s)
        tick_s = half_hour_floor_s(at_s)
        ticks_s = range(tick_s, self._booted_s, -HALF_HOUR_S)[: HISTORY_BYTES + 1]
        # A pulse at the very tick belongs to the half-hour that starts there.
        counts = [bisect_right(self._pulses_s, each_s - 1) for each_s in ticks_s]
        return PulseTelegram(
            count=(FIRST_COUNT + turned) % _COUNT_MODULUS,
            uptime_s=at_s - self._booted_s,
            last_pulse_age_s=at_s - self._pulses_s[turned - 1] if turned else None,
            battery_left_d=_BATTERY_LEFT_D,
            reset_counter=1,
            grid_count=(FIRST_COUNT + counts[0]) % _COUNT_MODULUS,
            grid_age_s=at_s - tick_s,
            increments=tuple(newer - older for newer, older in pairwise(counts)),
        )


def next_sending_s(after_s: int) -> int:
    """The first UNIX second after this one at which units send."""
    return (after_s - SENT_AFTER_S) // PERIOD_S * PERIOD_S + PERIOD_S + SENT_AFTER_S
