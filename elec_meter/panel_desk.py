"""A running meter as the web panel sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from .access import Gate, SignedOn
from .config import MeterConfig
from .control import Orders, decode_request
from .display import DisplaySnapshot
from .errors import NotAllowedError
from .meter import Meter
from .objects import Directory
from .pairing_desk import PairingDesk
from .switched import LONG_PRESS_MS

if TYPE_CHECKING:
    import ssl

    from .panel import HouseControls, Panel


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
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    is_insecure: bool = False
    names: tuple[str, ...] = ()
    is_at_meter: bool = False
    demo: HouseControls | None = None

    def panel_of(self, desk: PanelDesk) -> Panel:
        """What is to be served there.

        Raises:
            PanelMissingError: the `panel` extra is not installed.
            PanelExposedError: it would be open to a network in clear.
        """
        from . import panel

        is_encrypted = self.tls is not None
        panel.require_installed()
        panel.require_closed(self.host, is_encrypted=is_encrypted, is_insecure=self.is_insecure)
        names = panel.own_names() | {self.host, *self.names}
        return panel.Panel(desk, names, demo=self.demo, is_encrypted=is_encrypted)


class PanelDesk:
    """The `panel.PanelMeter` of a runtime.

    Args:
        meter: the meter.
        gate: who is let in.
        orders: who carries out orders.
        pairing: where units are paired.
        now: the host's UTC.
        durable: brings the meter up to now and commits.
        is_at_meter: whether whoever clicks is taken for a person at the meter, as in a demo. A long
            press may close the contactor, which takes one.
    """

    def __init__(
        self,
        meter: Meter,
        gate: Gate,
        orders: Orders,
        pairing: PairingDesk,
        *,
        now: Callable[[], datetime],
        durable: Callable[[], None],
        is_at_meter: bool,
    ) -> None:
        self._meter = meter
        self._orders = orders
        self._is_at_meter = is_at_meter
        self._pairing = pairing
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

    def free_channel(self) -> str:
        """What a unit would feed that is paired without a word of the channel."""
        return self._pairing.free_channel()

    def pairing(self) -> dict[str, Any] | None:
        """Where a pairing is, as the collector's `pair.status`; None before the first."""
        return self._pairing.status()

    def pair(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Take a step of a pairing; errors as of `PairingDesk.take_step`."""
        return self._pairing.take_step(request, signed_on.level, signed_on.author)

    def order(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Carry out an order at the level of who signed on, whatever level it names.

        Raises:
            MeterError: it is none, or was refused; nothing of it was done.
        """
        level = min(int(signed_on.level), 3)
        order = decode_request(msgspec.json.encode(request | {"level": level}))
        return self._orders.perform(order, signed_on.author)
