"""Half-hours in the forms that other programs read: text."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, TextIO

from elec_meter.errors import ExportError
from elec_meter.ledger.state import RowStatus
from shared.exact_json import exact_json

from .columns import columns_of
from .observed import Row

Rows = Callable[[], Iterator[Row]]
"""Gives the rows once more, oldest first."""

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_NEM12_MINUTES: Final = (5, 15, 30)
_NEM12_STREAMS: Final = (("import_wh", "E1"), ("export_wh", "B1"))
_NMI_CHARACTERS: Final = 10
_NO_MEAN: Final = 0


class ExportedMeter(NamedTuple):
    """Whose half-hours they are.

    Attributes:
        serial: its number.
        at: as of when.
        gas_m3: the volume of a pulse, by the key of each gas channel.
        before: by key, what its register had before the oldest row.
    """

    serial: str
    at: datetime
    gas_m3: dict[str, Decimal]
    before: dict[str, int]


def write_json(rows: Rows, file: TextIO) -> None:
    """One list, a row a line."""
    between = "[\n"
    for row in rows():
        file.write(between + exact_json(row))
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


def write_csv(rows: Rows, file: TextIO) -> None:
    """Columns of every channel that any row has; what is not known is empty."""
    columns = columns_of(map(flat, rows()))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    if columns:
        writer.writeheader()
    writer.writerows(map(flat, rows()))


def write_nem12(rows: Rows, file: TextIO, meter: ExportedMeter) -> None:
    """Records 100, 200, 300, 400 and 900 of NEM12: import as E1, export as B1, in kWh.

    The days are those of UTC, which has no clock changes: each has all of its intervals. What is
    not known is 0 with the quality N.

    Raises:
        ExportError: the format has no intervals of the meter's length.
    """
    out = csv.writer(file, lineterminator="\r\n")
    out.writerow((100, "NEM12", f"{meter.at:%Y%m%d%H%M}", "HALFHOURLY", "UNKNOWN"))
    minutes = _minutes(rows)
    for number, (key, suffix) in enumerate(_NEM12_STREAMS, start=1):
        days = _by_utc_day(rows(), key, minutes)
        first = next(days, None)
        if first is None:
            continue
        nmi = f"HH{meter.serial[-8:].rjust(8, '0')}"[:_NMI_CHARACTERS]
        suffixes = "".join(each for _, each in _NEM12_STREAMS)
        named = (nmi, suffixes, number, suffix, "", meter.serial[-12:], "kWh", minutes, "")
        out.writerow((200, *named))
        for day, cells in (first, *days):
            out.writerows(_nem12_day(day, cells, meter.at))
    out.writerow((900,))


def write_home_assistant(rows: Rows, file: TextIO, meter: ExportedMeter) -> None:
    """Messages `recorder/import_statistics` of Home Assistant's WebSocket API, a channel each.

    An hour is there once all of it is known; its sum is the register at its end. Before the first
    one stands the hour with the register at which the first begins: what a sum is more than that of
    the hour before was used, so without it the first hour would have used all that is on the meter.
    """
    messages = []
    for key in dict.fromkeys(key for row in rows() for key in row["channels"]):
        name, _, unit = key.rpartition("_")
        if unit not in ("wh", "pulses") or (unit == "pulses" and key not in meter.gas_m3):
            continue
        scale = Decimal("0.001") if unit == "wh" else meter.gas_m3[key]
        stats = list(_hours(rows(), key, scale, meter.before.get(key, 0)))
        if not stats:
            continue
        is_energy = unit == "wh"
        metadata = {
            "has_sum": True,
            "mean_type": _NO_MEAN,
            "name": f"Meter {meter.serial} {name}",
            "source": "halfhourly",
            "statistic_id": f"halfhourly:meter_{meter.serial.lower()}_{name}",
            "unit_class": "energy" if is_energy else "volume",
            "unit_of_measurement": "kWh" if is_energy else "m³",
        }
        messages.append(
            {"type": "recorder/import_statistics", "metadata": metadata, "stats": stats}
        )
    file.write("[\n" + ",\n".join(map(exact_json, messages)) + "\n]\n" if messages else "[]\n")


def flat(row: Row) -> dict[str, Any]:
    """A row without tables in it: the columns of CSV and Parquet."""
    return {
        **{key: row[key] for key in ("start", "end", "settlement_date", "settlement_period")},
        **row["channels"],
        "status": row["status"],
        **{f"{key}_status": bits for key, bits in row["channel_status"].items()},
        "revision": row["revision"],
    }


class _Cell(NamedTuple):
    """An interval: Wh, None where they are not known, and the row's status."""

    energy_wh: int | None
    status: int


_NOTHING: Final = _Cell(None, 0)


def _minutes(rows: Rows) -> int:
    """The one length of all intervals that have energy."""
    lengths = {_span(row)[1] for row in rows() if "import_wh" in row["channels"]}
    minutes = sorted(length // _MINUTE for length in lengths) or [30]
    if len(minutes) > 1 or minutes[0] not in _NEM12_MINUTES:
        found = " and ".join(map(str, minutes))
        raise ExportError(f"NEM12 has intervals of 5, 15 or 30 minutes, and these are of {found}")
    return minutes[0]


def _span(row: Row) -> tuple[datetime, timedelta]:
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    return start.astimezone(UTC), end - start


def _by_utc_day(
    rows: Iterator[Row], key: str, minutes: int
) -> Iterator[tuple[datetime, list[_Cell]]]:
    """Each day from the first to the last that has a row, with all of its intervals."""
    day, cells = None, list[_Cell]()
    for row in rows:
        if key not in row["channels"]:
            continue
        start, _ = _span(row)
        midnight = start.replace(hour=0, minute=0)
        while day is not None and day < midnight:
            yield day, cells
            day, cells = day + _DAY, [_NOTHING] * (_DAY // (minutes * _MINUTE))
        if day is None:
            day, cells = midnight, [_NOTHING] * (_DAY // (minutes * _MINUTE))
        place = (start - midnight) // (minutes * _MINUTE)
        cells[place] = _Cell(row["channels"][key], row["status"])
    if day is not None:
        yield day, cells


def _nem12_day(day: datetime, cells: list[_Cell], at: datetime) -> Iterator[tuple[Any, ...]]:
    """A 300 record, and 400 records where its intervals are not all alike."""
    runs: list[tuple[int, int, tuple[str, str, str]]] = []
    for number, cell in enumerate(cells, start=1):
        quality = _quality(cell)
        if runs and runs[-1][2] == quality:
            runs[-1] = runs[-1][0], number, quality
        else:
            runs.append((number, number, quality))
    values = (f"{Decimal(cell.energy_wh or 0) / 1_000:.3f}" for cell in cells)
    common = runs[0][2] if len(runs) == 1 else ("V", "", "")
    yield 300, f"{day:%Y%m%d}", *values, *common, f"{at:%Y%m%d%H%M%S}", ""
    if len(runs) > 1:
        for first, last, quality in runs:
            yield 400, first, last, *quality


def _quality(cell: _Cell) -> tuple[str, str, str]:
    """QualityMethod, ReasonCode and ReasonDescription."""
    is_doubtful = bool(cell.status & RowStatus.DATA_NOT_VALID)
    if cell.energy_wh is None or (is_doubtful and not cell.energy_wh):
        return "N", "", ""
    if cell.status & RowStatus.POWER_DOWN:
        return "A", "79", "Power Outage Alarm"
    return "A", "", ""


def _hours(rows: Iterator[Row], key: str, scale: Decimal, before: int) -> Iterator[dict[str, Any]]:
    """Hours in which everything is known, with the sum at their end, and the one before them."""
    total, hour, covered, added = before, None, timedelta(), 0
    is_first = True
    for row in rows:
        value = row["channels"].get(key, 0)
        start, length = _span(row)
        if key not in row["channels"]:
            continue
        if value is None:
            return  # what follows has no sum yet: never a false one
        begun = start.replace(minute=0)
        if begun != hour:
            total, hour, covered, added = total + added, begun, timedelta(), 0
        covered, added = covered + length, added + value
        if covered == _HOUR:
            if is_first:
                yield _statistic(begun - _HOUR, total * scale)
            is_first = False
            yield _statistic(begun, (total + added) * scale)


def _statistic(begun: datetime, reading: Decimal) -> dict[str, Any]:
    return {"start": begun.isoformat(), "state": reading, "sum": reading}
