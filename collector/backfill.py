"""When units' own logs are asked for: one question at a time, less often where it is in vain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .entries import LogPlace
from .journal import LastHeard

PAUSE: Final = timedelta(hours=1)
"""From one answer of a unit to the next question."""

PAUSE_MAX: Final = timedelta(days=1)
"""As long as that pause becomes, twice the last each time, where answers fail or fill nothing."""

ANSWER_MAX: Final = timedelta(days=7)
"""A question that was answered by nobody for so long is forgotten, and may be asked again."""

SETTLED_S: Final = 3 * 3600
"""A younger gap may be filled by the unit's next telegrams, at no cost to its battery."""


def is_settled(place: LogPlace, heard: LastHeard | None) -> bool:
    """Whether a gap behind a place in the log is there to stay unless the log is read."""
    if heard is None or heard.key.boot != place.boot:
        return True
    return heard.uptime_s - place.tick_s >= SETTLED_S


@dataclass(slots=True)
class _Unit:
    looks: bool = True
    bearer: str | None = None  # that was asked and has not answered
    place: LogPlace | None = None  # behind which it was asked last
    pause: timedelta = PAUSE
    next_utc: datetime | None = None


class Backfill:
    """What is asked of whose log, and when next. Nothing is asked here."""

    def __init__(self) -> None:
        self._units: dict[str, _Unit] = {}

    def restart(self) -> None:
        """The clock was set: no time that was named by it holds any more."""
        self._units = {serial: _Unit() for serial in self._units}

    def heard(self, serial: str) -> None:
        """Something came of a unit: whether it has a gap is to be looked at, once it may be."""
        self._units.setdefault(serial, _Unit()).looks = True

    def keep_only(self, serials: frozenset[str]) -> None:
        """Forget units that are not paired any more."""
        for serial in self._units.keys() - serials:
            del self._units[serial]

    def due(self, now: datetime) -> list[str]:
        """The units whose gap is to be looked at now."""
        for unit in self._units.values():
            if unit.bearer is not None and unit.next_utc is not None and now >= unit.next_utc:
                unit.bearer, unit.looks = None, True
        return [
            serial
            for serial, unit in self._units.items()
            if unit.looks
            and unit.bearer is None
            and (unit.next_utc is None or now >= unit.next_utc)
        ]

    def seen(self, serial: str) -> None:
        """There is nothing to ask until something comes of the unit again."""
        self._units[serial].looks = False

    def asked(self, serial: str, place: LogPlace, bearer: str, now: datetime) -> None:
        """A bearer was asked for what is behind a place."""
        unit = self._units[serial]
        is_in_vain = unit.place is not None and place <= unit.place
        unit.pause = min(2 * unit.pause, PAUSE_MAX) if is_in_vain else PAUSE
        unit.bearer, unit.place = bearer, place
        unit.next_utc = now + ANSWER_MAX

    def answered(self, serial: str, now: datetime) -> None:
        """An answer was kept, or there will be none: the next question comes after a pause."""
        unit = self._units.get(serial)
        if unit is not None and unit.bearer is not None:
            unit.bearer, unit.looks = None, True
            unit.next_utc = now + unit.pause

    def lost(self, bearer: str, now: datetime) -> None:
        """A bearer is left out, with what it was asked."""
        for serial, unit in self._units.items():
            if unit.bearer == bearer:
                self.answered(serial, now)
