from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.cli.export_forms import (
    ExportedMeter,
    flat,
    write_csv,
    write_home_assistant,
    write_nem12,
)
from elec_meter.cli.parquet import write_parquet
from elec_meter.errors import ExportError
from shared.timegrid import from_unix_s, iso_utc, settlement_period, unix_s

NIGHT = datetime(2025, 10, 25, 21, 30, tzinfo=UTC)
METER = ExportedMeter("00000001", NIGHT, {"gas_pulses": Decimal("0.01")}, {"import_wh": 1_000})

Rows = list[dict[str, Any]]


def rows_from(
    cells: list[tuple[int | None, int]], start: datetime = NIGHT, minutes: int = 30
) -> Rows:
    """Rows with these imports and statuses; gas is two pulses each."""
    length = timedelta(minutes=minutes)
    rows = []
    for number, (import_wh, status) in enumerate(cells):
        begin = start + number * length
        period = settlement_period(begin)
        rows.append(
            {
                "start": iso_utc(begin),
                "end": iso_utc(begin + length),
                "settlement_date": period.settlement_date.isoformat(),
                "settlement_period": period.settlement_period,
                "channels": {"import_wh": import_wh, "export_wh": 0, "gas_pulses": 2},
                "status": status,
                "channel_status": {"gas": 0},
                "revision": 0,
            }
        )
    return rows


CELLS = st.lists(
    st.tuples(st.none() | st.integers(0, 10**9), st.sampled_from((0, 4, 64, 128))),
    min_size=1,
    max_size=150,
)


def nem12(rows: Rows, meter: ExportedMeter = METER) -> list[list[str]]:
    """The records."""
    file = io.StringIO()
    write_nem12(lambda: iter(rows), file, meter)
    assert file.getvalue().endswith("\r\n")
    return list(csv.reader(io.StringIO(file.getvalue())))


def intervals(records: list[list[str]], suffix: str) -> dict[datetime, tuple[int, str]]:
    """Wh and quality of each interval, read as the public specification has the records."""
    found: dict[datetime, tuple[int, str]] = {}
    of_stream, last = "", None
    for record in records:
        match record[0]:
            case "200":
                assert 10 == len(record)
                of_stream, (unit, minutes) = record[4], record[7:9]
                assert ("kWh", "30") == (unit, minutes)
            case "300":
                assert 2 + 48 + 5 == len(record)
                last = datetime.strptime(record[1], "%Y%m%d").replace(tzinfo=UTC)
                quality = record[50]
                if of_stream == suffix:
                    for n, value in enumerate(record[2:50]):
                        at = last + n * timedelta(minutes=30)
                        found[at] = int(Decimal(value) * 1_000), quality
            case "400" if of_stream == suffix:
                assert 6 == len(record)
                assert last is not None
                for n in range(int(record[1]), int(record[2]) + 1):
                    at = last + (n - 1) * timedelta(minutes=30)
                    assert "V" == found[at][1]
                    found[at] = found[at][0], record[3]
    assert "V" not in {quality for _, quality in found.values()}
    return found


def test_the_records_of_nem12_are_as_specified() -> None:
    """100, then for each stream 200 and its days with 300 and 400, and 900."""
    records = nem12(rows_from([(1_234, 0)] * 5 + [(0, 128)] * 48))
    assert ["100", "NEM12", "202510252130", "HALFHOURLY", "UNKNOWN"] == records[0]
    first = ["200", "HH00000001", "E1B1", "1", "E1", "", "00000001", "kWh", "30", ""]
    assert first == records[1]
    assert ["300", "20251025", *["0.000"] * 43, *["1.234"] * 5, "V", "", ""] == records[2][:53]
    assert ["20251025213000", ""] == records[2][53:]
    assert [["400", "1", "43", "N", "", ""], ["400", "44", "48", "A", "", ""]] == records[3:5]
    assert ["A", "79", "Power Outage Alarm"] == records[5][50:53]
    assert {"E1", "B1"} == {record[4] for record in records if record[0] == "200"}
    assert ["900"] == records[-1]
    assert 10 == len(records[1][1])


@settings(max_examples=40)
@given(cells=CELLS, start=st.integers(0, 47))
def test_nem12_has_every_interval_once(cells: list[tuple[int | None, int]], start: int) -> None:
    """The night on which the clocks go back too; what is not known is 0 and N, and no other is."""
    rows = rows_from(cells, datetime(2025, 10, 25, tzinfo=UTC) + start * timedelta(minutes=30))
    found = intervals(nem12(rows), "E1")
    assert 0 == len(found) % 48
    for row, (import_wh, status) in zip(rows, cells, strict=True):
        quality = "N" if import_wh is None or (status == 4 and not import_wh) else "A"
        assert (import_wh or 0, quality) == found.pop(datetime.fromisoformat(row["start"]))
    assert {(0, "N")} >= set(found.values())


def test_nem12_is_for_lengths_that_it_has() -> None:
    """Fifteen minutes are; ten, and two lengths in one list, are refused."""
    assert 2 + 96 + 5 == len(nem12(rows_from([(1, 0)], minutes=15))[2])
    with pytest.raises(ExportError, match="5, 15 or 30 minutes, and these are of 10"):
        nem12(rows_from([(1, 0)], minutes=10))
    mixed = rows_from([(1, 0)]) + rows_from([(1, 0)], NIGHT + timedelta(hours=1), 15)
    with pytest.raises(ExportError, match="of 15 and 30"):
        nem12(mixed)
    assert ["100", "900"] == [record[0] for record in nem12([])]


def statistics(rows: Rows) -> dict[str, list[tuple[str, Decimal]]]:
    """Hours and sums by statistic."""
    file = io.StringIO()
    write_home_assistant(lambda: iter(rows), file, METER)
    told = json.loads(file.getvalue(), parse_float=Decimal, parse_int=Decimal)
    for each in told:
        assert "recorder/import_statistics" == each["type"]
        assert each["metadata"]["statistic_id"].startswith(each["metadata"]["source"] + ":")
        assert each["metadata"]["has_sum"]
    return {
        each["metadata"]["statistic_id"]: [(stat["start"], stat["sum"]) for stat in each["stats"]]
        for each in told
    }


def test_statistics_are_hours_with_the_register() -> None:
    """Whole ones alone, in kWh and cubic metres, after the register with which the first begins."""
    told = statistics(rows_from([(100, 0), (200, 0), (300, 0), (400, 0)]))
    before, begun = "2025-10-25T21:00:00+00:00", "2025-10-25T22:00:00+00:00"
    assert [(before, Decimal("1.1")), (begun, Decimal("1.6"))] == told[
        "halfhourly:meter_00000001_import"
    ]
    assert [(before, Decimal("0.02")), (begun, Decimal("0.06"))] == told[
        "halfhourly:meter_00000001_gas"
    ]


@given(cells=st.lists(st.integers(0, 10**7), max_size=120))
def test_sums_never_lose_anything(cells: list[int]) -> None:
    """An hour more is exactly its two half-hours more."""
    rows = rows_from([(cell, 0) for cell in cells], NIGHT + timedelta(minutes=30))
    sums = statistics(rows).get("halfhourly:meter_00000001_import", [])
    hours = len(cells) // 2
    assert hours + bool(hours) == len(sums)
    for number, (_, total) in enumerate(sums):
        assert Decimal(1_000 + sum(cells[: 2 * number])) / 1_000 == total


def test_what_is_not_known_ends_the_statistics() -> None:
    """No sum is made up for what follows, and none is a false one."""
    told = statistics(rows_from([(1, 0), (1, 0), (1, 0), (None, 0), (1, 0), (1, 0), (1, 0)]))
    assert 1 + 1 == len(told["halfhourly:meter_00000001_import"])
    assert 1 + 3 == len(told["halfhourly:meter_00000001_gas"])


def test_a_channel_without_an_hour_has_no_message() -> None:
    """Half an hour is none yet."""
    assert {} == statistics(rows_from([(1, 0)]))


@settings(max_examples=25)
@given(cells=CELLS)
def test_parquet_is_read_as_it_was_written(
    cells: list[tuple[int | None, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Instants, whole numbers, null for what is not known: the rows of the CSV, with types."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path_factory.mktemp("parquet") / "rows.parquet"
    rows = rows_from(cells)
    write_parquet(lambda: iter(rows), path)
    read = parquet.read_table(path).to_pylist()
    expected = [
        {
            **flat(row),
            "start": datetime.fromisoformat(row["start"]),
            "end": datetime.fromisoformat(row["end"]),
            "settlement_date": date.fromisoformat(row["settlement_date"]),
        }
        for row in rows
    ]
    assert expected == read


@settings(max_examples=25)
@given(cells=CELLS)
def test_csv_is_read_as_it_was_written(cells: list[tuple[int | None, int]]) -> None:
    """Every cell; what is not known is empty."""
    file, rows = io.StringIO(), rows_from(cells)
    write_csv(partial(iter, rows), file)
    read = list(csv.DictReader(io.StringIO(file.getvalue())))
    told = [{k: "" if v is None else str(v) for k, v in flat(row).items()} for row in rows]
    assert told == read


def test_the_instants_are_those_of_the_grid() -> None:
    """A helper of this page that is wrong would prove nothing."""
    (row,) = rows_from([(1, 0)])
    assert NIGHT == from_unix_s(unix_s(datetime.fromisoformat(row["start"])))


def test_rows_of_nothing_give_an_empty_file(tmp_path: Path) -> None:
    """It has no columns, and reads as such."""
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(lambda: iter(()), tmp_path / "none.parquet")
    assert 0 == parquet.read_table(tmp_path / "none.parquet").num_rows


def test_a_channel_that_came_later_has_its_place() -> None:
    """Its columns stand beside those of the other channels."""
    rows = rows_from([(1, 0), (2, 0)])
    rows[1]["channels"] = {**rows[1]["channels"], "gas_2_pulses": 3}
    rows[1]["channel_status"] = {"gas": 0, "gas_2": 1}
    file = io.StringIO()
    write_csv(lambda: iter(rows), file)
    header, first, _ = csv.reader(io.StringIO(file.getvalue()))
    assert [
        *("start", "end", "settlement_date", "settlement_period"),
        *("import_wh", "export_wh", "gas_pulses", "gas_2_pulses"),
        *("status", "gas_status", "gas_2_status", "revision"),
    ] == header
    assert ["2", "", "0", "0", "", "0"] == first[-6:]
