"""Objects of what happens by the calendar: rates, relays, the end of a billing period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import Final, NamedTuple

from elec_meter.config import CalendarConfig, DatePattern, PassiveTariff
from elec_meter.config.switchgear import SWITCHED_LOAD
from elec_meter.objects.activity_calendar import ActivityCalendar, Timetable
from elec_meter.objects.base import CosemObject
from elec_meter.objects.electricity import ACTIVE, active_rate
from elec_meter.objects.entry import Actions
from elec_meter.objects.errors import ValueNotTakenError
from elec_meter.objects.limiter import ScriptCall
from elec_meter.objects.register_activation import Assigned, RegisterActivation
from elec_meter.objects.script_table import Script, ScriptTable
from elec_meter.objects.single_action import Execution, SingleActionSchedule
from elec_meter.objects.sources import Sources
from elec_meter.objects.special_days import SpecialDaysTable, special_day_entries
from elec_meter.tariff import Calendar
from shared.obis import Obis

TARIFF_SCRIPTS: Final = Obis.parse("0-0:10.0.100")
OUTPUT_SCRIPTS: Final = Obis.parse("0-0:10.0.103")
BILLING_SCRIPTS: Final = Obis.parse("0-0:10.0.1")
END_OF_BILLING: Final = 2
_RATES: Final = 64
"""Scripts of a tariff: the rate, plus this for each calendar before it."""
_FIRST_RELAY_E: Final = 10
_REGISTER: Final = 3
_GAS: Final = 2


class _Rates(NamedTuple):
    """A calendar of rates: E of its codes, its channel in the tariff, for people."""

    e: int
    channel: str
    title: str


_TARIFF: Final = (
    *(_Rates(e, channel.name, channel.title) for e, channel in enumerate(ACTIVE)),
    _Rates(_GAS, "gas", "Gas"),
)


def calendar_objects(sources: Sources) -> Iterator[CosemObject]:
    """Calendars of the tariff and of relays, which registers count, and when billing ends."""
    for rates in _TARIFF:
        yield from _tariff(sources, rates)
    yield ScriptTable("0-0:10.0.100", "Rates: scripts", sources.now, _rate_scripts(sources))
    for number, name, calendar in _relays(sources):
        e = _FIRST_RELAY_E + number
        timetable = Timetable.of(f"relay {number}", calendar, _output_script(number))
        yield ActivityCalendar(f"0-0:13.0.{e}", f"{name}, calendar", sources.now, timetable)
        yield _special_days(sources, e, name, calendar)
    yield _end_of_billing(sources)


def _tariff(sources: Sources, rates: _Rates) -> Iterator[CosemObject]:
    config, now, title = sources.config, sources.now, rates.title
    calendar, passive = config.tariff.calendar(rates.channel), config.passive
    script = _rate_script(rates.e)
    yield ActivityCalendar(
        f"0-0:13.0.{rates.e}",
        f"{title}: calendar",
        now,
        Timetable.of(rates.channel, calendar, script),
        *_coming(passive, rates.channel, script),
    )
    yield _special_days(sources, rates.e, title, calendar)
    if rates.e < len(ACTIVE):
        c = ACTIVE[rates.e].c
        registers = [
            Assigned(_REGISTER, Obis.parse(f"1-0:{c}.8.{rate}"))
            for rate in range(1, calendar.rates + 1)
        ]
        yield RegisterActivation(
            f"0-0:14.0.{rates.e}",
            f"{title}: which rate register counts",
            now,
            registers,
            active_rate(sources, rates.channel),
        )


def _rate_scripts(sources: Sources) -> dict[int, Script]:
    """What the calendars execute; nobody else can."""
    return {
        _RATES * e + rate: Script(f"rate {rate} of {channel}", _refuse)
        for e, channel, _ in _TARIFF
        for rate in range(1, sources.config.tariff.calendar(channel).rates + 1)
    }


def _refuse(_: Actions) -> None:
    raise ValueNotTakenError("the rate follows the calendar; nobody puts another one in force")


def _coming(
    passive: PassiveTariff | None, channel: str, script: Callable[[int], ScriptCall]
) -> tuple[Timetable | None, datetime | None]:
    """The calendar that comes next, and when in UTC."""
    if passive is None:
        return None, None
    timetable = Timetable.of(f"{channel}+", passive.tariff.calendar(channel), script)
    return timetable, passive.activate.astimezone(UTC)


def _special_days(
    sources: Sources, e: int, title: str, calendar: CalendarConfig
) -> SpecialDaysTable:
    entries = special_day_entries(Calendar.from_config(calendar))
    return SpecialDaysTable(f"0-0:11.0.{e}", f"{title}: special days", sources.now, entries)


def _relays(sources: Sources) -> Iterator[tuple[int, str, CalendarConfig]]:
    config = sources.config
    relays = [(each.number, f"Terminal {each.number}", each.relay) for each in config.terminals]
    for number, name, relay in [*relays, (SWITCHED_LOAD, "Switched load", config.switched_load)]:
        if relay is not None and relay.control == "calendar":
            yield number, name, relay.calendar


def _rate_script(e: int) -> Callable[[int], ScriptCall]:
    return lambda rate: ScriptCall(TARIFF_SCRIPTS, _RATES * e + rate)


def _output_script(number: int) -> Callable[[int], ScriptCall]:
    """Rate 1 is off, the even script of a relay, and rate 2 is on, the one behind it."""
    return lambda rate: ScriptCall(OUTPUT_SCRIPTS, 2 * number + rate - 1)


def _end_of_billing(sources: Sources) -> SingleActionSchedule:
    billing = sources.config.billing
    first = DatePattern(None, None, billing.day)
    return SingleActionSchedule(
        "0-0:15.0.0",
        "End of the billing period",
        sources.now,
        ScriptCall(BILLING_SCRIPTS, END_OF_BILLING),
        [Execution(time(), first)] if billing.day else [],
        billing.time_base,
    )
