"""Calendars in force, those that come next, and those that a head end is still writing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from .config import CalendarConfig, MeterConfig, PassiveTariff, RelayConfig, TariffConfig
from .config.switchgear import SWITCHED_LOAD
from .errors import ConfigError, CorruptError
from .tariff import (
    SpecialDayEntry,
    Timetable,
    calendar_with,
    calendar_with_special_days,
    special_days_of,
    timetable_of,
)

PLANS_KEY: Final = "calendar drafts"

CHANNELS: Final = ("import", "export", "gas")
"""The calendars of the tariff, by their channels; that of a relay is called `relay 1`."""

_RELAY: Final = "relay "
_FIELDS: Final = {"import": "import_"}


class Draft(NamedTuple):
    """A calendar that is being written: nothing of it comes into force by itself.

    Attributes:
        timetable: what was written so far.
        base: the calendar that comes next and that it amends; None where there is none.
    """

    timetable: Timetable = Timetable()
    base: CalendarConfig | None = None


class CalendarPlans:
    """What class 20 shows of every calendar, by the configuration in force.

    Args:
        config: what is in force.
        saved: what `packed` gave once; None for no drafts.

    Raises:
        CorruptError: `saved` is something else.
    """

    def __init__(self, config: MeterConfig, saved: bytes | None = None) -> None:
        self._drafts: dict[str, Draft] = {}
        if saved is not None:
            try:
                self._drafts = msgspec.msgpack.decode(saved, type=dict[str, Draft])
            except msgspec.MsgspecError as error:
                raise CorruptError(f"the calendars' drafts are damaged: {error}") from None
        self.configure(config)

    def configure(self, config: MeterConfig) -> None:
        """Another configuration is in force; a draft that it overtakes is gone."""
        self._config = config
        self._drafts = {
            key: draft
            for key, draft in self._drafts.items()
            if calendar_at(config, key) is not None and not _is_pending(config, key)
        }

    def packed(self) -> bytes:
        """To be kept beside the ledger."""
        return msgspec.msgpack.encode(self._drafts)

    def active(self, key: str) -> CalendarConfig:
        """The calendar in force; one that is gone has one rate.

        Args:
            key: one of `CHANNELS`, or `relay` and its number.
        """
        return calendar_at(self._config, key) or CalendarConfig()

    def draft(self, key: str) -> Draft | None:
        """What is being written, if anything is."""
        return self._drafts.get(key)

    def keep(self, key: str, draft: Draft | None) -> None:
        """Have another draft, or none."""
        if draft is None:
            self._drafts.pop(key, None)
        else:
            self._drafts[key] = draft

    def begun(self, key: str) -> Draft:
        """The draft, or a new one: of the calendar that comes next, else empty."""
        draft, coming = self._drafts.get(key), _coming(self._config, key)
        if draft is not None:
            return draft
        return Draft() if coming is None else Draft(timetable_of(coming), coming)

    def passive(self, key: str) -> Timetable:
        """The passive calendar: what is being written, else what comes next, else nothing."""
        return self.begun(key).timetable

    def activates(self, key: str) -> datetime | None:
        """When the passive calendar comes into force, UTC; None while nobody has said so."""
        passive = self._config.passive
        if key in self._drafts or key not in CHANNELS or passive is None:
            return None
        return passive.activate.astimezone(UTC)

    def finished(self, key: str) -> CalendarConfig:
        """The passive calendar as it can come into force.

        Raises:
            ConfigError: it has not been written, or not all of it, or does not fit together.
        """
        draft, coming = self._drafts.get(key), _coming(self._config, key)
        if draft is not None:
            timetable = draft.timetable
            if timetable.name == key:  # as it is called without a name
                timetable = timetable._replace(name=None)
            return calendar_with(draft.base or self.active(key), timetable)
        if coming is None:
            raise ConfigError(f"nobody has written a passive calendar of {key}")
        return coming


def calendar_at(config: MeterConfig, key: str) -> CalendarConfig | None:
    """The calendar in force of a channel, or of a relay that follows one; None without one."""
    if key in CHANNELS:
        return config.tariff.calendar(key)
    relay = _relays(config).get(key)
    return relay.calendar if relay is not None and relay.control == "calendar" else None


def relay_key(number: int) -> str:
    """What the calendar of a relay is called."""
    return f"{_RELAY}{number}"


def relay_number(key: str) -> int | None:
    """The number of the relay whose calendar it is; None of a channel's."""
    return int(key.removeprefix(_RELAY)) if key.startswith(_RELAY) else None


def part_of(key: str) -> str:
    """The part of the document in which a calendar is."""
    number = relay_number(key)
    if number is None:
        return "tariff"
    return "switched_load" if number == SWITCHED_LOAD else "terminals"


def scheduled(config: MeterConfig, key: str, calendar: CalendarConfig, at: datetime) -> MeterConfig:
    """The configuration with a calendar of the tariff that comes into force at an instant.

    Raises:
        ConfigError: something else comes at another instant, or a tariff cannot come then.
    """
    if key not in CHANNELS:
        raise ConfigError(f"the calendar of {key} is activated at once, and not by the clock")
    coming = config.tariff if config.passive is None else config.passive.tariff
    others = _with(coming, key, config.tariff.calendar(key))
    if config.passive is not None and config.passive.activate != at and others != config.tariff:
        when = _text(config.passive.activate)
        raise ConfigError(
            f"the rest of the tariff that comes next is activated at {when},"
            f" and {key} cannot be at another time"
        )
    try:
        passive = PassiveTariff(activate=at, tariff=_with(coming, key, calendar))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return replace(config, passive=passive)


def taken_back(config: MeterConfig, key: str) -> MeterConfig:
    """The configuration without a calendar that was to come next."""
    return _still_coming(config, key, config.tariff) if key in CHANNELS else config


def activated(config: MeterConfig, key: str, calendar: CalendarConfig) -> MeterConfig:
    """The configuration with a calendar in force, which does not come any more."""
    if key in CHANNELS:
        return _still_coming(config, key, _with(config.tariff, key, calendar))
    return _with_relay(config, key, calendar)


def with_special_days(
    config: MeterConfig, key: str, entries: Sequence[SpecialDayEntry]
) -> MeterConfig:
    """The configuration with other special days.

    A calendar that comes next has them, too, if it had those of the one in force.

    Raises:
        ConfigError: an entry names a day profile that one of the calendars has not.
    """
    before = calendar_at(config, key) or CalendarConfig()
    calendar = calendar_with_special_days(before, entries)
    if key not in CHANNELS:
        return _with_relay(config, key, calendar)
    passive, coming = config.passive, _coming(config, key)
    if passive is not None and coming is not None:
        try:
            coming = following(coming, before, entries)
        except ConfigError as error:
            raise ConfigError(f"in the calendar that comes next, {error}") from None
        passive = replace(passive, tariff=_with(passive.tariff, key, coming))
    return replace(config, tariff=_with(config.tariff, key, calendar), passive=passive)


def following(
    coming: CalendarConfig, before: CalendarConfig, entries: Sequence[SpecialDayEntry]
) -> CalendarConfig:
    """A calendar with these special days, if it had those of the one in force before."""
    if special_days_of(coming) != special_days_of(before):
        return coming
    return calendar_with_special_days(coming, entries)


def _still_coming(config: MeterConfig, key: str, tariff: TariffConfig) -> MeterConfig:
    """With this tariff in force; of what comes next, a calendar is as it is in force."""
    passive = config.passive
    if passive is not None:
        coming = _with(passive.tariff, key, tariff.calendar(key))
        passive = None if coming == tariff else replace(passive, tariff=coming)
    return replace(config, tariff=tariff, passive=passive)


def _is_pending(config: MeterConfig, key: str) -> bool:
    coming = _coming(config, key)
    return coming is not None and coming != calendar_at(config, key)


def _coming(config: MeterConfig, key: str) -> CalendarConfig | None:
    if config.passive is None or key not in CHANNELS:
        return None
    return config.passive.tariff.calendar(key)


def _with(tariff: TariffConfig, key: str, calendar: CalendarConfig) -> TariffConfig:
    try:
        return replace(tariff, **{_FIELDS.get(key, key): calendar})
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _relays(config: MeterConfig) -> dict[str, RelayConfig]:
    relays = {each.number: each.relay for each in config.terminals}
    relays[SWITCHED_LOAD] = config.switched_load
    return {relay_key(number): relay for number, relay in relays.items() if relay is not None}


def _with_relay(config: MeterConfig, key: str, calendar: CalendarConfig) -> MeterConfig:
    relay = replace(_relays(config)[key], calendar=calendar)
    if key == relay_key(SWITCHED_LOAD):
        return replace(config, switched_load=relay)
    terminals = tuple(
        replace(each, relay=relay) if relay_key(each.number) == key else each
        for each in config.terminals
    )
    return replace(config, terminals=terminals)


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
