"""What has been collected, as rows that are plain enough for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from shared.quoting import quoted
from shared.timegrid import (
    HALF_HOUR_S,
    from_unix_s,
    half_hours_of_settlement_day,
    iso_utc,
    settlement_period,
    unix_s,
)

from .bracket import STATUSES, PulseStatus
from .certificate import exact_number
from .dial import decimal_text
from .energy import EnergyRow, GasEnergy
from .errors import CollectorError
from .readings import Readings
from .rows import PulseHalfHour
from .segments import Segment, VolumeRow, channel_segments, register_l, volume_rows
from .storage.pairings import Pairings

if TYPE_CHECKING:
    import sqlite3

Row: TypeAlias = dict[str, Any]


class Views:
    """The channels and units of a database.

    Args:
        connection: the database; nothing is written.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._readings = Readings(connection)
        self._pairings = Pairings(connection)
        self._segments = list(self._pairings.segments())

    @property
    def channels(self) -> list[str]:
        """The channels that have, or had, a unit; in order."""
        return sorted({segment.channel for segment in self._segments})

    def energy(self, channel: str) -> GasEnergy:
        """What the channel's gas is worth."""
        return GasEnergy(self._pairings.calorific_values(), self._pairings.correction(channel))

    def units(self) -> list[Row]:
        """Every unit on every meter, those that have ended too."""
        return [self._unit(segment) for segment in self._segments]

    def volumes(self, channel: str, from_s: int, to_s: int) -> list[VolumeRow]:
        """A channel's half-hours between two UNIX seconds, those that no unit saw left out.

        Where one unit followed another in a half-hour, what both counted is its sum.

        Raises:
            CollectorError: there is no such channel.
        """
        segments = channel_segments(self._segments, channel)
        if not segments:
            raise CollectorError(f"there is no channel {quoted(channel)}")
        found: dict[int, VolumeRow] = {}
        for serial in dict.fromkeys(segment.serial for segment in segments):
            own = [segment for segment in segments if segment.serial == serial]
            for each in self._unit_volumes(serial, own, from_s, to_s):
                start_s = each.row.start_s
                found[start_s] = each if start_s not in found else _joined(found[start_s], each)
        return [found[start_s] for start_s in sorted(found)]

    def newest_day(self, channel: str, now: datetime) -> date:
        """The settlement day of the newest half-hour that has ended."""
        ends_s = [
            unix_s(now if segment.to_utc is None else segment.to_utc)
            for segment in channel_segments(self._segments, channel)
        ]
        newest_s = min(max(ends_s, default=unix_s(now)), unix_s(now))
        return settlement_period(from_unix_s(newest_s - HALF_HOUR_S)).settlement_date

    def day(self, channel: str, day: date, now: datetime) -> list[EnergyRow]:
        """The half-hours of a settlement day that have ended, with their energy."""
        half_hours = half_hours_of_settlement_day(day)
        return self.period(channel, half_hours[0].start_s, half_hours[-1].end_s, now)

    def period(self, channel: str, from_s: int, to_s: int, now: datetime) -> list[EnergyRow]:
        """The half-hours between two UNIX seconds that have ended, with their energy."""
        end_s = min(to_s, unix_s(now) // HALF_HOUR_S * HALF_HOUR_S)
        return self.energy(channel).rows(self.volumes(channel, from_s, end_s))

    def span_s(self, channel: str, now: datetime) -> tuple[int, int]:
        """From the channel's first half-hour to the end of its last one, in UNIX seconds."""
        segments = channel_segments(self._segments, channel)
        first_s = min((unix_s(each.from_utc) for each in segments), default=unix_s(now))
        return first_s // HALF_HOUR_S * HALF_HOUR_S, unix_s(now) // HALF_HOUR_S * HALF_HOUR_S

    def _unit(self, segment: Segment) -> Row:
        state = self._readings.state(segment.serial)
        heard = state.heard
        own = channel_segments(self._segments, segment.channel)
        return {
            "serial": segment.serial,
            "channel": segment.channel,
            "mprn": segment.mprn,
            "meter": segment.meter_serial,
            "pulse_weight_l": exact_number(segment.weight.litres_per_pulse),
            "paired": iso_utc(segment.from_utc),
            "ended": None if segment.to_utc is None else iso_utc(segment.to_utc),
            "pulses": segment.pulses(state.register),
            "dial": str(segment.dial_at(state.register)),
            "register_l": exact_number(register_l(own, self._readings.register)),
            "last_received": None if heard is None else iso_utc(heard.heard_utc),
            "rssi_dbm": None if heard is None else heard.rssi_dbm,
            "battery_left_d": None if heard is None else heard.battery_left_d,
            "error_flags": state.error_flags,
            "silent": state.is_silent and segment.is_open,
            "refused": sum(state.refusals.values()),
        }

    def _unit_volumes(
        self, serial: str, segments: list[Segment], from_s: int, to_s: int
    ) -> Iterator[VolumeRow]:
        start_s = max(from_s, unix_s(segments[0].from_utc) // HALF_HOUR_S * HALF_HOUR_S)
        counted = 0
        if len(segments) > 1 or segments[0].from_pulses:
            # Which of its pulses are the channel's is told by their number.
            earlier = self._readings.half_hours(serial, 0, start_s)
            counted = sum(row.pulses or 0 for row in earlier)
        rows = self._readings.half_hours(serial, start_s, to_s)
        for each in volume_rows(segments, rows, counted):
            is_seen = any(_touches(segment, each.row.start_s) for segment in segments)
            if is_seen or each.row.pulses:
                yield each


def profile_row(channel: str, each: EnergyRow) -> Row:
    """A half-hour as `elec-meter show profile` gives it, with its volume and energy."""
    row = each.volume.row
    start = from_unix_s(row.start_s)
    period = settlement_period(start)
    volume_l = each.volume.volume_l
    return {
        "start": iso_utc(start),
        "end": iso_utc(from_unix_s(row.start_s + HALF_HOUR_S)),
        "settlement_date": period.settlement_date.isoformat(),
        "settlement_period": period.settlement_period,
        "channels": {
            f"{channel}_pulses": row.pulses,
            f"{channel}_l": None if volume_l is None else exact_number(volume_l),
            f"{channel}_wh": each.energy_wh,
        },
        "status": 0,
        "channel_status": {f"{channel}_pulses": int(row.status)},
        "final": row.final,
    }


def day_rows(channel: str, energy: GasEnergy, rows: list[EnergyRow]) -> list[Row]:
    """Settlement days as rows."""
    return [
        {
            "settlement_date": day.day.isoformat(),
            "channel": channel,
            "pulses": day.pulses,
            "volume_m3": decimal_text(day.volume_l / 1000),
            "energy_wh": day.energy_wh,
            "pending": day.pending,
        }
        for day in energy.days(row.volume for row in rows)
    ]


def _joined(one: VolumeRow, other: VolumeRow) -> VolumeRow:
    row, also = one.row, other.row
    status = STATUSES[int(row.status) | int(also.status)]
    pulses = volume_l = None
    if row.pulses is not None and also.pulses is not None:
        pulses = row.pulses + also.pulses
        volume_l = (one.volume_l or Fraction(0)) + (other.volume_l or Fraction(0))
    else:
        status |= PulseStatus.PENDING
    return VolumeRow(PulseHalfHour(row.start_s, pulses, status, row.final and also.final), volume_l)


def _touches(segment: Segment, start_s: int) -> bool:
    begins_s = unix_s(segment.from_utc) // HALF_HOUR_S * HALF_HOUR_S
    return begins_s <= start_s and (segment.to_utc is None or start_s < unix_s(segment.to_utc))
