"""The type test: our own meters against sources of known power, beside the standards' limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.typetest.bench import RATES_HZ, WIDTHS_BITS, Bench, Reading
    from elec_meter.typetest.errors import WaveError
    from elec_meter.typetest.limits import CLASSES, STARTING_A, limit_percent, steps_of
    from elec_meter.typetest.rows import CURVES, NOT_CLAIMED, ROWS, Point, Quantity, Row
    from elec_meter.typetest.run import (
        LONG,
        PULSES_PER_KWH,
        SHORT,
        Extent,
        PointResult,
        RowResult,
        measure_row,
        result_count,
        type_test,
    )
    from elec_meter.typetest.waves import Shape, SteadyWave

__all__ = [
    "CLASSES",
    "CURVES",
    "LONG",
    "NOT_CLAIMED",
    "PULSES_PER_KWH",
    "RATES_HZ",
    "ROWS",
    "SHORT",
    "STARTING_A",
    "WIDTHS_BITS",
    "Bench",
    "Extent",
    "Point",
    "PointResult",
    "Quantity",
    "Reading",
    "Row",
    "RowResult",
    "Shape",
    "SteadyWave",
    "WaveError",
    "limit_percent",
    "measure_row",
    "result_count",
    "steps_of",
    "type_test",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "bench": "RATES_HZ WIDTHS_BITS Bench Reading",
        "errors": "WaveError",
        "limits": "CLASSES STARTING_A limit_percent steps_of",
        "rows": "CURVES NOT_CLAIMED ROWS Point Quantity Row",
        "run": "LONG PULSES_PER_KWH SHORT Extent PointResult RowResult result_count measure_row"
        " type_test",
        "waves": "Shape SteadyWave",
    },
)
