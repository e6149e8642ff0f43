"""What the panel needs of whoever runs it: a meter that answers, and a demo's controls."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from elec_meter.access import Gate, SignedOn
from elec_meter.config import MeterConfig
from elec_meter.objects import Directory


class Face(Protocol):
    """What stands on the display; `elec_meter.display.DisplaySnapshot` is one."""

    @property
    def object(self) -> str:
        """OBIS code of what is shown, empty for none."""

    @property
    def mnemonic(self) -> str:
        """Its name on the display."""

    @property
    def text(self) -> str:
        """The eight places."""

    @property
    def unit(self) -> str:
        """The unit that is shown."""

    @property
    def screen(self) -> int:
        """Number of the screen in its list, from 1."""

    @property
    def screens(self) -> int:
        """How many there are."""

    def svg(self) -> str:
        """It as a picture."""

    def icons_lit(self) -> list[str]:
        """The icons that are lit, as words."""


class PanelMeter(Protocol):
    """A running meter. What it gives may be shown after `durable` has returned.

    Raises:
        MeterError: from any of them that does something; nothing was done.
    """

    @property
    def directory(self) -> Directory:
        """Everything that can be read."""

    @property
    def config(self) -> MeterConfig:
        """The configuration in force."""

    @property
    def gate(self) -> Gate:
        """Who is let in."""

    def free_channel(self) -> str:
        """What a unit would feed that is paired without a word of the channel."""

    def now(self) -> datetime:
        """The host's UTC."""

    def durable(self) -> None:
        """Bring the meter up to now and commit; errors as of `Runtime.durable`."""

    def face(self) -> Face:
        """What stands on the display."""

    def press(self, *, held_ms: int) -> None:
        """Somebody at the meter pressed its button for so long."""

    def pairing(self) -> dict[str, Any] | None:
        """Where the pairing of a unit is; None before the first."""

    def pair(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Take a step of a pairing, at the level of who signed on."""

    def order(self, request: dict[str, Any], signed_on: SignedOn) -> dict[str, Any]:
        """Carry out an order (docs/control.md) at the level of who signed on."""


class HouseControls(Protocol):
    """What can be done to a simulated house."""

    def status(self) -> dict[str, Any]:
        """How it stands, plain enough for JSON."""

    def steer(self, wish: dict[str, Any]) -> None:
        """Do what a visitor wishes.

        Raises:
            MeterError: it makes no sense.
        """
