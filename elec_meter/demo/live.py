"""The demo's terminal: the meter's face, today's half-hours, the gas channel and the ports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from elec_meter.ledger import ProfileRow
from elec_meter.meter import Meter
from shared.timegrid import (
    LONDON,
    HalfHour,
    SettlementPeriod,
    half_hours_of_settlement_day,
    settlement_period,
    unix_s,
)

from .world import UNIT_SERIAL, DemoWorld

_BARS = " ▁▂▃▄▅▆▇█"
_SERIES = (
    ("import", "import_wh", "Wh", "yellow"),
    ("export", "export_wh", "Wh", "green"),
    ("gas", "gas_pulses", "pulses", "cyan"),
)


def live_view(world: DemoWorld, footer: str) -> RenderableType:
    """One frame of the screen.

    Args:
        world: the house and its meter, with everything that will be shown already durable.
        footer: what stands below.
    """
    meter, now = world.meter, world.now
    period = settlement_period(now)
    return Group(
        Columns([_face(meter, now), _measured(meter), _gas_channel(world, now)]),
        _half_hours(meter, now, period),
        _time(now, period),
        Text(footer, style="dim"),
    )


def _face(meter: Meter, now: datetime) -> RenderableType:
    lines = meter.display.snapshot(now).lines()
    return Text("\n".join(lines), style="black on green")


def _measured(meter: Meter) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for name, obis in (
        ("power", "1-0:16.7.0"),
        ("voltage", "1-0:32.7.0"),
        ("current", "1-0:31.7.0"),
        ("frequency", "1-0:14.7.0"),
    ):
        each = meter.objects[obis]
        value = "--" if each.value is None else f"{each.value}"
        grid.add_row(name, Text(value, justify="right"), each.unit)
    return Panel(grid, title="mains", width=30)


def _gas_channel(world: DemoWorld, now: datetime) -> RenderableType:
    ledger = world.meter.ledger
    heard = world.meter.objects["0-1:24.2.1"][5]
    grid = Table.grid(padding=(0, 1))
    grid.add_row("turned", f"{world.turned} pulses")
    grid.add_row("register", f"{ledger.total('gas')}, {ledger.unrated('gas')} of them not final")
    ago = f"{(now - heard).total_seconds():.0f} s ago" if isinstance(heard, datetime) else "never"
    grid.add_row("heard", ago)
    grid.add_row("telegrams", f"{world.telegrams_sent} sent, {world.telegrams_received} received")
    return Panel(grid, title=f"gas unit {UNIT_SERIAL}", width=38)


def _half_hours(meter: Meter, now: datetime, period: SettlementPeriod) -> RenderableType:
    day = half_hours_of_settlement_day(period.settlement_date)
    rows = {row.start_s: row for row in meter.ledger.rows(day[0].start_s, day[-1].end_s)}
    grid = Table.grid(padding=(0, 1))
    for name, key, unit, style in _SERIES:
        values = [_delta(rows.get(half_hour.start_s), key) for half_hour in day]
        known = [value for value in values if value is not None]
        grid.add_row(name, Text(_bars(values, day, now), style=style), f"{sum(known):,} {unit}")
    title = f"{period.settlement_date:%a %d %b %Y}, {len(day)} half-hours"
    return Panel(grid, title=title, width=98)


def _delta(row: ProfileRow | None, key: str) -> int | None:
    return None if row is None else row.deltas.get(key)


def _bars(values: Sequence[int | None], day: Sequence[HalfHour], now: datetime) -> str:
    """One character a half-hour; `?` is not final yet, `·` is still to come."""
    top = max((value for value in values if value), default=1)
    bars = []
    for value, half_hour in zip(values, day, strict=True):
        if value is not None:
            bars.append(_BARS[-(-value * (len(_BARS) - 1) // top)])
        else:
            bars.append("?" if half_hour.start_s <= unix_s(now) else "·")
    return "".join(bars)


def _time(now: datetime, period: SettlementPeriod) -> RenderableType:
    return Text(
        f"{now:%Y-%m-%d %H:%M:%S} UTC, {now.astimezone(LONDON):%H:%M %Z}, "
        f"settlement period {period.settlement_period}"
    )
