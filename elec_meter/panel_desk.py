"""A running meter as the web panel sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from collector import CollectorError, Desk, ReceivedFrame
from shared.errors import SharedError

from .access import Gate, Level, SignedOn
from .config import MeterConfig
from .configured import require_level
from .control import Orders, decode_request
from .display import DisplaySnapshot
from .errors import ControlError, NotAllowedError
from .meter import Meter
from .objects import Directory
from .pairing_place import PairingPlaceOfMeter
from .switched import LONG_PRESS_MS

if TYPE_CHECKING:
    import ssl

    from .panel import HouseControls

_STEPS: Final = ("begin", "status", "meter", "confirm", "commit", "cancel")
_PAIRING: Final = frozenset(["unpair", *(f"pair.{step}" for step in _STEPS)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPlace:
    """Where the web panel is opened, and how.

    Attributes:
        host: where it listens.
        port: likewise; 0 takes any that is free.
        tls: encrypts its connections; None for none.
        is_insecure: whether it may be open to a network in clear.
        names: host names by which it is asked for, beside this computer's own.
        is_at_meter: whether whoever clicks is taken for a person at the meter, which holds where
            there is no house that could come to harm.
        demo: controls of a simulated house, which is none either.
        has_receiver: whether anything brings the telegrams of a unit that is being paired.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    is_insecure: bool = False
    names: tuple[str, ...] = ()
    is_at_meter: bool = False
    demo: HouseControls | None = None
    has_receiver: bool = True


class PanelDesk:
    """The `panel.PanelMeter` of a runtime.

    Args:
        meter: the meter.
        gate: who is let in.
        orders: who carries out orders.
        now: the host's UTC.
        durable: brings the meter up to now and commits.
        is_at_meter: whether whoever clicks is taken for a person at the meter, as in a demo. A long
            press may close the contactor, which takes one.
        has_receiver: see `PanelPlace`.
    """

    def __init__(
        self,
        meter: Meter,
        gate: Gate,
        orders: Orders,
        *,
        now: Callable[[], datetime],
        durable: Callable[[], None],
        is_at_meter: bool,
        has_receiver: bool = True,
    ) -> None:
        self._meter = meter
        self._has_receiver = has_receiver
        self._orders = orders
        self._is_at_meter = is_at_meter
        self._place = PairingPlaceOfMeter(meter)
        self._pairing = Desk(self._place)
        self.gate = gate
        self.now = now
        self.durable = durable

    @property
    def directory(self) -> Directory:
        """Everything that can be read."""
        return self._meter.objects

    @property
    def config(self) -> MeterConfig:
        """The configuration in force."""
        return self._meter.config

    def face(self) -> DisplaySnapshot:
        """What stands on the display."""
        return self._meter.display.snapshot(self.now())

    def press(self, *, held_ms: int) -> None:
        """Press the button.

        Raises:
            NotAllowedError: it would be held, and nobody is at the meter.
        """
        if held_ms >= LONG_PRESS_MS and not self._is_at_meter:
            raise NotAllowedError("only a person at the meter holds its button")
        self._meter.press_button(self.now(), held_ms=held_ms)

    def hear(self, frame: ReceivedFrame, now: datetime) -> list[tuple[str, bytes]]:
        """Let a pairing that is under way hear a frame; what to send into its reply window."""
        return self._pairing.receive(frame, now)

    @property
    def free_channel(self) -> str:
        """What a unit would feed that is paired without a word of the channel."""
        return self._place.free_channel()

    def pairing(self) -> dict[str, Any] | None:
        """Where a pairing is, as the collector's `pair.status`; None before the first."""
        try:
            return self._pairing.perform({"request": "pair.status"}, self.now())
        except CollectorError:
            return None

    def pair(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Take a step of a pairing: one of the collector's `pair` requests, or `unpair`.

        Raises:
            MeterError: it is none, or was refused; nothing of it was done.
        """
        require_level(signed_on.level, Level.INSTALLER, "pair a unit")
        step = request.get("request")
        if not isinstance(step, str) or step not in _PAIRING:
            raise ControlError("there is no such step of a pairing")
        if step == "pair.begin" and not self._has_receiver:
            raise ControlError(
                "this meter has no receiver that would hear a unit: name one under"
                " [host.collector] of its file, and start it again"
            )
        self._place.level, self._place.author = signed_on.level, signed_on.author
        self.durable()
        try:
            reply = self._pairing.perform(request, self.now())
        except (CollectorError, SharedError) as error:
            raise ControlError(str(error)) from None
        self.durable()
        return reply

    def order(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Carry out an order at the level of who signed on, whatever level it names.

        Raises:
            MeterError: it is none, or was refused; nothing of it was done.
        """
        level = min(int(signed_on.level), 3)
        order = decode_request(msgspec.json.encode(request | {"level": level}))
        return self._orders.perform(order, signed_on.author)
