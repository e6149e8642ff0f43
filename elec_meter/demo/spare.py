"""A second unit of the demo, on a second gas meter, for a visitor to pair."""

from __future__ import annotations

from typing import Final

from collector import ReceivedFrame, VirtualRadio
from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.label import UnitLabel

LABEL: Final = UnitLabel(
    serial="00000002",
    key=bytes.fromhex("000F0E0D0C0B0A090807060504030201"),
    passkey="654321",
)
MPRN: Final = "3938424403"
"""No gas meter's; its check digits are right."""

DIAL_AT_FIRST_L: Final = 1_234_567
"""What its gas meter shows when the unit has counted nothing."""

PULSE_L: Final = 10
BURN_PULSES: Final = 10
_APART_MS: Final = 6_000
"""As fast as its gas meter can turn."""


def spare_dial(pulses: int) -> str:
    """The dial of its gas meter in m3 after so many pulses: five digits, and three red ones."""
    litres = DIAL_AT_FIRST_L + PULSE_L * pulses
    return f"{litres // 1_000 % 100_000:05}.{litres % 1_000:03}"


class SpareUnit:
    """It counts what a visitor burns, and speaks through a radio that loses nothing.

    Args:
        at_ms: when its battery is put in, UTC ms.
        seed: of its radio.
        nvm: its memory; None for a new unit.
    """

    def __init__(self, at_ms: int, seed: int, nvm: bytes | None = None) -> None:
        self.unit = VirtualUnit(LABEL.serial, LABEL.key, UnitConfig(), nvm=nvm, boot_utc_ms=at_ms)
        self._radio = VirtualRadio(seed=seed, delay_max_s=0)
        self._free_ms = at_ms

    def press(self, at_ms: int) -> None:
        """Press its button: it speaks every few seconds for some minutes."""
        self.unit.press(INPUT_BUTTON, at_ms)
        self.unit.press(0, at_ms)

    def burn(self, at_ms: int) -> None:
        """Let its gas meter turn some times from now on."""
        first_ms = max(at_ms + 1, self._free_ms)
        for number in range(BURN_PULSES):
            self.unit.pulse(first_ms + number * _APART_MS)
        self._free_ms = first_ms + BURN_PULSES * _APART_MS

    def next_ms(self) -> int:
        """When it or its radio does something next, UTC ms."""
        in_flight_ms = self._radio.next_frame_utc_ms()
        unit_ms = self.unit.next_timer_utc_ms()
        return unit_ms if in_flight_ms is None else min(unit_ms, in_flight_ms)

    def advance(self, at_ms: int) -> list[ReceivedFrame]:
        """Run its timers up to an instant; what is heard of it then."""
        for sent_ms, frame in self.unit.advance(at_ms):
            self._radio.send(frame, sent_ms)
        return self._radio.receive_until(at_ms)
