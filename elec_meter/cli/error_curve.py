"""The error curve: percent error against current, within the standards' limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .pictures import new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from elec_meter.typetest import RowResult

_SIZE_IN = (11.0, 7.5)
_FROM_A, _TO_A = 0.018, 110.0
_LINEAR_PERCENT, _MOST_PERCENT = 0.1, 3.0
_TICKS_PERCENT = (-2, -1, -0.5, -0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2, 0.5, 1, 2)
_CLASSES = ("A", "B", "C", "0.2S")


def draw_error_curve(results: Iterable[RowResult], path: Path) -> None:
    """Draw the rows of the type test that go over a range of currents.

    Args:
        results: of the type test; other rows are left out.
        path: .png or .svg.

    Raises:
        PlotError: matplotlib is not installed.
    """
    from elec_meter.typetest import CURVES, RATES_HZ, WIDTHS_BITS

    figure = new_figure(*_SIZE_IN)
    figure.suptitle(
        "Error of active energy, with noise of half a count, 5(100) A, 230 V\n"
        "Stairs: what classes allow at a power factor of 1 (at others at least as much)",
        fontsize=11,
    )
    grid = figure.subplots(len(RATES_HZ), len(WIDTHS_BITS), sharex=True, sharey=True, squeeze=False)
    drawn = [result for result in results if result.row in CURVES]
    for rate_hz, line in zip(RATES_HZ, grid, strict=True):
        for bits, axes in zip(WIDTHS_BITS, line, strict=True):
            of_kind = [each for each in drawn if (each.rate_hz, each.bits) == (rate_hz, bits)]
            axes.set_title(f"{rate_hz // 1000} kHz, {bits} bit", fontsize=10)
            _prepare(axes)
            _draw_classes(axes)
            _draw_errors(axes, of_kind)
    for axes in grid[-1]:
        axes.set_xlabel("current, A")
    for line in grid:
        line[0].set_ylabel("error, %")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    save(figure, path)


def _prepare(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlim(_FROM_A, _TO_A)
    axes.set_yscale("symlog", linthresh=_LINEAR_PERCENT)
    axes.set_ylim(-_MOST_PERCENT, _MOST_PERCENT)
    ticks = [0.02, 0.1, 0.5, 2, 10, 100]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(_TICKS_PERCENT, [f"{tick:g}" for tick in _TICKS_PERCENT])
    axes.set_yticks([], minor=True)
    axes.grid(visible=True, linewidth=0.3)


def _draw_classes(axes: Axes) -> None:
    """Stairs of what each class allows at a power factor of 1."""
    from elec_meter.typetest import NOT_CLAIMED, steps_of

    for number, name in enumerate(_CLASSES):
        steps = steps_of(name, "PF 1")
        currents = [from_a for from_a, _ in steps] + [_TO_A]
        limits = [percent for _, percent in steps] + [steps[-1][1]]
        claim = " (not claimed: starting current)" if name in NOT_CLAIMED else ""
        for sign, label in ((1, f"class {name}, PF 1{claim}"), (-1, None)):
            axes.step(
                currents,
                [sign * limit for limit in limits],
                where="post",
                label=label,
                color="0.35",
                linewidth=0.9,
                linestyle=("-", "--", "-.", ":")[number],
            )


def _draw_errors(axes: Axes, results: Sequence[RowResult]) -> None:
    for result in results:
        points = [(each.point.wave.current_a, each.value) for each in result.points]
        currents, errors = zip(*points, strict=True)
        axes.plot(currents, errors, marker="o", markersize=3, linewidth=1, label=result.row.name)
