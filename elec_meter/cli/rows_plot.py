"""Half-hours as pictures: a day, a stretch of days, the heat map of a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from elec_meter.errors import PlotError
from elec_meter.ledger.state import RowStatus
from shared.timegrid import (
    HALF_HOUR_S,
    LONDON,
    half_hours_of_settlement_day,
    settlement_day_start,
)

from .observed import Row
from .pictures import new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_IN: Final = (11.0, 6.5)
_HOUR: Final = timedelta(hours=1)
_MOST_PERIODS: Final = 50
_TICKS: Final = 13
_COLOURS: Final = {"import_wh": "#b45309", "export_wh": "#15803d"}  # those of the panel
_PULSES: Final = "#0b5fa5"
_PENDING: Final = "0.85"
_UNKNOWN: Final = -1.0
"""In the place of a value that is not known: less than any that is."""
_STATUSES: Final = (
    (RowStatus.POWER_DOWN, "power down", "#7f7f7f"),
    (RowStatus.CLOCK_INVALID, "clock invalid", "#9467bd"),
    (RowStatus.DATA_NOT_VALID, "data not valid", "#e377c2"),
    (RowStatus.CLOCK_ADJUSTED, "clock adjusted", "#bcbd22"),
    (RowStatus.FINAL_LATE, "energy added late", "#17becf"),
    (RowStatus.CRITICAL_ERROR, "critical error", "#8c564b"),
)
"""What is coloured behind a row, the first of those that apply."""

_UNMEASURED: Final = (
    RowStatus.CRITICAL_ERROR
    | RowStatus.CLOCK_INVALID
    | RowStatus.DATA_NOT_VALID
    | RowStatus.POWER_DOWN
)


class _Bar(NamedTuple):
    """A row on the time axis.

    Attributes:
        at: of its start, local time.
        from_h: hours since the picture's start.
        length_h: its length.
    """

    at: datetime
    from_h: float
    length_h: float
    row: Row


def draw_rows(rows: Sequence[Row], title: str, path: Path) -> None:
    """Draw average power and pulses over time, with what the status bits say behind them.

    Args:
        rows: of `show profile`, oldest first, at least one.
        title: above it.
        path: .png or .svg.

    Raises:
        PlotError: matplotlib is not installed.
    """
    bars = list(_bars(rows))
    pulses = dict.fromkeys(key for row in rows for key in row["channels"] if "_pulses" in key)
    figure = new_figure(*_SIZE_IN)
    figure.suptitle(title)
    heights = [3.0, *(1.2 for _ in pulses)]
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    energy, *others = [line[0] for line in grid]
    _draw_energy(energy, bars)
    for axes, key in zip(others, pulses, strict=True):
        _draw_pulses(axes, bars, key)
    for axes in (energy, *others):
        _draw_statuses(axes, bars)
        axes.grid(visible=True, linewidth=0.3)
        axes.set_axisbelow(True)
    bottom = others[-1] if others else energy
    bottom.set_xlim(0, bars[-1].from_h + bars[-1].length_h)
    _draw_times(bottom, bars)
    handles, labels = energy.get_legend_handles_labels()
    if pulses:
        more = [each.get_legend_handles_labels() for each in others]
        handles += [handle for listed, _ in more for handle in listed]
        labels += [label for _, listed in more for label in listed]
    of_label = dict(zip(labels, handles, strict=True))
    figure.legend(of_label.values(), of_label, loc="outside lower center", ncols=5, fontsize=8)
    save(figure, path)


def draw_month(rows: Sequence[Row], channel: str, title: str, path: Path) -> None:
    """Draw a channel of a month: a line a day, a column a settlement period.

    Days on which the clocks change have 46 or 50 of them. What is not known is grey; what is before
    the first row or after the last is blank, and so is what no day has.

    Args:
        rows: of `show profile`, at least one.
        channel: its key, such as `import_wh`.
        title: above it.
        path: .png or .svg.

    Raises:
        PlotError: matplotlib is not installed, or no row has this channel.
    """
    cells: dict[tuple[date, int], float] = {}
    for row in rows:
        for where, value in _shares(row, channel):
            cells[where] = cells.get(where, 0.0) + value
    if all(isnan(value) for value in cells.values()):
        known = ", ".join(dict.fromkeys(key for row in rows for key in row["channels"]))
        raise PlotError(f"no half-hour of {title} has a known {channel}; channels are {known}")
    days = sorted({date.fromisoformat(row["settlement_date"]) for row in rows})
    listed = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    begun, until = min(cells), max(cells)
    blank = float("nan")
    grid = [[blank] * _MOST_PERIODS for _ in listed]
    for line, day in zip(grid, listed, strict=True):
        for period in range(1, len(half_hours_of_settlement_day(day)) + 1):
            if begun <= (day, period) <= until:
                value = cells.get((day, period), blank)
                line[period - 1] = _UNKNOWN if isnan(value) else value
    figure = new_figure(_SIZE_IN[0], max(2.5, 1.5 + 0.2 * len(listed)))
    from matplotlib import colormaps  # now it is known to be there

    axes = figure.subplots()
    axes.set_title(title)
    colours = colormaps["viridis"].with_extremes(under=_PENDING, bad="none")
    edges = [n + 0.5 for n in range(_MOST_PERIODS + 1)]
    drawn = axes.pcolormesh(edges, range(len(listed) + 1), grid, cmap=colours, vmin=0)
    figure.colorbar(drawn, ax=axes, label=_unit_of(channel))
    axes.invert_yaxis()
    axes.set_yticks([n + 0.5 for n in range(len(listed))], [f"{day:%a %d}" for day in listed])
    axes.tick_params(axis="y", labelsize=7)
    ticks = [*range(1, _MOST_PERIODS - 1, 4), _MOST_PERIODS]
    axes.set_xticks(ticks)
    axes.set_xlabel("settlement period (1 begins at 00:00 local time); grey: no data")
    save(figure, path)


def day_title(day: date) -> str:
    """`Sunday 26 October 2025, 50 half-hours`."""
    count = len(half_hours_of_settlement_day(day))
    return f"{day:%A} {day.day} {day:%B %Y}, {count} half-hours"


def _bars(rows: Sequence[Row]) -> Iterator[_Bar]:
    begun = datetime.fromisoformat(rows[0]["start"])
    for row in rows:
        start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
        yield _Bar(start.astimezone(LONDON), (start - begun) / _HOUR, (end - start) / _HOUR, row)


def _draw_energy(axes: Axes, bars: Sequence[_Bar]) -> None:
    """Average power: import above the line, export below it."""
    for key, sign in (("import_wh", 1), ("export_wh", -1)):
        known = [bar for bar in bars if bar.row["channels"].get(key) is not None]
        axes.bar(
            [bar.from_h for bar in known],
            [sign * bar.row["channels"][key] / 1_000 / bar.length_h for bar in known],
            [bar.length_h for bar in known],
            align="edge",
            color=_COLOURS[key],
            label=key.removesuffix("_wh"),
        )
    axes.axhline(0, color="0.2", linewidth=0.8)
    axes.set_ylabel("average power, kW")


def _draw_pulses(axes: Axes, bars: Sequence[_Bar], key: str) -> None:
    """Pulses of a unit; what is not final yet is grey."""
    name = key.removesuffix("_pulses")
    having = [bar for bar in bars if key in bar.row["channels"]]
    known = [bar for bar in having if bar.row["channels"][key] is not None]
    axes.bar(
        [bar.from_h for bar in known],
        [bar.row["channels"][key] for bar in known],
        [bar.length_h for bar in known],
        align="edge",
        color=_PULSES,
        label=name,
    )
    pending = [bar for bar in having if bar.row["channels"][key] is None]
    _shade(axes, pending, _PENDING, f"{name} not known yet")
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"{name}, pulses")


def _draw_statuses(axes: Axes, bars: Sequence[_Bar]) -> None:
    left = list(bars)
    for bit, name, colour in _STATUSES:
        _shade(axes, [bar for bar in left if bar.row["status"] & bit], colour, name)
        left = [bar for bar in left if not bar.row["status"] & bit]


def _shade(axes: Axes, bars: Sequence[_Bar], colour: str, label: str) -> None:
    """Colour behind bars, neighbours in one piece."""
    pieces: list[tuple[float, float]] = []
    for bar in bars:
        if pieces and abs(pieces[-1][1] - bar.from_h) < 1e-6:
            pieces[-1] = pieces[-1][0], bar.from_h + bar.length_h
        else:
            pieces.append((bar.from_h, bar.from_h + bar.length_h))
    for number, (from_h, to_h) in enumerate(pieces):
        # A label that begins with an underscore is left out of legends.
        shown = label if not number else f"_{label}"
        axes.axvspan(from_h, to_h, color=colour, alpha=0.35, linewidth=0, label=shown, zorder=0)


def _draw_times(axes: Axes, bars: Sequence[_Bar]) -> None:
    """Local times, with their zone's name where a clock change is in the picture."""
    hours = bars[-1].from_h + bars[-1].length_h
    changes = len({bar.at.utcoffset() for bar in bars}) > 1
    step_h = next((h for h in (1, 2, 3, 6, 12, 24) if hours / h <= _TICKS), 24.0 * 7)
    if hours > _TICKS * 24 * 7:
        step_h = 24.0 * 28
    form = "%H:%M" if step_h < 24 and hours <= 25 else "%d %b\n%H:%M" if step_h < 24 else "%d %b"
    begun = bars[0].at.timestamp()
    first = -(bars[0].at.hour + bars[0].at.minute / 60) % min(step_h, 24.0)
    ticks = [first + n * step_h for n in range(int((hours - first) / step_h) + 1)]
    labels = []
    for tick in ticks:
        local = datetime.fromtimestamp(begun + tick * 3_600, LONDON)
        labels.append(f"{local:{form}}" + (f"\n{local:%Z}" if changes else ""))
    axes.set_xticks(ticks, labels)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("local time")


def _shares(row: Row, channel: str) -> Iterator[tuple[tuple[date, int], float]]:
    """What of a row lies in each settlement period, in the unit of the picture.

    Where it was not measured whole it is not known: what little was is no small use.
    """
    value = row["channels"].get(channel)
    is_doubtful = row["status"] & _UNMEASURED and not channel.endswith("_pulses")
    if value is not None and is_doubtful:
        value = float("nan")
    if value is None:
        return
    day = date.fromisoformat(row["settlement_date"])
    begun = settlement_day_start(day)
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    from_s, to_s = ((at - begun).total_seconds() for at in (start, end))
    per = 1_000 if channel.endswith(("_wh", "_varh")) else 1
    period = int(from_s // HALF_HOUR_S)
    while period * HALF_HOUR_S < to_s:
        left = min(to_s, (period + 1) * HALF_HOUR_S) - max(from_s, period * HALF_HOUR_S)
        yield (day, period + 1), value * left / (to_s - from_s) / per
        period += 1


def _unit_of(channel: str) -> str:
    name, _, unit = channel.rpartition("_")
    return f"{name}, {({'wh': 'kWh', 'varh': 'kvarh'}).get(unit, unit)} a half-hour"
