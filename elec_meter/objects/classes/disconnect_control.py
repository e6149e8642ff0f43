"""COSEM class 70: a contactor or a relay (IEC 62056-6-2, 4.5.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from elec_meter.access import Level
from elec_meter.contactor import ControlState
from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.entry import Actions, Entry, number_entry

_BOOST: Final = 128


class DisconnectControl(CosemObject):
    """Something that is switched; its value is whether current can flow.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        state: gives what it is.
        mode: its control mode.
        switch: opens it, or closes it as far as that can be done from afar.
        boost: has it on for some minutes, which a reader may; None for what has no boost.
        level: the lowest that may switch it.
    """

    class_id: ClassVar[int] = 70

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        state: Callable[[datetime], ControlState],
        mode: int,
        switch: Callable[[Actions, bool], None],
        boost: Callable[[Actions, int], None] | None = None,
        *,
        level: Level = Level.SUPPLIER,
    ) -> None:
        super().__init__(obis, name, now)
        self._state = state
        self._mode = mode
        self._switch = switch
        self._boost = boost
        self._level = level

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

    def _methods(self) -> Mapping[int, Entry]:
        """Disconnecting and reconnecting; 128, a maker's, boosts."""
        methods = {
            1: number_entry(lambda actions, _: self._switch(actions, False), self._level),
            2: number_entry(lambda actions, _: self._switch(actions, True), self._level),
        }
        if self._boost is not None:
            methods[_BOOST] = number_entry(self._boost, Level.READER)
        return methods
