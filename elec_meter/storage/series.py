"""Half-hourly readings from a file of comma-separated values, to be replayed as a load."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from elec_meter.errors import LoadSeriesError
from shared.errors import UnitsError
from shared.timegrid import HALF_HOUR_S, from_unix_s, unix_s
from shared.units import MJ_PER_WH, exact_decimal

MAX_HALF_HOURS: Final = 1_000_000
"""57 years: what a series may hold, however long the file is."""

MAX_HALF_HOUR_WH: Final = 1_000_000
"""A half-hour at 2 MW: whatever is above is a mistake."""

_MAX_LINE: Final = 65_536
_TIME_NAMES: Final = ("tstp", "start", "start_utc", "timestamp", "datetime", "date_time", "time")
_OWN_ENERGY: Final = "import_wh"  # of an export of ours, which has further columns of energy
_STAMP: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_OPTION: Final = re.compile(r"(.+?):([^:=]+)=(.*)", re.DOTALL)


class LoadOption(NamedTuple):
    """What `CSV:COLUMN=VALUE` on a command line asks for."""

    path: Path
    column: str
    value: str

    @classmethod
    def parse(cls, text: str) -> LoadOption:
        """Read `CSV:COLUMN=VALUE`.

        Raises:
            LoadSeriesError: the text has not this form.
        """
        match = _OPTION.fullmatch(text)
        if match is None:
            raise LoadSeriesError(
                f"{text!r} has not the form CSV:COLUMN=VALUE, such as homes.csv:LCLid=MAC000010"
            )
        return cls(Path(match[1]), match[2].strip(), match[3].strip())


class LoadEntry(NamedTuple):
    """The energy of the half-hour that starts at `start_s` (UNIX seconds, UTC)."""

    start_s: int
    energy_wh: Fraction


@dataclass(frozen=True)
class LoadSeries:
    """Consecutive half-hours; iterating gives a `LoadEntry` each.

    Attributes:
        start_s: start of the first half-hour, UNIX seconds in UTC.
        energies_wh: exact, in order of time.
    """

    start_s: int
    energies_wh: Sequence[Fraction]

    def __len__(self) -> int:
        return len(self.energies_wh)

    def __iter__(self) -> Iterator[LoadEntry]:
        for index, energy_wh in enumerate(self.energies_wh):
            yield LoadEntry(self.start_s + index * HALF_HOUR_S, energy_wh)

    @property
    def end_s(self) -> int:
        """End of the last half-hour."""
        return self.start_s + len(self.energies_wh) * HALF_HOUR_S

    def energies_mj(self) -> Iterator[tuple[int, int]]:
        """Start and energy in whole mJ; what is below one is carried into the next half-hour."""
        carried_mj = Fraction()
        for start_s, energy_wh in self:
            carried_mj += energy_wh * MJ_PER_WH
            whole_mj = carried_mj.__floor__()
            carried_mj -= whole_mj
            yield start_s, whole_mj


def read_load_series(path: Path | str, column: str, value: str) -> LoadSeries:
    """The half-hours in those lines where `column` is `value`.

    The header names the columns: the time is `tstp`, `start`, `timestamp` or the like, the period's
    start, in UTC unless it carries an offset; the energy is the one that names kWh (or Wh), and of
    our own exports `import_wh`. The format of Low Carbon London's files is an example. Memory holds
    the series, not the file.

    Raises:
        LoadSeriesError: whatever is not an unbroken series of plain numbers; the sentence names the
            line and the reason.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return _read(str(path), file, column.strip(), value.strip())
    except OSError as error:
        raise LoadSeriesError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise LoadSeriesError(f"{path} is not a text file in UTF-8") from None


class _Columns(NamedTuple):
    key: int
    time: int
    energy: int
    wh_per_unit: Fraction
    width: int


def _read(path: str, file: TextIO, column: str, value: str) -> LoadSeries:
    lines = csv.reader(_bounded_lines(path, file))
    first_s, energies_wh = 0, list[Fraction]()
    try:
        header = next(lines, None)
        if header is None:
            raise LoadSeriesError(f"{path} is empty")
        columns = _find_columns(path, header, column)
        for cells in lines:
            if not cells:
                continue
            where = f"{path}, line {lines.line_num}"
            if len(cells) != columns.width:
                raise LoadSeriesError(
                    f"{where}: {len(cells)} values, and the header names {columns.width}"
                )
            if cells[columns.key].strip() != value:
                continue
            start_s = _start_s(where, cells[columns.time].strip())
            if not energies_wh:
                first_s = start_s
            _require_next(where, start_s, first_s + len(energies_wh) * HALF_HOUR_S)
            energies_wh.append(_energy_wh(where, cells[columns.energy].strip(), columns))
            if len(energies_wh) > MAX_HALF_HOURS:
                raise LoadSeriesError(f"{where}: more than {MAX_HALF_HOURS} half-hours")
    except csv.Error as error:
        raise LoadSeriesError(f"{path}, line {lines.line_num}: {error}") from None
    if not energies_wh:
        raise LoadSeriesError(f"{path}: no line has {value!r} in the column {column!r}")
    return LoadSeries(first_s, tuple(energies_wh))


def _bounded_lines(path: str, file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise LoadSeriesError(f"{path}, line {number}: longer than {_MAX_LINE} characters")
        if "\0" in line:
            raise LoadSeriesError(f"{path} is not a text file: line {number} holds a zero byte")
        yield line


def _find_columns(path: str, header: list[str], column: str) -> _Columns:
    names = [name.strip() for name in header]
    lower = [name.lower() for name in names]
    if column not in names:
        raise LoadSeriesError(f"{path} has no column {column!r}: its header is {', '.join(names)}")
    times = [lower.index(name) for name in _TIME_NAMES if name in lower]
    if not times:
        raise LoadSeriesError(
            f"{path} has no column for the time, such as tstp: its header is {', '.join(names)}"
        )
    energies = [index for index, name in enumerate(lower) if name == _OWN_ENERGY]
    energies = energies or [index for index, name in enumerate(lower) if "kwh" in name]
    energies = energies or [index for index, name in enumerate(lower) if name.endswith("_wh")]
    if len(energies) != 1:
        raise LoadSeriesError(
            f"{path} has {len(energies) or 'no'} columns for the energy, such as energy_kWh:"
            f" its header is {', '.join(names)}"
        )
    wh_per_unit = Fraction(1000 if "kwh" in lower[energies[0]] else 1)
    return _Columns(names.index(column), times[0], energies[0], wh_per_unit, len(names))


def _start_s(where: str, text: str) -> int:
    match = _STAMP.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        day, minute, second, decimals, offset = match.groups()
        stamp = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}{offset or 'Z'}")
        start_s = unix_s(stamp.astimezone(UTC))
    except (ValueError, OverflowError):
        raise LoadSeriesError(f"{where}: {text[:40]!r} is no time") from None
    if start_s % HALF_HOUR_S or (decimals or "").strip("0"):
        raise LoadSeriesError(f"{where}: {text} does not start a half-hour")
    return start_s


def _require_next(where: str, start_s: int, expected_s: int) -> None:
    if start_s == expected_s:
        return
    here = f"{from_unix_s(start_s):%Y-%m-%d %H:%M}"
    if start_s == expected_s - HALF_HOUR_S:
        raise LoadSeriesError(f"{where}: the half-hour {here} occurs twice")
    if start_s < expected_s:
        raise LoadSeriesError(f"{where}: the half-hour {here} is out of order")
    missing = (start_s - expected_s) // HALF_HOUR_S
    raise LoadSeriesError(
        f"{where}: {missing} half-hour{'s' * (missing > 1)} missing before {here}"
    )


def _energy_wh(where: str, text: str, columns: _Columns) -> Fraction:
    try:
        energy_wh = exact_decimal(text) * columns.wh_per_unit
    except UnitsError:
        what = "the energy is missing" if not text else f"{text[:40]!r} is no energy"
        raise LoadSeriesError(f"{where}: {what}") from None
    if energy_wh < 0:
        raise LoadSeriesError(f"{where}: the energy {text} is below zero")
    if energy_wh > MAX_HALF_HOUR_WH:
        raise LoadSeriesError(f"{where}: the energy {text} is more than a house can use")
    return energy_wh
