"""A home's half-hourly gas from its supplier's files: one JSON document per local day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from elec_meter.errors import LoadSeriesError
from shared.errors import TimegridError
from shared.timegrid import LONDON, HalfHour, half_hours_of_settlement_day

_MAX_BYTES: Final = 4_000_000
# A ten-character number could otherwise ask for a fraction of a gigabyte.
_DECIMALS_MAX: Final = 18


class _Interval(msgspec.Struct):
    start: str
    end: str


class _Reading(msgspec.Struct):
    consumption: Decimal
    interval: _Interval
    unit: Literal["kwh"]


class _Fuel(msgspec.Struct):
    data: Annotated[list[_Reading], Meta(max_length=100)]


class _Day(msgspec.Struct):
    gas: _Fuel


@dataclass(frozen=True)
class GasSeries:
    """Half-hourly gas energy, and what the supplier did not say.

    Attributes:
        energies_wh: exact energy by half-hour, in order of time.
        missing: the half-hours of those days that no file has, in order of time.
    """

    energies_wh: dict[HalfHour, Fraction]
    missing: tuple[HalfHour, ...]


def read_gas_day_json(path: Path | str) -> GasSeries:
    """One local day of readings in kWh, each with its start in local time.

    Where a local time occurs twice, the first reading is the first pass. A half-hour that the file
    lacks is reported as missing, never made up.

    Raises:
        LoadSeriesError: the file is not such a document; the sentence names the reason.
    """
    readings = _decode(path).gas.data
    if not readings:
        raise LoadSeriesError(f"{path} has no gas reading")
    day = _local_start(path, readings[0]).date()
    try:
        free = list(half_hours_of_settlement_day(day))
    except TimegridError:
        raise LoadSeriesError(f"{path}: {day} is no day of half-hours") from None
    energies_wh: dict[HalfHour, Fraction] = {}
    for reading in readings:
        start = _local_start(path, reading)
        half_hour = next((slot for slot in free if _wall(slot) == start), None)
        if half_hour is None:
            raise LoadSeriesError(
                f"{path}: {reading.interval.start} occurs twice, or is no half-hour of {day}"
            )
        free.remove(half_hour)
        energies_wh[half_hour] = _energy_wh(path, reading)
    return GasSeries(dict(sorted(energies_wh.items())), tuple(free))


def read_gas_series(paths: Iterable[Path | str]) -> GasSeries:
    """Several days of readings as one series; days between them are not in it at all.

    Raises:
        LoadSeriesError: as for one day, or two files have the same day.
    """
    energies_wh: dict[HalfHour, Fraction] = {}
    missing: list[HalfHour] = []
    seen: set[date] = set()
    for path in paths:
        series = read_gas_day_json(path)
        day = next(iter(series.energies_wh)).settlement_date
        if day in seen:
            raise LoadSeriesError(f"{path}: the day {day} occurs twice")
        seen.add(day)
        energies_wh |= series.energies_wh
        missing += series.missing
    return GasSeries(dict(sorted(energies_wh.items())), tuple(sorted(missing)))


def _decode(path: Path | str) -> _Day:
    try:
        with Path(path).open("rb") as file:
            document = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LoadSeriesError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(document) > _MAX_BYTES:
        raise LoadSeriesError(f"{path} is longer than a day's readings can be")
    try:
        return msgspec.json.decode(document, type=_Day)
    except msgspec.ValidationError as error:
        raise LoadSeriesError(f"{path} is no day of gas readings: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LoadSeriesError(f"{path} is not JSON: {error}") from None


def _local_start(path: Path | str, reading: _Reading) -> datetime:
    text = reading.interval.start
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise LoadSeriesError(f"{path}: {text[:40]!r} is no time") from None
    if start.tzinfo is not None:
        raise LoadSeriesError(f"{path}: {text} has an offset where local time is expected")
    return start


def _wall(half_hour: HalfHour) -> datetime:
    return half_hour.start.astimezone(LONDON).replace(tzinfo=None, fold=0)


def _energy_wh(path: Path | str, reading: _Reading) -> Fraction:
    energy_kwh = reading.consumption
    exponent = energy_kwh.as_tuple().exponent
    is_short = isinstance(exponent, int) and exponent >= -_DECIMALS_MAX
    if not is_short or not 0 <= energy_kwh < 1000:
        raise LoadSeriesError(
            f"{path}: {energy_kwh} kWh at {reading.interval.start} is no half-hour's gas"
        )
    return Fraction(energy_kwh) * 1000
