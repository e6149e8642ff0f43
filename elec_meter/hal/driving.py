"""Between a meter and its terminal block: what is heard goes in, what is durable goes out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from .base import BUTTON, CONTACTOR, TerminalBlock

if TYPE_CHECKING:
    from elec_meter.meter import Meter

_MILLISECOND: Final = timedelta(milliseconds=1)


class TerminalDriver:
    """Drives a block for a meter.

    Args:
        meter: whose terminals they are.
        block: the terminals.
    """

    def __init__(self, meter: Meter, block: TerminalBlock) -> None:
        self._meter = meter
        self._block = block
        self._switched: dict[int, bool] = {}
        self._pressed_at: datetime | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something is to be switched that was not yet; pulses can wait."""
        return self._meter.switchgear.outputs() != self._switched

    def listen(self, now: datetime) -> None:
        """Tell the meter what its contacts and its button did; call it before time passes.

        Raises:
            TerminalError: the hardware is gone.
        """
        for edge in self._block.take_edges():
            at = min(edge.at, now)
            if edge.line != BUTTON:
                self._meter.receive_edge(edge.line, edge.is_closed, at, now)
            elif edge.is_closed:
                self._pressed_at = at
            elif self._pressed_at is not None:
                held_ms = (at - self._pressed_at) // _MILLISECOND
                self._pressed_at = None
                self._meter.press_button(now, held_ms=max(0, held_ms))

    def drive(self, *, is_durable: bool) -> None:
        """Switch what differs; call it after a commit.

        Without one nothing is switched but the contactor, and that only open: what is safe does not
        wait for a disk.

        Raises:
            TerminalError: the hardware is gone.
        """
        switchgear = self._meter.switchgear
        for line, is_on in switchgear.outputs().items():
            is_safe = line == CONTACTOR and not is_on
            if (is_durable or is_safe) and self._switched.get(line) != is_on:
                self._block.switch(line, is_on)
                self._switched[line] = is_on
        for line in self._switched.keys() - switchgear.outputs().keys():
            self._block.switch(line, False)
            del self._switched[line]
        if is_durable:
            for line, output in switchgear.terminals.outputs.items():
                count = output.take_pulses()
                if count:
                    self._block.send_pulses(line, count, output.config.width_ms)
