"""What is heard while a pairing waits, and what to try when it is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.wire.errors import WireError
from shared.wire.header import parse_header
from shared.wire.seal import SEND_INSTALLATION
from shared.wire.wmbus import unframe

from . import events
from .bearers.base import ReceivedFrame
from .events import CountReceived, Event, TelegramReceived

_WIRED_START = b"\x68"
_STRANGERS_MAX = 64
_NOISE_FRAMES = 5  # so many damaged ones any place brings
_BLUETOOTH = "ble"


@dataclass(slots=True)
class Signal:
    """How well the unit is heard that a pairing waits for.

    Attributes:
        frames: everything that was heard, of whomever.
        of_unit: frames in the unit's name.
        accepted: those of them that are readings.
        key_refused: those that it does not open.
        enciphered: those for which a key is missing.
        kind_refused: those that are of another medium.
        unproven: those whose security proves nothing, where that was not allowed.
        countless: those in which the count is not that was named.
        unread: those that are refused for another reason, and `reason` is the newest one's.
        reason: see there.
        asked_for: accepted ones that say that somebody pressed the unit's button.
        over_bluetooth: accepted ones that came over a connection, which says nothing of a button.
        damaged: frames that arrived with errors; nobody knows whose. Those of a kind that is not
            spoken here are not among them.
        strangers: serials of other units that were heard, the first few.
        rssi_dbm: strength of the newest frame of the unit, where there is a signal.
        rssi_best_dbm: the strongest so far.
    """

    frames: int = 0
    of_unit: int = 0
    accepted: int = 0
    key_refused: int = 0
    enciphered: int = 0
    kind_refused: int = 0
    unproven: int = 0
    countless: int = 0
    unread: int = 0
    reason: str = ""
    asked_for: int = 0
    over_bluetooth: int = 0
    damaged: int = 0
    strangers: set[str] = field(default_factory=set)
    rssi_dbm: int | None = None
    rssi_best_dbm: int | None = None

    def note(self, serial: str, frame: ReceivedFrame, outcome: Event) -> None:
        """Count a frame, and what became of it at the gate."""
        self.frames += 1
        if outcome.serial is None:
            self.damaged += isinstance(outcome, (events.BadCrc, events.MalformedFrame))
            return
        if outcome.serial != serial or isinstance(outcome, events.UnknownUnit):
            if len(self.strangers) < _STRANGERS_MAX:
                self.strangers.add(outcome.serial)
            return
        self.of_unit += 1
        if frame.rssi_dbm is not None:
            self.rssi_dbm = frame.rssi_dbm
            best = self.rssi_best_dbm
            self.rssi_best_dbm = frame.rssi_dbm if best is None else max(best, frame.rssi_dbm)
        if isinstance(outcome, (TelegramReceived, CountReceived)):
            self.accepted += 1
            self.asked_for += is_asked_for(frame)
            self.over_bluetooth += frame.bearer == _BLUETOOTH
        elif isinstance(outcome, events.BadMac):
            self.key_refused += 1
        elif isinstance(outcome, events.KeyMissing):
            self.enciphered += 1
        elif isinstance(outcome, events.WrongMedium):
            self.kind_refused += 1
        elif isinstance(outcome, events.PlaintextDowngrade):
            self.unproven += 1
        elif isinstance(outcome, events.NoCount):
            self.countless += 1
        elif isinstance(outcome, (events.UnsupportedFrame, events.MalformedRecord)):
            self.unread += 1
            self.reason = outcome.reason

    def advice(self, serial: str, *, has_button: bool = True, is_long: bool = True) -> list[str]:
        """What a person should know or try, the likeliest first; plain sentences.

        Args:
            serial: the unit's.
            has_button: whether it has one that makes it send at once.
            is_long: whether so much time has passed that silence says something of the receiver.
        """
        return list(self._advice(serial, has_button=has_button, is_long=is_long))

    def _advice(self, serial: str, *, has_button: bool, is_long: bool) -> Iterator[str]:
        if self.over_bluetooth and not self.asked_for:
            yield (
                f"the unit {serial} is heard and its key is right: over Bluetooth it does not say"
                " that its button was pressed, so begin again and say that any telegram will do"
            )
        elif self.accepted and not self.asked_for:
            yield (
                f"the unit {serial} is heard and its key is right:"
                " press its button, or swipe the magnet along its mark and take it away"
            )
        elif self.key_refused and not self.accepted:
            yield (
                f"the unit {serial} is heard, {self.key_refused} times, and the key is not its:"
                " read the label on this very unit again"
            )
        elif self.enciphered:
            yield f"the unit {serial} is heard and enciphers what it says: give its key"
        elif self.kind_refused:
            yield f"the unit {serial} is heard and counts something else: name its medium"
        elif self.unproven:
            yield (
                f"the unit {serial} is heard and its telegrams prove nothing:"
                " pair it so that this is allowed, or not at all"
            )
        elif self.countless:
            yield (
                f"the unit {serial} is heard and has no such count:"
                " `collector decode` shows which records it sends"
            )
        elif self.unread and not self.accepted:
            yield f"the unit {serial} is heard and cannot be read: {self.reason}"
        elif not self.of_unit:
            how = "press its button, and " if has_button else ""
            yield f"the unit {serial} is not heard: {how}stay within a few metres"
            if self.strangers:
                yield (
                    f"{len(self.strangers)} other units are heard, so the receiver works:"
                    " compare the serial with the label"
                )
            elif not self.frames and is_long:
                yield "nothing at all is heard: is the receiver plugged in, with its aerial?"
        if self.damaged > self.accepted and (is_long or self.damaged > _NOISE_FRAMES):
            yield f"{self.damaged} frames arrived damaged: move the receiver or its aerial"
        if self.rssi_best_dbm is not None and self.rssi_best_dbm < WEAK_DBM:
            yield f"the signal is weak, {self.rssi_best_dbm} dBm: move the receiver nearer"


WEAK_DBM = -95
"""Below this a telegram in some is lost indoors; receivers end at about -105 dBm."""


def is_asked_for(frame: ReceivedFrame) -> bool:
    """Whether a unit sent this because of its button (C field SND-IR), or over a wire of ours.

    No MAC covers the field: only what is otherwise authentic says something by it.
    """
    if frame.data[:1] == frame.data[3:4] == _WIRED_START:
        return True
    try:
        return parse_header(unframe(frame.data)).control == SEND_INSTALLATION
    except WireError:
        return False
