"""Adds an estate up: whole Wh by half-hour, exactly what its registers show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elec_meter.errors import EstateError
from elec_meter.estate.engines import run_tasks
from elec_meter.estate.households import Plan
from elec_meter.estate.simulating import block_count
from elec_meter.estate.store import EstateStore
from shared.timegrid import (
    DAY_HALF_HOURS,
    HALF_HOUR_S,
    from_unix_s,
    iso_utc,
    settlement_period,
)

TABLE_NAME: Final = "aggregate.csv"

_HALF_HOURS_PER_HOUR: Final = 2
_HEADER: Final = ("start", "settlement_date", "settlement_period", "import_wh", "export_wh")


class _Part(NamedTuple):
    """What one block adds: sums by half-hour, registers, and each meter's highest half-hour."""

    import_wh: NDArray[np.int64]
    export_wh: NDArray[np.int64]
    import_register_wh: int
    export_register_wh: int
    highest_wh: int
    meters: int


@dataclass(frozen=True, slots=True)
class Summary:
    """An estate in a few numbers.

    Attributes:
        meters: how many.
        half_hours: how many.
        start: of the first one.
        end: of the last one.
        import_wh: by all meters.
        export_wh: likewise.
        peak_w: average power of the half-hour in which all together drew most.
        peak_start: when that began.
        own_peaks_w: each meter's own highest half-hour, added up.
        diversity: how many times the peak that is; None where nothing was drawn.
        load_factor: average power over the peak; likewise.
    """

    meters: int
    half_hours: int
    start: datetime
    end: datetime
    import_wh: int
    export_wh: int
    peak_w: int
    peak_start: datetime
    own_peaks_w: int
    diversity: Decimal | None
    load_factor: Decimal | None


class Aggregation:
    """Sums that grow block by block; in whatever order, they come to the same.

    Args:
        plan: the estate.
        days: how many of its days.
    """

    def __init__(self, plan: Plan, days: int) -> None:
        self._plan = plan
        self._import_wh = np.zeros(days * DAY_HALF_HOURS, np.int64)
        self._export_wh = np.zeros(days * DAY_HALF_HOURS, np.int64)
        self._registers_wh = [0, 0]
        self._highest_wh = self._meters = 0

    def add(self, part: _Part) -> None:
        """Take a block in."""
        self._import_wh += part.import_wh
        self._export_wh += part.export_wh
        self._registers_wh[0] += part.import_register_wh
        self._registers_wh[1] += part.export_register_wh
        self._highest_wh += part.highest_wh
        self._meters += part.meters

    def summary(self) -> Summary:
        """The numbers.

        Raises:
            EstateError: the sums by half-hour are not those of the registers.
        """
        plan, half_hours = self._plan, len(self._import_wh)
        totals_wh = [int(self._import_wh.sum()), int(self._export_wh.sum())]
        if totals_wh != self._registers_wh:
            raise EstateError(
                f"the half-hours come to {totals_wh} Wh and the registers to {self._registers_wh}"
            )
        at = int(self._import_wh.argmax())
        peak_wh, highest_wh = int(self._import_wh[at]), self._highest_wh
        return Summary(
            meters=self._meters,
            half_hours=half_hours,
            start=from_unix_s(plan.start_s),
            end=from_unix_s(plan.start_s + half_hours * HALF_HOUR_S),
            import_wh=totals_wh[0],
            export_wh=totals_wh[1],
            peak_w=peak_wh * _HALF_HOURS_PER_HOUR,
            peak_start=from_unix_s(plan.start_s + at * HALF_HOUR_S),
            own_peaks_w=highest_wh * _HALF_HOURS_PER_HOUR,
            diversity=_ratio(highest_wh, peak_wh),
            load_factor=_ratio(totals_wh[0], peak_wh * half_hours),
        )

    def table(self) -> str:
        """A line a half-hour, as comma-separated values."""
        file = io.StringIO()
        out = csv.writer(file, lineterminator="\n")
        out.writerow(_HEADER)
        sums = zip(self._import_wh.tolist(), self._export_wh.tolist(), strict=True)
        for number, (import_wh, export_wh) in enumerate(sums):
            start = from_unix_s(self._plan.start_s + number * HALF_HOUR_S)
            named = settlement_period(start)
            day = named.settlement_date.isoformat()
            out.writerow((iso_utc(start), day, named.settlement_period, import_wh, export_wh))
        return file.getvalue()


def aggregate(
    store: EstateStore, meters: int | None = None, days: int | None = None, engine: str = "local"
) -> Iterator[Aggregation]:
    """Add the blocks up; gives the sums so far after each, and all of it in the end.

    Args:
        store: where they are.
        meters: the first so many alone.
        days: the first so many alone.
        engine: what works on the blocks.

    Raises:
        EstateError: there is no whole estate, fewer meters or days than asked for, or damage.
    """
    plan = store.read_plan()
    meters, days = meters or plan.meters, days or plan.days
    if meters > plan.meters or days > plan.days:
        raise EstateError(
            f"{store.directory} has {plan.meters} meters and {plan.days} days, which is less than"
            " asked for"
        )
    sums = Aggregation(plan, days)
    count = -(-meters // plan.block_meters)
    assert count <= block_count(plan)
    for part in run_tasks(engine, partial(_one, store, plan, meters, days), count):
        sums.add(part)
        yield sums


def _one(store: EstateStore, plan: Plan, meters: int, days: int, number: int) -> _Part:
    block = store.read_block(number, plan)
    kept = min(len(block.import_wh), meters - block.first)
    cells = np.s_[:kept, : days * DAY_HALF_HOURS]
    import_wh, export_wh = block.import_wh[cells], block.export_wh[cells]
    is_whole = days == plan.days
    return _Part(
        import_wh.sum(axis=0, dtype=np.int64),
        export_wh.sum(axis=0, dtype=np.int64),
        int(block.import_register_wh[:kept].sum() if is_whole else import_wh.sum(dtype=np.int64)),
        int(block.export_register_wh[:kept].sum() if is_whole else export_wh.sum(dtype=np.int64)),
        int(import_wh.max(axis=1).sum(dtype=np.int64)),
        kept,
    )


def _ratio(over: int, under: int) -> Decimal | None:
    return (Decimal(over) / under).quantize(Decimal("0.001")) if under else None
