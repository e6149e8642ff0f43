"""Half-hours for the panel: the rows of a settlement day, and a month as a map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from elec_meter.config import MeterConfig
from elec_meter.objects import Directory, ProfileGeneric
from elec_meter.objects.electricity import ACTIVE, REACTIVE_SUMS
from shared.obis import Obis
from shared.timegrid import (
    HALF_HOUR_S,
    half_hours_of_settlement_day,
    iso_utc,
    settlement_period,
)

Row: TypeAlias = dict[str, Any]
"""A row of a view, plain enough for JSON."""

LOAD_PROFILE: Final = "1-0:99.1.0"
_SUMS: Final = "1-0:99.1.2"
_REVISION: Final = Obis.parse("0-0:128.35.0")
_STATUS: Final = Obis.parse("0-0:96.10.1")
_KEYS: Final = {
    **{Obis.parse(f"1-0:{each.c}.29.0"): each.key for each in ACTIVE},
    **{
        Obis.parse(f"1-0:{each.c}.29.0"): f"{each.title.lower().replace(' ', '_')}_varh"
        for each in REACTIVE_SUMS
    },
}
UNMEASURED: Final = 0b1000_0111
"""Status bits of energy: critical error, clock invalid, data not valid, power down."""

PULSES: Final = "_pulses"
"""How the keys of channels end that count on while the mains are off."""

_LONGEST: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Period(NamedTuple):
    """A closed row of the energy channels, or of a pulse channel where that has its own.

    Attributes:
        start: when it begins, UTC.
        end: when it ends.
        deltas: quantities by channel; None is not known yet.
        status: the row's status bits.
        channel_status: the status bits of pulse channels.
        revision: how often it was amended.
    """

    start: datetime
    end: datetime
    deltas: dict[str, int | None]
    status: int
    channel_status: dict[str, int]
    revision: int

    def is_measured(self, key: str) -> bool:
        """Whether a channel is known and was measured from beginning to end."""
        if self.deltas.get(key) is None:
            return False
        return key.endswith(PULSES) or not self.status & UNMEASURED

    def row(self) -> Row:
        """As `show profile --json` has it; of reactive energy the sums that are captured."""
        period = settlement_period(self.start)
        return {
            "start": iso_utc(self.start),
            "end": iso_utc(self.end),
            "settlement_date": period.settlement_date.isoformat(),
            "settlement_period": period.settlement_period,
            "channels": self.deltas,
            "status": self.status,
            "channel_status": self.channel_status,
            "revision": self.revision,
        }


def closed_until(directory: Directory) -> datetime | None:
    """The end of the newest closed row; None before the first."""
    profile, now = _profile(directory, LOAD_PROFILE), directory.now()
    for days in (1, 31, 3_660):
        rows = profile.rows(now - days * _DAY, None)
        if rows:
            end = rows[-1][0]
            return end if isinstance(end, datetime) else None
    return None


def has_begun(directory: Directory, at: datetime) -> bool:
    """Whether a row had ended by then, or at that instant."""
    profile = _profile(directory, LOAD_PROFILE)
    return any(profile.rows(since, at) for since in (at - _LONGEST, None))


def periods(
    directory: Directory, config: MeterConfig, start: datetime, end: datetime
) -> list[Period]:
    """The closed rows that begin in `[start, end)`, in order of time."""
    energy = {each.start: each for each in _energy(directory, start, end)}
    pulses: dict[datetime, Period] = {}
    for unit in config.gas_units:
        key = f"{unit.channel}{PULSES}"
        _add_pulses(directory, f"0-{unit.number}:24.3.0", key, (start, end), energy, pulses)
    for channel in config.data_channels:
        profile = _profile(directory, f"0-{channel.number}:24.3.0")
        for at, _, value in profile.rows(start, end + _LONGEST):
            row = next((row for row in energy.values() if row.end == at), None)
            if row is not None:
                row.deltas[channel.name] = _whole(value)
    ordered = [*energy.values(), *pulses.values()]
    return sorted(ordered, key=lambda row: row.start)


def day_rows(directory: Directory, config: MeterConfig, day: date | None) -> list[Row]:
    """The closed rows of a settlement day; of the newest without one."""
    rows: list[Row] = day_chart(directory, config, day)["rows"]
    return rows


def day_chart(directory: Directory, config: MeterConfig, day: date | None) -> Row:
    """A settlement day with where it begins and ends, how many half-hours it has, and its rows."""
    if day is None:
        newest = closed_until(directory)
        day = settlement_period((newest or directory.now()) - timedelta(seconds=1)).settlement_date
    half_hours = half_hours_of_settlement_day(day)
    start, end = half_hours[0].start, half_hours[-1].end
    return {
        "date": day.isoformat(),
        "start": iso_utc(start),
        "end": iso_utc(end),
        "periods": len(half_hours),
        "rows": [row.row() for row in periods(directory, config, start, end)],
    }


def _energy(directory: Directory, start: datetime, end: datetime) -> Iterator[Period]:
    """Rows have no hole between them: each begins where the one before ended."""
    profile, sums = _profile(directory, LOAD_PROFILE), _profile(directory, _SUMS)
    keys = [_KEYS.get(column.obis) for column in profile.columns]
    status_at = [column.obis for column in profile.columns].index(_STATUS)
    revision_at = [column.obis for column in sums.columns].index(_REVISION)
    bounds = (start - _LONGEST, end + _LONGEST)
    revisions = {row[0]: row[revision_at] for row in sums.rows(*bounds)}
    before: datetime | None = None
    for row in profile.rows(*bounds):
        ends = _instant(row[0])
        begins = before or ends - timedelta(seconds=profile.period_s)
        before = ends
        if start <= begins < end:
            deltas = {
                key: _whole(value) for key, value in zip(keys, row, strict=True) if key is not None
            }
            revision = _whole(revisions.get(ends)) or 0
            yield Period(begins, ends, deltas, _whole(row[status_at]) or 0, {}, revision)


def _add_pulses(
    directory: Directory,
    obis: str,
    key: str,
    bounds: tuple[datetime, datetime],
    energy: dict[datetime, Period],
    pulses: dict[datetime, Period],
) -> None:
    """Half-hours of pulses, into the row of energy that is the same half-hour if there is one."""
    half_hour = timedelta(seconds=HALF_HOUR_S)
    start, end = bounds
    for ends, status, value in _profile(directory, obis).rows(start + half_hour, end):
        at = _instant(ends) - half_hour
        row = energy.get(at)
        if row is None or row.end != ends:
            row = pulses.setdefault(at, Period(at, at + half_hour, {}, 0, {}, 0))
        row.deltas[key] = _whole(value)
        if status is not None:
            row.channel_status[key] = _whole(status) or 0


def _profile(directory: Directory, obis: str) -> ProfileGeneric:
    profile = directory[obis]
    assert isinstance(profile, ProfileGeneric), f"{obis} is no profile"
    return profile


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime), "a profile's first column is its time"
    return value.astimezone(UTC)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def total(rows: Sequence[Period], key: str) -> int | None:
    """The sum of a channel over rows; None if there is none, or one of them is not known."""
    values = [row.deltas.get(key) for row in rows if key in row.deltas]
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
