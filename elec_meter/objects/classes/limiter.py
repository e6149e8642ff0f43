"""COSEM class 71: thresholds of a value, and what happens beyond them (IEC 62056-6-2, 4.5.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.profile_generic import CaptureObject
from elec_meter.objects.classes.register import Register
from shared.obis import Obis

if TYPE_CHECKING:
    from elec_meter.limiter import LimitWatcher

DISCONNECT_SCRIPTS: Final = Obis.parse("0-0:10.0.106")


class EmergencyProfile(NamedTuple):
    """Attribute 8: its number, when it begins in UTC, and for how many seconds.

    Without an emergency the numbers are 0, and it never begins.
    """

    id: int
    activation: datetime | None
    duration_s: int


class ScriptCall(NamedTuple):
    """A script of a table; selector 0 is none."""

    table: Obis
    selector: int


class LimiterActions(NamedTuple):
    """Attribute 11: what happens above the threshold, and below it."""

    over: ScriptCall
    under: ScriptCall


class Limiter(CosemObject):
    """The limiter; its value is the threshold in force, in the unit of what it watches.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        watcher: what watches.
        watched: the register whose value it watches.
        time_s: gives the meter's time, None while it is not known.
    """

    class_id: ClassVar[int] = 71
    value_attribute: ClassVar[int] = 3

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        watcher: LimitWatcher,
        watched: Register,
        time_s: Callable[[datetime], int | None],
    ) -> None:
        super().__init__(obis, name, now)
        self._watcher = watcher
        self._watched = watched
        self._time_s = time_s

    @property
    def unit(self) -> str:
        """The unit of what is watched."""
        return self._watched.unit

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; thresholds are scaled."""
        value = super().present(attribute, now)
        if attribute in (3, 4, 5) and isinstance(value, int):
            return self._watched.scaled(value)
        return int(value) if isinstance(value, int) else value

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        watcher, watched = self._watcher, self._watched
        return {
            2: lambda _: CaptureObject(watched.class_id, watched.obis, 2),
            3: lambda now: watcher.threshold(self._time_s(now)),
            4: lambda _: watcher.config.threshold,
            5: lambda _: (
                0 if watcher.config.emergency is None else watcher.config.emergency.threshold
            ),
            6: lambda _: watcher.config.over_s,
            7: lambda _: watcher.config.under_s,
            8: lambda _: self._emergency(),
            9: lambda _: self._groups(),
            10: lambda now: watcher.is_emergency(self._time_s(now)),
            11: lambda _: self._actions(),
        }

    def _emergency(self) -> EmergencyProfile:
        emergency = self._watcher.config.emergency
        if emergency is None:
            return EmergencyProfile(0, None, 0)
        activation = emergency.activate.astimezone(UTC)
        return EmergencyProfile(emergency.id, activation, emergency.duration_s)

    def _groups(self) -> tuple[int, ...]:
        """The emergencies that are listened to: the configured one."""
        emergency = self._watcher.config.emergency
        return () if emergency is None else (emergency.id,)

    def _actions(self) -> LimiterActions:
        over = 0 if self._watcher.config.over == "log" else 1
        under = 0 if self._watcher.config.under == "log" else 2
        return LimiterActions(
            ScriptCall(DISCONNECT_SCRIPTS, over), ScriptCall(DISCONNECT_SCRIPTS, under)
        )
