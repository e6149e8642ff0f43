"""`elec-meter accuracy`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.exact_json import exact_json
from shared.options import example

from .options import json_option
from .pictures import picture_option
from .progress import counted

if TYPE_CHECKING:
    from rich.table import Table

    from elec_meter.metrology import Flags
    from elec_meter.typetest import PointResult, RowResult

_WIDTH = 146
_DECIMALS = Decimal("0.000001")
_REASON = "starting current"


@click.command(epilog=example("elec-meter accuracy", "elec-meter accuracy --json -o curve.svg"))
@json_option
@picture_option(required=False)
def command(as_json: bool, picture: Path | None) -> None:
    """Run the type test on simulated meters, and print it beside the standards' limits.

    Meters of 4 and 8 kHz and of 16 and 24 bits measure sources of known power: that takes half a
    minute or more, with a bar on a terminal. Exits with 1 if one of them misses one of our own
    limits, or flags what it should not.
    """
    from elec_meter.typetest import NOT_CLAIMED, result_count, type_test

    results = list(counted(type_test(), result_count(), "type test"))
    if picture is not None:
        from .error_curve import draw_error_curve

        draw_error_curve(results, picture)
    missed = [result for result in results if not result.passed]
    if as_json:
        rows = [_plain(result) for result in results]
        not_claimed = dict.fromkeys(NOT_CLAIMED, _REASON)
        told = {"passed": not missed, "not_claimed": not_claimed, "rows": rows}
        click.echo(exact_json(told, indent=1))
    else:
        _print(results)
    if missed:
        raise click.ClickException(_sentence(missed[0]))


def _sentence(result: RowResult) -> str:
    where = f"{result.row.name} at {result.rate_hz} Hz and {result.bits} bits"
    if result.misflagged:
        flags, expected = result.misflagged[0].flags, result.misflagged[0].point.flags
        return f"{where}: flagged {_names(flags) or 'nothing'}, not {_names(expected) or 'nothing'}"
    return f"{where}: {result.worst.value:.4f} is beyond {result.limit:g}."


def _names(flags: Flags) -> str:
    return ", ".join(sorted(str(flag.name) for flag in flags))


def _plain(result: RowResult) -> dict[str, Any]:
    return {
        "test": result.row.name,
        "quantity": result.row.quantity.value,
        "rate_hz": result.rate_hz,
        "bits": result.bits,
        "limit": _exact(result.limit),
        "worst": _exact(result.worst.value),
        "passed": result.passed,
        "class_limits": {name: _exact(limit) for name, limit in result.row.class_limits().items()},
        "points": [_plain_point(each) for each in result.points],
    }


def _plain_point(result: PointResult) -> dict[str, Any]:
    wave = result.point.wave
    return {
        "shape": wave.shape.value,
        "voltage_v": _exact(wave.voltage_v),
        "current_a": _exact(wave.current_a),
        "lag_rad": _exact(wave.lag_rad),
        "frequency_hz": wave.frequency_hz,
        "seconds": result.seconds,
        "value": _exact(result.value),
        "flags": [str(flag.name) for flag in result.flags],
    }


def _exact(value: float | None) -> Decimal | None:
    if value is None or value in (float("inf"), float("-inf")):
        return None
    return Decimal(value).quantize(_DECIMALS).normalize() + 0


def _print(results: Iterable[RowResult]) -> None:
    from rich.console import Console

    console = Console()
    if console.width < _WIDTH:
        console = Console(width=_WIDTH)
    console.print(_table(results))


def _table(results: Iterable[RowResult]) -> Table:
    from rich import box
    from rich.table import Table

    from elec_meter.typetest import NOT_CLAIMED, RATES_HZ, WIDTHS_BITS
    from elec_meter.typetest.rows import STARTING_A as OWN_A

    table = Table(
        title="Type test",
        caption="Error or its change in percent: our largest at any load of a test, and the least"
        " that a class allows at any; of the start, mA.\nA, B, C: EN 50470-3; 0.2S, 0.5S: IEC"
        " 62053-22; 1, 2: IEC 62053-21; of reactive energy 2, 3: IEC 62053-23.\n"
        f"*: not claimed: {_REASON}. Ours is {1000 * OWN_A:g} mA. DC: the mean of the current is"
        " flagged, and left out.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("test", no_wrap=True)
    for rate_hz in RATES_HZ:
        for bits in WIDTHS_BITS:
            table.add_column(f"{rate_hz // 1000} kHz\n{bits} bit", justify="right", no_wrap=True)
    table.add_column("limit\n16 24", justify="right", no_wrap=True)
    for name in _COLUMNS:
        title = f"{name}*" if name in NOT_CLAIMED else name
        table.add_column(title, justify="right", style="dim", no_wrap=True)
    rows: dict[str, list[RowResult]] = {}
    for result in results:
        rows.setdefault(result.row.name, []).append(result)
    for name, group in rows.items():
        measured = [_measured(result) for result in group]
        limits = " ".join(dict.fromkeys(f"{limit:g}" for limit in group[0].row.limits))
        table.add_row(name, *measured, limits, *_allowed(group[0]))
    return table


_COLUMNS = ("A", "B", "C", "0.2S", "0.5S", "1", "2", "3")


def _measured(result: RowResult) -> str:
    from elec_meter.typetest import Quantity

    value = result.worst.value
    text = {
        Quantity.START: f"{value:.3f} x",
        Quantity.NO_LOAD: "none" if value == 0 else f"{value:.3f}",
    }.get(result.row.quantity, f"{value:+.4f}")
    flags = _names(result.flags)
    text = f"{text} {flags}" if flags else text
    return f"[{'green' if result.passed else 'bold red'}]{text}[/]"


def _allowed(result: RowResult) -> list[str]:
    """What each class allows; reactive energy has classes of its own by the names of others."""
    from elec_meter.typetest import STARTING_A, Quantity

    if result.row.quantity is Quantity.START:
        is_reactive = result.row.name.endswith("reactive")
        starts = [STARTING_A.get(f"var {name}" if is_reactive else name) for name in _COLUMNS]
        return ["" if each is None else f"{1000 * each:g}" for each in starts]
    limits = result.row.class_limits()
    names = [name if limits.get(f"var {name}") is None else f"var {name}" for name in _COLUMNS]
    return ["" if limits.get(name) is None else f"{limits[name]:g}" for name in names]
