"""The meter's calendars as a head end writes them: part by part, and then in force as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from shared.timegrid import unix_s

from .access import Level, level_to_change
from .config import MeterConfig, config_from_json, config_to_json
from .configured import PROGRAM, ConfiguredMeter, require_level, utc_text
from .errors import ConfigError
from .events import EventCode
from .objects import CalendarField, DayProfile, Rows, ScriptCall, rate_of_script
from .plans import (
    activated,
    calendar_at,
    following,
    part_of,
    scheduled,
    taken_back,
    with_special_days,
)
from .tariff import PART_CHECKS, DayRates, SpecialDayEntry, Switch

_LONGEST_NAME: Final = 32
_WORDS: Final = {"weeks": "week profiles", "days": "day profiles"}


class PlannedMeter(ConfiguredMeter):
    """The part of the meter whose calendars are written. Each order is logged with its author.

    A calendar is named as `elec_meter.plans` names it: `import`, `export`, `gas`, `relay 1`.
    """

    def write_calendar(
        self,
        key: str,
        field: CalendarField,
        value: str | Rows,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Write a part of a passive calendar. It is durable, and not in force.

        Whether the parts fit together is looked at when the calendar is to be activated. One whose
        activation was waiting waits no more: its activation is to be written again.

        Raises:
            ConfigError: no calendar can have that part, or there is no such calendar.
            NotAllowedError: the level may not change the tariff.
        """
        self._begin(key, level, now)
        begun = self.plans.begun(key)
        rates = (begun.base or self.plans.active(key)).rates
        part = _checked(key, field, value, rates)
        self._apply(taken_back(self.config, key), now, level, author)
        timetable = begun.timetable._replace(**{field: part})
        self.plans.keep(key, begun._replace(timetable=timetable))
        what = _WORDS.get(field, field)
        text = f"the {what} of the passive calendar of {key} came from {author}"
        self._planned(EventCode.CONFIGURATION_CHANGED, text, now)

    def schedule_calendar(
        self,
        key: str,
        at: datetime | None,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Have a passive calendar come into force at an instant of the meter's time.

        Without an instant it does not come by itself any more, and is still there to be activated.

        Raises:
            ConfigError: it is not complete, or the document with it is refused.
            NotAllowedError: the level may not change the tariff.
        """
        self._begin(key, level, now)
        if at is None:
            begun = self.plans.begun(key)
            self._apply(taken_back(self.config, key), now, level, author)
            self.plans.keep(key, begun if any(begun.timetable) else None)
            text = f"the activation of the passive calendar of {key} was taken back by {author}"
        else:
            calendar = self.plans.finished(key)
            self._apply(scheduled(self.config, key, calendar, at), now, level, author)
            self.plans.keep(key, None)
            text = f"the passive calendar of {key} is activated at {utc_text(at)} by {author}"
        self._planned(EventCode.CONFIGURATION_CHANGED, text, now)

    def activate_calendar(
        self, key: str, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> None:
        """Put a passive calendar in force now; it is not passive any more.

        Raises:
            ConfigError: as for `schedule_calendar`.
            NotAllowedError: the level may not change the tariff.
        """
        self._begin(key, level, now)
        calendar = self.plans.finished(key)
        self._apply(activated(self.config, key, calendar), now, level, author)
        self.plans.keep(key, None)
        text = f"the passive calendar of {key} was activated by {author}"
        self._planned(EventCode.TARIFF_ACTIVATED, text, now)

    def write_special_days(
        self,
        key: str,
        entries: Sequence[SpecialDayEntry],
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Put other special days in force; a calendar that comes next has them as well.

        Raises:
            ConfigError: an entry names a day profile that is not there, or two are one.
            NotAllowedError: the level may not change the tariff.
        """
        self._begin(key, level, now)
        before, draft = self.plans.active(key), self.plans.draft(key)
        if draft is not None and draft.base is not None:
            draft = draft._replace(base=following(draft.base, before, entries))
        self._apply(with_special_days(self.config, key, entries), now, level, author)
        self.plans.keep(key, draft)
        text = f"the special days of {key} came from {author}"
        self._planned(EventCode.CONFIGURATION_CHANGED, text, now)

    def _begin(self, key: str, level: Level, now: datetime) -> None:
        """Let an activation that is due happen first: it might be the one that is spoken of."""
        part = part_of(key)
        require_level(level, level_to_change(part), f"change {part}")
        self._advance(now)
        at_s, passive = self.clock.read_s(self._now), self.config.passive
        if at_s is not None and passive is not None and unix_s(passive.activate) <= at_s:
            self._close_through(at_s)
        if calendar_at(self.config, key) is None:
            raise ConfigError(f"the meter has no calendar of {key}")

    def _apply(self, config: MeterConfig, now: datetime, level: Level, author: str) -> None:
        """Put a document in force that was made here, after all of its schema has seen it."""
        whole = config_from_json(config_to_json(config))
        self.apply_config(whole, now, level=level, author=author)

    def _planned(self, code: EventCode, text: str, now: datetime) -> None:
        self.storage.record_event(code, text, now)
        self.checkpoint()


def _checked(key: str, field: CalendarField, value: str | Rows, rates: int) -> Any:
    """A part as the plans keep it.

    Raises:
        ConfigError: no calendar can have it.
    """
    if isinstance(value, str):
        if len(value) > _LONGEST_NAME:
            raise ConfigError(f"the name of a calendar has at most {_LONGEST_NAME} characters")
        return value
    days = [each for each in value if isinstance(each, DayProfile)]
    part = tuple(_day_rates(key, days, rates)) if field == "days" else value
    PART_CHECKS[field](part)
    return part


def _day_rates(key: str, days: Sequence[DayProfile], rates: int) -> Iterator[DayRates]:
    """Day profiles with the rates of their scripts, in the order of the day."""
    for day in days:
        switches = []
        for start, table, selector in day.actions:
            if start.second or start.microsecond:
                raise ConfigError(
                    f"the day profile {day.id} switches at {start.isoformat()},"
                    " and switches are at whole minutes"
                )
            rate = rate_of_script(key, ScriptCall(table, selector), rates)
            if rate is None:
                raise ConfigError(
                    f"the day profile {day.id} executes script {selector} of {table},"
                    f" which is none of the {rates} rates of {key}"
                )
            switches.append(Switch(start.hour * 60 + start.minute, rate))
        yield DayRates(day.id, tuple(sorted(switches)))
