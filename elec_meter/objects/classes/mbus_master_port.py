"""COSEM class 74: the port to collected devices (IEC 62056-6-2, 4.8.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import ClassVar

from elec_meter.objects.classes.base import CosemObject, Now


class CommSpeed(IntEnum):
    """The speeds of attribute 2 that wired M-Bus has (EN 13757-2), in baud."""

    B300 = 0
    B600 = 1
    B1200 = 2
    B2400 = 3
    B4800 = 4
    B9600 = 5
    B19200 = 6
    B38400 = 7


class MBusMasterPort(CosemObject):
    """The master port; its value is its speed, as the number that the class has for it.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        speed: of the wire.
    """

    class_id: ClassVar[int] = 74

    def __init__(self, obis: str, name: str, now: Now, speed: CommSpeed) -> None:
        super().__init__(obis, name, now)
        self._speed = speed

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {2: lambda _: int(self._speed)}
