"""COSEM class 70: a contactor or a relay (IEC 62056-6-2, 4.5.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from elec_meter.contactor import ControlState
from elec_meter.objects.base import CosemObject, Now, Scalar


class DisconnectControl(CosemObject):
    """Something that is switched; its value is whether current can flow.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        state: gives what it is.
        mode: its control mode.
    """

    class_id: ClassVar[int] = 70

    def __init__(
        self, obis: str, name: str, now: Now, state: Callable[[datetime], ControlState], mode: int
    ) -> None:
        super().__init__(obis, name, now)
        self._state = state
        self._mode = mode

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; whether current can flow is 1 or 0."""
        value = super().present(attribute, now)
        return int(value) if isinstance(value, int) else value

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda now: self._state(now) is ControlState.CONNECTED,
            3: lambda now: int(self._state(now)),
            4: lambda _: self._mode,
        }
