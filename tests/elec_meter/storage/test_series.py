from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.errors import LoadSeriesError
from elec_meter.ledger import imbalances
from elec_meter.storage import LoadOption, LoadSeries, read_load_series
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import MIDNIGHT_S, imports, powered_ledger

# The form of Low Carbon London's files (UK Power Networks, CC BY 4.0).
HEADER = "LCLid,tstp,energy_kWh\n"
GOOD = (
    HEADER
    + "MAC000010,2013-01-01 00:00:00.0000000, 0.509 \n"
    + "MAC000010,2013-01-01 00:30:00.0000000, 0.453 \n"
    + "MAC004391,2013-01-01 00:00:00.0000000, 7 \n"
    + "MAC000010,2013-01-01 01:00:00.0000000, 0.5 \n"
)


def written(tmp_path: Path, text: str | bytes) -> Path:
    """A file of this content."""
    path = tmp_path / "homes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(tmp_path: Path, text: str | bytes) -> LoadSeries:
    """The series of the first home."""
    return read_load_series(written(tmp_path, text), "LCLid", "MAC000010")


def test_one_home_is_read_exactly(tmp_path: Path) -> None:
    """The lines of one value become half-hours of exact Wh, from a start in UTC."""
    series = read(tmp_path, GOOD)
    assert (MIDNIGHT_S, MIDNIGHT_S + 5400, 3) == (series.start_s, series.end_s, len(series))
    assert [Fraction(509), Fraction(453), Fraction(500)] == list(series.energies_wh)
    assert [MIDNIGHT_S, MIDNIGHT_S + 1800, MIDNIGHT_S + 3600] == [e.start_s for e in series]
    assert 1462 == sum(series.energies_wh)


@pytest.mark.parametrize(
    ("header", "stamp", "wh"),
    [
        ("id,start,kwh", "2013-01-01T00:00Z", 1500),
        ("id,DateTime,KWH/hh (per half hour) ", "2013-01-01 00:00:00", 1500),
        ("id,Timestamp,import_kWh", "2013-01-01T01:00:00+01:00", 1500),
        ("id,time,energy_wh", "2013-01-01 00:00", Fraction(3, 2)),
    ],
)
def test_columns_are_found_by_their_names(
    tmp_path: Path, header: str, stamp: str, wh: Fraction | int
) -> None:
    """Usual names of time and energy are known, and so is the unit."""
    path = written(tmp_path, f"\ufeff{header}\r\nA,{stamp},1.5\r\n")
    series = read_load_series(path, "id", "A")
    assert (MIDNIGHT_S, [wh]) == (series.start_s, list(series.energies_wh))


LINE = "MAC000010,2013-01-01 {},{}\n"
REFUSALS = {
    "line 3: 2 half-hours missing before 2013-01-01 01:30": HEADER
    + LINE.format("00:00:00", "1")
    + LINE.format("01:30:00", "1"),
    "line 3: 1 half-hour missing before 2013-01-01 01:00": HEADER
    + LINE.format("00:00:00", "1")
    + LINE.format("01:00:00", "1"),
    "line 3: the half-hour 2013-01-01 00:00 occurs twice": HEADER
    + LINE.format("00:00:00", "1")
    + LINE.format("00:00:00", "1"),
    "line 4: the half-hour 2013-01-01 00:00 is out of order": HEADER
    + LINE.format("00:00:00", "1")
    + LINE.format("00:30:00", "1")
    + LINE.format("00:00:00", "1"),
    "line 2: 2013-01-01 00:10:00 does not start a half-hour": HEADER + LINE.format("00:10:00", "1"),
    "line 2: 2013-01-01 00:00:00.0000001 does not start a half-hour": HEADER
    + LINE.format("00:00:00.0000001", "1"),
    "line 2: '2013-01-01 25:00:00' is no time": HEADER + LINE.format("25:00:00", "1"),
    "line 2: '2013-01-01 noon' is no time": HEADER + LINE.format("noon", "1"),
    "line 2: the energy -0.1 is below zero": HEADER + LINE.format("00:00:00", "-0.1"),
    "line 2: 'Null' is no energy": HEADER + LINE.format("00:00:00", "Null"),
    "line 2: 'nan' is no energy": HEADER + LINE.format("00:00:00", "nan"),
    "line 2: 'inf' is no energy": HEADER + LINE.format("00:00:00", "inf"),
    "line 2: the energy is missing": HEADER + LINE.format("00:00:00", " "),
    "line 2: the energy 1e9 is more than a house can use": HEADER + LINE.format("00:00:00", "1e9"),
    "line 2: 2 values, and the header names 3": HEADER + "MAC000010,2013-01-01 00:00:00\n",
    "line 2: 4 values, and the header names 3": HEADER + "MAC000010,2013-01-01 00:00:00,1,2\n",
    "homes.csv: no line has 'MAC000010' in the column 'LCLid'": HEADER,
    "homes.csv is empty": "",
    "homes.csv has no column 'LCLid': its header is a, b": "a,b\n1,2\n",
    "homes.csv has no column for the time, such as tstp": "LCLid,kwh\n",
    "homes.csv has no columns for the energy, such as energy_kWh": "LCLid,tstp\n",
    "homes.csv has 2 columns for the energy": "LCLid,tstp,a_kwh,b_kwh\n",
    "homes.csv is not a text file in UTF-8": b"\xff\xd8\xff\xe0" * 10,
    "homes.csv is not a text file: line 1 holds a zero byte": bytes(100),
    "line 2: longer than 65536 characters": HEADER + "x" * 70_000,
    "line 4: field larger than field limit": HEADER + '"' + ("x" * 60_000 + "\n") * 4,
}


@pytest.mark.parametrize(("sentence", "text"), REFUSALS.items(), ids=list(REFUSALS))
def test_refusal_names_line_and_reason(tmp_path: Path, sentence: str, text: str | bytes) -> None:
    """Whatever is not an unbroken series of plain numbers is refused in one sentence."""
    with pytest.raises(LoadSeriesError) as refusal:
        read(tmp_path, text)
    assert sentence in str(refusal.value)
    assert "homes.csv" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file or directory that cannot be read is one sentence with its name."""
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(LoadSeriesError, match="cannot be read") as refusal:
            read_load_series(path, "LCLid", "A")
        assert str(path) in str(refusal.value)


def test_memory_holds_the_series_and_not_the_file(tmp_path: Path) -> None:
    """Three megabytes of other homes take a tenth of that to read past."""
    other = "MAC009999,2013-01-01 00:00:00.0000000, 0.509 \n" * 60_000
    path = written(tmp_path, GOOD + other)
    tracemalloc.start()
    try:
        assert 3 == len(read_load_series(path, "LCLid", "MAC000010"))
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()


@given(st.lists(st.fractions(0, 5, max_denominator=10**7), min_size=1, max_size=20))
@settings(max_examples=40)
def test_millijoules_lose_less_than_one(energies_wh: list[Fraction]) -> None:
    """Whole millijoules follow the exact sum from below, never by a whole one."""
    series = LoadSeries(MIDNIGHT_S, energies_wh)
    exact_mj, whole_mj = Fraction(), 0
    for energy_wh, (_, energy_mj) in zip(energies_wh, series.energies_mj(), strict=True):
        exact_mj += energy_wh * MJ_PER_WH
        whole_mj += energy_mj
        assert 0 <= exact_mj - whole_mj < 1


def test_series_is_a_load(tmp_path: Path) -> None:
    """Replayed into a ledger, every half-hour's row is the file's value."""
    ledger = powered_ledger()
    series = read(tmp_path, GOOD)
    for start_s, energy_mj in series.energies_mj():
        ledger.accumulate_evenly("import", energy_mj, start_s, start_s + 1800)
        ledger.close_through(start_s + 1800)
    assert [509, 453, 500] == imports(ledger)
    assert [] == imbalances(ledger)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("homes.csv:LCLid=MAC000010", ("homes.csv", "LCLid", "MAC000010")),
        ("a:b/homes.csv:id = x y ", ("a:b/homes.csv", "id", "x y")),
        ("homes.csv:id=a:b=c", ("homes.csv", "id", "a:b=c")),
        ("homes.csv:id=", ("homes.csv", "id", "")),
    ],
)
def test_option_is_path_column_and_value(text: str, expected: tuple[str, str, str]) -> None:
    """`CSV:COLUMN=VALUE` is taken apart at the first colon that a column can follow."""
    path, column, value = expected
    assert (Path(path), column, value) == LoadOption.parse(text)


@pytest.mark.parametrize("text", ["", "homes.csv", "homes.csv:id", ":id=x", "homes.csv:=x"])
def test_other_option_is_refused(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(LoadSeriesError, match=r"such as homes\.csv:LCLid=MAC000010"):
        LoadOption.parse(text)


def test_json_is_no_series(tmp_path: Path) -> None:
    """A file of another form is refused by its header."""
    with pytest.raises(LoadSeriesError, match="has no column"):
        read(tmp_path, json.dumps({"a": 1}))
