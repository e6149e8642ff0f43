"""What a session needs to know of its line, and what it hands to whoever sends for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from elec_meter.access import Level

SPEEDS_BPS: Final = {
    "0": 300,
    "1": 600,
    "2": 1_200,
    "3": 2_400,
    "4": 4_800,
    "5": 9_600,
    "6": 19_200,
}
"""The speeds of mode C by their characters (IEC 62056-21, 6.3.14)."""

CHARACTER_BITS: Final = 10
"""A start bit, seven data bits and parity or eight without, a stop bit."""


class LineSetting(NamedTuple):
    """How characters travel.

    Attributes:
        speed_bps: bit/s; 0 where the line has no speed of its own.
        is_seven_bit: seven bits with even parity; otherwise eight without.
    """

    speed_bps: int = 0
    is_seven_bit: bool = True


class Sending(NamedTuple):
    """Bytes, how they are to be sent, and how long after what they answer."""

    data: bytes
    setting: LineSetting
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class FlagTiming:
    """How long the meter waits.

    Attributes:
        option_ms: for the option select message after the identification.
        repeat_ms: for a repeat request after the data readout.
        character_ms: for the next character of a message (IEC 62056-21, 6.3.14: 1500 ms).
        inactivity_ms: for anything sensible at all, before the session closes.
        switch_ms: on a line that has speeds, before it answers at another one: readers pause
            before they switch.
    """

    option_ms: int = 2_000
    repeat_ms: int = 2_000
    character_ms: int = 1_500
    inactivity_ms: int = 120_000
    switch_ms: int = 300


@dataclass(frozen=True, slots=True)
class FlagLine:
    """What a session needs to know of its line.

    Attributes:
        port: what lock-outs and the event log call it.
        timing: how long it waits.
        repeats: how often a block is sent again on request, and a message asked for again.
        software_parity: whether parity bits are set here, on a line that has none of its own.
        opening_bps: the speed at which every session begins; 0 for a line without one, such as TCP.
        is_exposed: whether strangers may listen to it and speak into it: then a write at level 2
            and above needs a MAC, and clear passwords are not taken.
        reads_at_once: mode A: a request is answered by the readout itself, at the opening speed.
        level: what may be read without a sign-on: for a line that leads to an add-on module and
            nobody else, a reader's.
    """

    port: str = "FLAG TCP"
    timing: FlagTiming = FlagTiming()
    repeats: int = 3
    software_parity: bool = False
    opening_bps: int = 0
    is_exposed: bool = False
    reads_at_once: bool = False
    level: Level = Level.PUBLIC

    def setting_of(self, speed: str) -> LineSetting:
        """How a session goes on once a speed was chosen by its character."""
        return LineSetting(SPEEDS_BPS[speed] if self.opening_bps else 0)

    def sending_ms(self, octets: int, setting: LineSetting) -> int:
        """How long so many bytes are under way."""
        if not setting.speed_bps:
            return 0
        return octets * CHARACTER_BITS * 1_000 // setting.speed_bps
