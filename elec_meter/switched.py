"""What a person, a head end or the limiter switches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .access import Level
from .clock import from_unix_us, unix_us
from .configured import PROGRAM, ConfiguredMeter, require_level
from .contactor import ControlState, Trigger

if TYPE_CHECKING:
    from .switchgear import Occurrence

BUTTON: Final = "the button"
LONG_PRESS_MS: Final = 2_000
"""A button that is held for this long asks for something else than one that is pressed."""

_FLOWING_A: Final = 0.1


class SwitchedMeter(ConfiguredMeter):
    """The part of the meter that switches. Each order is logged with its author.

    Nobody but a person at the meter closes the contactor, and only when it has been armed.
    """

    def open_contactor(
        self, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> bool:
        """Open the contactor, or take back that it is armed; False if it is open already.

        Raises:
            NotAllowedError: below level 3.
            ContactorError: there is none.
        """
        require_level(level, Level.SUPPLIER, "open the contactor")
        return self._trigger(Trigger.REMOTE_DISCONNECT, author, now)

    def arm_contactor(
        self, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> bool:
        """Let a person at the meter close the contactor; False if they may already.

        It ends the limiter's lock-out.

        Raises:
            NotAllowedError: below level 3.
            ContactorError: it is closed, or there is none.
        """
        require_level(level, Level.SUPPLIER, "arm the contactor")
        return self._trigger(Trigger.REMOTE_RECONNECT, author, now)

    def open_by_hand(self, now: datetime) -> bool:
        """A person at the meter opens the contactor, where its control mode allows that.

        Raises:
            ContactorError: it does not.
        """
        return self._trigger(Trigger.MANUAL_DISCONNECT, "hand", now)

    def press_button(self, now: datetime, *, held_ms: int = 0) -> None:
        """The button was pressed, and let go now.

        A long press closes the contactor once the display has asked for it: see `Display.hold`.
        """
        self._advance(now)
        if held_ms < LONG_PRESS_MS:
            self.display.press(self._now)
        elif self.display.hold(self._now) and (
            self.switchgear.contactor.state is ControlState.READY_FOR_RECONNECTION
        ):
            self._trigger(Trigger.MANUAL_RECONNECT, BUTTON, now)

    def _trigger(self, trigger: Trigger, author: str, now: datetime) -> bool:
        self._advance(now)
        occurred = self.switchgear.trigger(trigger, author, unix_us(self._now))
        self._record(occurred)
        self.checkpoint()
        return bool(occurred)

    def _watch(self) -> None:
        """Look at what is drawn, and at what is to be switched, by now."""
        switchgear, now_us = self.switchgear, unix_us(self._now)
        live = self._live(self._now)
        value = self._assembly.limited() if switchgear.limiter.is_on else None
        is_flowing = live is not None and live.i_rms_a > _FLOWING_A
        occurred = [
            *switchgear.watch(value, now_us, self.clock.read_s(self._now)),
            *switchgear.feel(is_flowing=is_flowing, now_us=now_us),
        ]
        if occurred:
            self._record(occurred)
            self._has_checkpointed()

    def _switching(self) -> Iterator[datetime]:
        """When `_watch` is due."""
        due_us = self.switchgear.next_us()
        if due_us is not None:
            yield from_unix_us(due_us)

    def _record(self, occurred: list[Occurrence]) -> None:
        for code, text in occurred:
            self.storage.record_event(code, text, self._now)
