"""A running meter as the web panel sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from .access import Gate, SignedOn
from .config import MeterConfig
from .control import Orders, decode_request
from .display import DisplaySnapshot
from .errors import NotAllowedError
from .meter import Meter
from .objects import Directory
from .switched import LONG_PRESS_MS


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
    ) -> None:
        self._meter = meter
        self._orders = orders
        self._is_at_meter = is_at_meter
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

    def order(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Carry out an order at the level of who signed on, whatever level it names.

        Raises:
            MeterError: it is none, or was refused; nothing of it was done.
        """
        level = min(int(signed_on.level), 3)
        order = decode_request(msgspec.json.encode(request | {"level": level}))
        return self._orders.perform(order, signed_on.author)
