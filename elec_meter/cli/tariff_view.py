"""What `elec-meter show tariff` shows: calendars, blocks and prices, in force and to come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from elec_meter.config import CalendarConfig, PricesConfig
from elec_meter.config.tariff import SwitchConfig
from shared.timegrid import iso_utc, unix_s

from .observed import Observed, Row


def tariff(seen: Observed) -> list[Row]:
    """Every channel's rates and when they begin; then those of the passive tariff."""
    config, ledger = seen.meter.config, seen.meter.ledger
    rows = [
        _calendar(channel, config.tariff.calendar(channel)) | _now(seen, channel)
        for channel in ledger.channels
    ]
    passive = config.passive
    if passive is not None:
        activates = {"activates": iso_utc(passive.activate)}
        rows += [
            _calendar(channel, passive.tariff.calendar(channel)) | activates
            for channel in ledger.channels
        ]
    return rows


def _calendar(channel: str, calendar: CalendarConfig) -> Row:
    blocks, prices = calendar.blocks, calendar.prices
    return {
        "channel": channel,
        "rates": calendar.rates,
        "time_base": calendar.time_base,
        "switches": [_switch(switch) for switch in calendar.switches],
        "active_rate": None,
        "days": [
            f"{day.name}: {'; '.join(_switch(switch) for switch in day.switches)}"
            for day in calendar.days
        ],
        "weeks": [f"{week.name}: {' '.join(week.days)}" for week in calendar.weeks],
        "seasons": [f"{season.start} {season.week}" for season in calendar.seasons],
        "special_days": [f"{special.date} {special.day}" for special in calendar.special_days],
        "blocks": [] if blocks is None else [list(bounds) for bounds in calendar.thresholds],
        "block_reset": None if blocks is None else blocks.reset,
        "active_block": None,
        "prices_p_kwh": [] if prices is None else _prices(prices),
        "standing_p_day": None if prices is None else prices.standing_p_day,
        "price_p_kwh": None,
        "activates": None,
    }


def _switch(switch: SwitchConfig) -> str:
    return f"{switch.at} rate {switch.rate}"


def _prices(prices: PricesConfig) -> list[Any]:
    """Of rates; of the blocks of each; or the word for a list of half-hours."""
    if prices.half_hourly:
        return ["half-hourly"]
    return list(prices.rate_p_kwh) or [list(each) for each in prices.block_p_kwh]


def _now(seen: Observed, channel: str) -> Row:
    """What is in force; nothing of it is known while the time is not."""
    ledger, time = seen.meter.ledger, seen.time
    if time is None:
        return {}
    at_s = unix_s(time)
    row: Row = {"active_rate": ledger.active_rate(channel, at_s)}
    if channel in ledger.energy_channels:
        row |= {
            "active_block": ledger.active_block(channel, at_s),
            "price_p_kwh": _price(seen, channel),
        }
    return row


def _price(seen: Observed, channel: str) -> Decimal | int | None:
    order = {"import": 0, "export": 1}.get(channel)
    if order is None:
        return None
    value = seen.meter.objects[f"0-0:128.22.{order}"].value
    assert value is None or isinstance(value, (int, Decimal))
    return value
