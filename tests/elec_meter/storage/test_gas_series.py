from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from elec_meter.errors import LoadSeriesError
from elec_meter.storage import read_gas_day_json, read_gas_series
from shared.timegrid import LONDON, HalfHour, half_hours_of_settlement_day


def reading(start: str, kwh: object, unit: str = "kwh") -> dict[str, Any]:
    """A reading in the supplier's form."""
    return {"consumption": kwh, "interval": {"start": start, "end": ""}, "unit": unit}


def day_of(local_date: date) -> list[dict[str, Any]]:
    """A whole day: the nth half-hour has n thousandths of a kWh."""
    return [
        reading(f"{slot.start.astimezone(LONDON):%Y-%m-%dT%H:%M:%S}.000", n / 1000)
        for n, slot in enumerate(half_hours_of_settlement_day(local_date))
    ]


def written(tmp_path: Path, readings: object, name: str = "day.json") -> Path:
    """A supplier's file."""
    path = tmp_path / name
    path.write_text(json.dumps({"gas": {"data": readings, "next": True}, "electricity": {}}))
    return path


@pytest.mark.parametrize(
    ("local_date", "count"),
    [(date(2021, 10, 1), 48), (date(2021, 10, 31), 50), (date(2021, 3, 28), 46)],
)
def test_day_is_read_in_utc(tmp_path: Path, local_date: date, count: int) -> None:
    """Local times become half-hours in UTC, on days of 46 and 50 too."""
    series = read_gas_day_json(written(tmp_path, day_of(local_date)))
    assert list(half_hours_of_settlement_day(local_date)) == list(series.energies_wh)
    assert [Fraction(n) for n in range(count)] == list(series.energies_wh.values())
    assert () == series.missing


def test_missing_slot_is_reported(tmp_path: Path) -> None:
    """A half-hour that the supplier lacks is named, and has no value."""
    series = read_gas_day_json(written(tmp_path, day_of(date(2021, 10, 1))[1:]))
    missing = HalfHour.containing(half_hours_of_settlement_day(date(2021, 10, 1))[0].start)
    assert (missing,) == series.missing
    assert missing not in series.energies_wh
    assert sum(range(48)) == sum(series.energies_wh.values())


def test_days_become_one_series(tmp_path: Path) -> None:
    """Files in any order give one series in order of time."""
    paths = [written(tmp_path, day_of(date(2021, 10, day))[2:], f"{day}.json") for day in (2, 1, 3)]
    series = read_gas_series(paths)
    assert sorted(series.energies_wh) == list(series.energies_wh)
    assert (138, 6) == (len(series.energies_wh), len(series.missing))
    with pytest.raises(LoadSeriesError, match="2021-10-02 occurs twice"):
        read_gas_series([*paths, paths[0]])


SLOT = "2021-10-01T00:30:00.000"


@pytest.mark.parametrize(
    ("readings", "sentence"),
    [
        ([], "has no gas reading"),
        ([reading(SLOT, 1), reading(SLOT, 1)], "occurs twice, or is no half-hour"),
        ([reading(SLOT, 1), reading("2021-10-02T00:00:00.000", 1)], "is no half-hour"),
        ([reading("2021-10-01T00:10:00.000", 1)], "is no half-hour"),
        ([reading("2021-03-28T01:30:00.000", 1)], "is no half-hour"),
        ([reading("yesterday", 1)], "'yesterday' is no time"),
        ([reading("2021-10-01T00:30:00Z", 1)], "has an offset"),
        ([reading(SLOT, -1)], "-1 kWh"),
        ([reading(SLOT, "NaN")], "NaN kWh"),
        ([reading(SLOT, "1e-999999999")], "1E-999999999 kWh"),
        ([reading("0021-10-01T00:00:00", 1)], "0021-10-01 is no day of half-hours"),
        ([reading(SLOT, 1e6)], "is no half-hour's gas"),
        ([reading(SLOT, None)], "is no day of gas readings"),
        ([reading(SLOT, 1, "m3")], "is no day of gas readings"),
        ("readings", "is no day of gas readings"),
    ],
)
def test_refusal_names_file_and_reason(tmp_path: Path, readings: object, sentence: str) -> None:
    """What is not a day of plain numbers is refused in one sentence."""
    path = written(tmp_path, readings)
    with pytest.raises(LoadSeriesError) as refusal:
        read_gas_day_json(path)
    assert sentence in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[", b"{}", b" " * 5_000_000])
def test_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty, binary, cut or huge file is a LoadSeriesError."""
    path = tmp_path / "day.json"
    path.write_bytes(content)
    with pytest.raises(LoadSeriesError):
        read_gas_day_json(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is one sentence with its name."""
    with pytest.raises(LoadSeriesError, match=r"nothing\.json cannot be read"):
        read_gas_day_json(tmp_path / "nothing.json")
