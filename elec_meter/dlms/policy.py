"""What the access policy of the meter is to DLMS: one thin layer over `elec_meter.access`."""

from __future__ import annotations

from typing import Final, Protocol

from elec_meter.access import Level, may_read
from shared.obis import Obis

__all__ = ["OPEN_GATE", "Level", "LevelGate", "is_readable"]


def is_readable(level: Level, obis: Obis, class_id: int, attribute: int) -> bool:
    """Whether somebody of a level may read an attribute."""
    return may_read(level, obis, class_id, attribute)


class LevelGate(Protocol):
    """Counts failures to sign on, and locks a level out after too many."""

    def is_locked(self, level: Level) -> bool:
        """Whether nobody signs on at this level now."""

    def failed(self, level: Level) -> None:
        """Somebody tried and failed."""

    def unproved(self, level: Level) -> None:
        """Somebody has not the key, which nobody finds by trying: nothing is counted."""

    def succeeded(self, level: Level) -> None:
        """Somebody signed on."""


class _OpenGate:
    """Nobody is ever locked out."""

    def is_locked(self, level: Level) -> bool:  # noqa: ARG002 - as the protocol has it
        """Never."""
        return False

    def failed(self, level: Level) -> None:
        """It is not counted."""

    def unproved(self, level: Level) -> None:
        """It is not counted."""

    def succeeded(self, level: Level) -> None:
        """It is not counted."""


OPEN_GATE: Final[LevelGate] = _OpenGate()
