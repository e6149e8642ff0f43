"""What a person, a head end or the limiter switches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .access import Level
from .clock import from_unix_us, unix_us
from .config.switchgear import LONGEST_BOOST_MIN
from .configured import PROGRAM, require_level
from .contactor import ControlState, Trigger
from .errors import TerminalError
from .events import EventCode
from .planned import PlannedMeter

if TYPE_CHECKING:
    from .alarms import Alarm
    from .switchgear import Occurrence

BUTTON: Final = "the button"
LONG_PRESS_MS: Final = 2_000
"""A button that is held for this long asks for something else than one that is pressed."""

_FLOWING_A: Final = 0.1


class SwitchedMeter(PlannedMeter):
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

    def switch_relay(
        self,
        number: int,
        is_on: bool,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Switch a relay that follows orders; it stays so, also through an outage.

        Args:
            number: of the terminal; 9 for the switched load.
            is_on: how it is to be.
            now: the host's UTC.
            level: who may.
            author: who does.

        Raises:
            NotAllowedError: below level 2.
            TerminalError: it is no relay, or follows something else.
        """
        require_level(level, Level.INSTALLER, "switch a relay")
        self._advance(now)
        self.switchgear.terminals.relay(number).switch(is_on)
        text = f"relay {number} was switched {'on' if is_on else 'off'} by {author}"
        self.storage.record_event(EventCode.RELAY_SWITCHED, text, self._now)
        self.checkpoint()

    def boost_relay(
        self,
        number: int,
        minutes: int | None,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> int:
        """Have a relay on for some minutes, whatever else it follows; return how many.

        Args:
            number: of the terminal; 9 for the switched load.
            minutes: how many; None for as many as are configured, 0 to end a boost.
            now: the host's UTC.
            level: who may.
            author: who does.

        Raises:
            NotAllowedError: below level 1.
            TerminalError: it is no relay, has no boost, or the boost would be longer than a day.
        """
        require_level(level, Level.READER, "boost a relay")
        if minutes is not None and not 0 <= minutes <= LONGEST_BOOST_MIN:
            raise TerminalError(f"a boost has at most {LONGEST_BOOST_MIN} minutes")
        self._advance(now)
        relay = self.switchgear.terminals.relay(number)
        minutes = relay.boost(minutes, unix_us(self._now))
        what = f"was boosted for {minutes} min" if minutes else "is boosted no longer:"
        text = f"relay {number} {what} by {author}"
        self.storage.record_event(EventCode.RELAY_BOOSTED, text, self._now)
        self.checkpoint()
        return minutes

    def clear_alarms(
        self, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> Alarm:
        """Somebody has looked at the alarms; return what there were.

        Raises:
            NotAllowedError: below level 2.
        """
        require_level(level, Level.INSTALLER, "clear alarms")
        self._advance(now)
        text = f"the alarms {int(self.alarms.raised):#010x} were cleared by {author}"
        self.storage.record_event(EventCode.ALARMS_CLEARED, text, self._now)
        raised = self.alarms.clear()
        self.checkpoint()
        return raised

    def receive_edge(self, number: int, is_closed: bool, at: datetime, now: datetime) -> None:
        """The contact at a pulse input closed or opened; its bounce counts nothing.

        What is no pulse input now is passed over: somebody may be wiring it. The pulses belong to
        the half-hour in which they are heard of.

        Args:
            number: of the terminal.
            is_closed: how the contact is from then on; the first call after power came says how it
                rests.
            at: when, in the host's UTC; never before an earlier one of the same contact.
            now: the host's UTC.
        """
        self._advance(now)
        contact = self.switchgear.terminals.inputs.get(number)
        if contact is not None:
            contact.edge(is_closed, unix_us(at))

    def _trigger(self, trigger: Trigger, author: str, now: datetime) -> bool:
        self._advance(now)
        occurred = self.switchgear.trigger(trigger, author, unix_us(self._now))
        self._record(occurred)
        self.checkpoint()
        return bool(occurred)

    def _watch(self) -> None:
        """Look at what is drawn, and at what is to be switched, by now."""
        switchgear, now_us = self.switchgear, unix_us(self._now)
        time_s = self.clock.read_s(self._now)
        switchgear.terminals.advance(now_us, time_s)
        self.led.advance(self.ledger.active_mj, now_us)
        for number, output in switchgear.terminals.outputs.items():
            output.advance(self._assembly.told(number))
        live = self._live(self._now)
        value = self._assembly.limited() if switchgear.limiter.is_on else None
        is_flowing = live is not None and live.i_rms_a > _FLOWING_A
        occurred = [
            *switchgear.watch(value, now_us, time_s),
            *switchgear.feel(is_flowing=is_flowing, now_us=now_us),
        ]
        if occurred:
            self._record(occurred)
            self._has_checkpointed()

    def _switching(self) -> Iterator[datetime]:
        """When `_watch` is due."""
        due_us = self.switchgear.next_us(unix_us(self._now))
        if due_us is not None:
            yield from_unix_us(due_us)
        due_s = self.switchgear.terminals.next_s
        due = None if due_s is None else self.clock.next_host(due_s, self._now)
        if due is not None:
            yield due

    def _record(self, occurred: list[Occurrence]) -> None:
        for code, text in occurred:
            self.storage.record_event(code, text, self._now)
