"""What the charge of a gas unit's battery goes to, as bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from .pictures import new_figure, save

if TYPE_CHECKING:
    from elec_meter.demo.battery import BatteryTerms

_SIZE_IN: Final = (9.0, 5.0)


def draw_battery(budget: BatteryTerms, path: Path) -> None:
    """Draw a battery's terms, the largest first.

    Args:
        budget: what takes charge.
        path: .png or .svg.

    Raises:
        PlotError: matplotlib is not installed.
    """
    figure = new_figure(*_SIZE_IN)
    axes = figure.subplots()
    axes.set_title(
        f"{budget.title}: {budget.years} years at {budget.average_ua} µA;"
        f" 20 years allow {budget.goal_ua} µA",
        fontsize=11,
    )
    terms = sorted(budget.terms, key=lambda term: term.current_ua)
    bars = axes.barh([term.name for term in terms], [float(term.current_ua) for term in terms])
    labels = [f"{term.current_ua} µA, {term.percent} %" for term in terms]
    axes.bar_label(bars, labels, padding=3, fontsize=8)
    axes.set_xlabel("average current, µA")
    axes.margins(x=0.25)
    axes.grid(visible=True, axis="x", linewidth=0.3)
    axes.set_axisbelow(True)
    save(figure, path)
