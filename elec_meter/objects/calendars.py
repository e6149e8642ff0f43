"""Objects of what happens by the calendar: rates, relays, the end of a billing period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Final, NamedTuple

from elec_meter.access import level_to_change
from elec_meter.config import DatePattern
from elec_meter.config.switchgear import SWITCHED_LOAD
from elec_meter.objects.classes.activity_calendar import ActivityCalendar
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.entry import Actions
from elec_meter.objects.classes.errors import NotWritableError
from elec_meter.objects.classes.limiter import ScriptCall
from elec_meter.objects.classes.rate_scripts import rate_script
from elec_meter.objects.classes.register_activation import Assigned, RegisterActivation
from elec_meter.objects.classes.script_table import Script, ScriptTable
from elec_meter.objects.classes.single_action import Execution, SingleActionSchedule
from elec_meter.objects.classes.special_days import SpecialDaysTable
from elec_meter.objects.electricity import ACTIVE, active_rate
from elec_meter.objects.sources import Sources
from elec_meter.plans import calendar_at, part_of, relay_key
from shared.obis import Obis

BILLING_SCRIPTS: Final = Obis.parse("0-0:10.0.1")
END_OF_BILLING: Final = 2
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
        key, title = rates.channel, rates.title
        yield from _calendar(sources, rates.e, key, f"{title}: calendar", title)
        if rates.e < len(ACTIVE):
            yield _register_activation(sources, rates)
    scripts = _rate_scripts(sources)
    yield ScriptTable("0-0:10.0.100", "Rates: scripts", sources.now, scripts, is_closed=True)
    for number, name in _relays(sources):
        e = _FIRST_RELAY_E + number
        yield from _calendar(sources, e, relay_key(number), f"{name}, calendar", name)
    yield _end_of_billing(sources)


def _calendar(sources: Sources, e: int, key: str, name: str, title: str) -> Iterator[CosemObject]:
    """A calendar, and its exceptions; the calendar of a relay has them as well."""
    plans, now, level = sources.plans, sources.now, level_to_change(part_of(key))
    yield ActivityCalendar(f"0-0:13.0.{e}", name, now, key, plans, level)
    yield SpecialDaysTable(f"0-0:11.0.{e}", f"{title}: special days", now, key, plans, level)


def _register_activation(sources: Sources, rates: _Rates) -> RegisterActivation:
    c = ACTIVE[rates.e].c
    registers = [
        Assigned(_REGISTER, Obis.parse(f"1-0:{c}.8.{rate}"))
        for rate in range(1, sources.config.tariff.calendar(rates.channel).rates + 1)
    ]
    return RegisterActivation(
        f"0-0:14.0.{rates.e}",
        f"{rates.title}: which rate register counts",
        sources.now,
        registers,
        active_rate(sources, rates.channel),
    )


def _rate_scripts(sources: Sources) -> dict[int, Script]:
    """What the calendars execute; nobody else can."""
    return {
        rate_script(channel, rate).selector: Script(f"rate {rate} of {channel}", _refuse)
        for _, channel, _ in _TARIFF
        for rate in range(1, sources.config.tariff.calendar(channel).rates + 1)
    }


def _refuse(_: Actions) -> None:
    raise NotWritableError("the rate follows the calendar; nobody puts another one in force")


def _relays(sources: Sources) -> Iterator[tuple[int, str]]:
    """Those that follow a calendar."""
    relays = [(each.number, f"Terminal {each.number}") for each in sources.config.terminals]
    for number, name in [*relays, (SWITCHED_LOAD, "Switched load")]:
        if calendar_at(sources.config, relay_key(number)) is not None:
            yield number, name


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
