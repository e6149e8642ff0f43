"""The demo's terminal: the meter's face, today's half-hours, the gas channel and the ports."""

from __future__ import annotations

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
    SettlementPeriod,
    half_hours_of_settlement_day,
    settlement_period,
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
        _half_hours(meter, period),
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


def _half_hours(meter: Meter, period: SettlementPeriod) -> RenderableType:
    day = half_hours_of_settlement_day(period.settlement_date)
    ledger = meter.ledger
    known = [*ledger.rows(day[0].start_s, day[-1].end_s), *ledger.open_rows()]
    rows = {row.start_s: row for row in known}
    grid = Table.grid(padding=(0, 1))
    for name, key, unit, style in _SERIES:
        day_rows = [rows.get(half_hour.start_s) for half_hour in day]
        values = [None if row is None else row.deltas.get(key) for row in day_rows]
        top = max((value for value in values if value), default=1)
        bars = "".join(_bar(row, key, top) for row in day_rows)
        grid.add_row(name, Text(bars, style=style), f"{sum(v or 0 for v in values):,} {unit}")
    title = f"{period.settlement_date:%a %d %b %Y}, {len(day)} half-hours"
    legend = "? not final yet   · no half-hour yet"
    return Panel(grid, title=title, subtitle=legend, width=98)


def _bar(row: ProfileRow | None, key: str, top: int) -> str:
    """One character a half-hour; `?` is not final yet, `·` is not there."""
    value = None if row is None else row.deltas.get(key)
    if value is not None:
        return _BARS[-(-value * (len(_BARS) - 1) // top)]
    return "?" if row is not None and key in row.channel_status else "·"


def _time(now: datetime, period: SettlementPeriod) -> RenderableType:
    return Text(
        f"{now:%Y-%m-%d %H:%M:%S} UTC, {now.astimezone(LONDON):%H:%M %Z}, "
        f"settlement period {period.settlement_period}"
    )
