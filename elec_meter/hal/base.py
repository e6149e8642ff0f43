"""The terminal block: contactor, relays, pulse inputs and outputs, and the button."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Final, NamedTuple

CONTACTOR: Final = 0
"""The contactor's line; terminals have their numbers, 9 is the switched load."""

BUTTON: Final = 10
"""The button's line: closed while it is pressed."""


class ContactEdge(NamedTuple):
    """A contact closed or opened, at an instant of the host's UTC."""

    line: int
    is_closed: bool
    at: datetime


class TerminalBlock(ABC):
    """Lines that can be switched, and lines that are listened to.

    A line that there is not is passed over: a meter may be configured for more than is wired.
    """

    @abstractmethod
    def switch(self, line: int, is_on: bool) -> None:
        """Have an output so from now on; again is harmless.

        Raises:
            TerminalError: the hardware is gone.
        """

    @abstractmethod
    def send_pulses(self, line: int, count: int, width_ms: int) -> None:
        """Send so many pulses of this width, after those that are under way.

        Raises:
            TerminalError: the hardware is gone.
        """

    @abstractmethod
    def take_edges(self) -> list[ContactEdge]:
        """What the inputs have done since this was last asked, oldest first.

        The first answer says how each line rests that is closed.

        Raises:
            TerminalError: the hardware is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the hardware; what is on stays as the hardware leaves it.

        Again is harmless.
        """
