"""COSEM class 22: a script that is executed at a time (IEC 62056-6-2, 4.5.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import ClassVar, Final, NamedTuple

from elec_meter.config import DatePattern
from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.limiter import ScriptCall

_WILDCARDS: Final = 1
"""One time or several alike, and wildcards in their dates."""


class Execution(NamedTuple):
    """A time of the days that a pattern matches, by the action's time base."""

    time: time
    dates: DatePattern


class SingleActionSchedule(CosemObject):
    """When a script is executed; its value says so in words.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        script: what is executed.
        executions: when; none for never.
        time_base: whose minutes they are, for people.
    """

    class_id: ClassVar[int] = 22
    value_attribute: ClassVar[int] = 4

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        script: ScriptCall,
        executions: Sequence[Execution],
        time_base: str,
    ) -> None:
        super().__init__(obis, name, now)
        self._script = script
        self._executions = tuple(executions)
        self._time_base = time_base

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; when it is, in words."""
        if attribute != self.value_attribute:
            return super().present(attribute, now)
        times = [f"{each.dates} {each.time:%H:%M} {self._time_base}" for each in self._executions]
        return ", ".join(times) or "never"

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self._script,
            3: lambda _: _WILDCARDS,
            4: lambda _: self._executions,
        }
