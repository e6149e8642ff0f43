"""Pulse channels: what the collector knows of a gas meter, booked to rates as it becomes final."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from collector import PulseStatus
from elec_meter.config import CalendarConfig, GasUnitConfig, MeterConfig
from elec_meter.tariff import Calendar, rate_at
from shared.timegrid import DAY_HALF_HOURS, HALF_HOUR_S, half_hour_floor_s, unix_s

from .state import PulseChanges, PulseRow, PulseState

INTERPOLATED: Final = int(PulseStatus.INTERPOLATED)
PENDING: Final = int(PulseStatus.PENDING)


class HalfHourOfPulses(Protocol):
    """A half-hour as the collector's fold gives it; `pulses` is None while it is pending."""

    @property
    def start_s(self) -> int:
        """UNIX seconds, UTC."""

    @property
    def pulses(self) -> int | None:
        """How many, or None."""

    @property
    def status(self) -> int:
        """The collector's status byte."""

    @property
    def final(self) -> bool:
        """Whether it will never change."""


class PairedUnit(Protocol):
    """A pairing as the collector keeps it."""

    @property
    def paired_utc(self) -> datetime:
        """When the pairing was committed."""


class PulseSource(Protocol):
    """The part of `collector.Collector` that the ledger reads."""

    @property
    def serials(self) -> Collection[str]:
        """The paired units."""

    def unit(self, serial: str) -> PairedUnit:
        """A unit's pairing."""

    def register(self, serial: str) -> int:
        """Pulses received since the pairing."""

    def final_through_s(self, serial: str) -> int:
        """Half-hours that end here or earlier are final."""

    def half_hours(self, serial: str, from_s: int, to_s: int) -> Sequence[HalfHourOfPulses]:
        """Half-hours that start in `[from_s, to_s)`, in order of time."""

    def refold(self, serial: str) -> Sequence[HalfHourOfPulses]:
        """All half-hours, from the whole journal and nothing else."""


class PulseReading(NamedTuple):
    """Pulses of a half-hour, None while not final; status None when no unit was paired."""

    pulses: int | None
    status: int | None


_ABSENT: Final = PulseReading(None, None)


class PulseChannel:
    """A register that advances on receipt, and rows that follow when they are final.

    Everything but the pairing and the journal behind `source` is derived:
    `rebook(journalled())` computes it again from nothing.

    Args:
        unit: the unit and the channel that it feeds.
        calendar: which rate a row gets.
        depth_rows: how many measured rows are kept; interpolated ones do not push them out.
        state: as storage loaded it.
        source: the collector; without one the channel shows what was saved.
    """

    def __init__(
        self,
        unit: GasUnitConfig,
        calendar: CalendarConfig,
        depth_rows: int,
        state: PulseState | None = None,
        source: PulseSource | None = None,
    ) -> None:
        state = PulseState(unit.channel) if state is None else state
        self.name = unit.channel
        self.serial = unit.serial
        self.aged = state.aged
        self.booked_through_s = state.booked_through_s
        self.rates = state.rates + [0] * (calendar.rates - len(state.rates))
        self.saved_total = state.total
        self.source = source
        self._unit = unit
        self._calendar_config = calendar
        self._calendar = Calendar.from_config(calendar)
        self._depth_rows = depth_rows
        self._rows = {row.start_s: row for row in state.rows}
        self._measured = sum(not row.status & INTERPOLATED for row in state.rows)
        self._touched: set[int] = set()

    @property
    def total(self) -> int:
        """Pulses since the pairing, final or not."""
        if self.source is None:
            return self.saved_total
        return self.source.register(self.serial) if self._is_paired else 0

    @property
    def unrated(self) -> int:
        """Pulses that are received and not final."""
        return self.total - sum(self.rates)

    @property
    def first_s(self) -> int | None:
        """Start of the half-hour in which the unit was paired; None before."""
        if self.source is not None and self._is_paired:
            return half_hour_floor_s(unix_s(self.source.unit(self.serial).paired_utc))
        return self.booked_through_s

    def active_rate(self, at_s: int) -> int:
        """The rate, from 1, that a row opened at this instant gets."""
        return rate_at(self._calendar, at_s)

    def book_final(self) -> None:
        """Book what has become final since the last time, row by row in order of time.

        A whole row goes to the rate in force at its opening, even if a switch falls inside.
        """
        first_s = self.first_s
        if self.source is None or first_s is None or not self._is_paired:
            return
        from_s = first_s if self.booked_through_s is None else self.booked_through_s
        through_s = self.source.final_through_s(self.serial)
        if from_s < through_s:
            self._book(self.source.half_hours(self.serial, from_s, through_s), from_s)

    def reader(self, from_s: int, to_s: int) -> Callable[[int], PulseReading]:
        """A function from a start in `[from_s, to_s)` to what is known of that half-hour."""
        first_s = self.first_s
        if first_s is None:
            return lambda _start_s: _ABSENT
        pending_s = max(from_s, first_s if self.booked_through_s is None else self.booked_through_s)
        pending: dict[int, int] = {}
        if self.source is not None and self._is_paired and pending_s < to_s:
            folded = self.source.half_hours(self.serial, pending_s, to_s)
            pending = {half_hour.start_s: int(half_hour.status) for half_hour in folded}

        def reading(start_s: int) -> PulseReading:
            row = self._rows.get(start_s)
            if row is not None:
                return PulseReading(row.pulses, row.status)
            if start_s < pending_s:
                return _ABSENT
            return PulseReading(None, pending.get(start_s, 0) | PENDING)

        return reading

    def rows(self) -> list[PulseRow]:
        """The final rows that are kept, in order of time."""
        return [self._rows[start_s] for start_s in sorted(self._rows)]

    def journalled(self) -> Sequence[HalfHourOfPulses]:
        """What the journal alone gives for the half-hours that are booked."""
        through_s = self.booked_through_s
        if self.source is None or through_s is None or not self._is_paired:
            return []
        return [row for row in self.source.refold(self.serial) if row.start_s < through_s]

    def collected(self) -> Sequence[HalfHourOfPulses]:
        """What the collector keeps for the half-hours that are booked."""
        first_s, through_s = self.first_s, self.booked_through_s
        if self.source is None or first_s is None or through_s is None or not self._is_paired:
            return []
        return self.source.half_hours(self.serial, first_s, through_s)

    def rebook(self, half_hours: Sequence[HalfHourOfPulses]) -> None:
        """Forget everything derived and book these half-hours, from the pairing's on."""
        self._touched |= self._rows.keys()
        self._rows.clear()
        self.rates = [0] * len(self.rates)
        self.aged, self.booked_through_s, self._measured = 0, None, 0
        if half_hours and self.first_s is not None:
            self._book(half_hours, self.first_s)

    def rebooked(self, half_hours: Sequence[HalfHourOfPulses]) -> PulseState:
        """The state that `rebook` would leave."""
        twin = PulseChannel(
            self._unit, self._calendar_config, self._depth_rows, self.state(), self.source
        )
        twin.rebook(half_hours)
        return twin.state()

    def state(self) -> PulseState:
        """A copy to keep."""
        return PulseState(
            self.name, self.total, list(self.rates), self.aged, self.booked_through_s, self.rows()
        )

    def changes(self) -> PulseChanges | None:
        """Registers, and the rows that differ from what was saved; None if nothing does."""
        registers = PulseState(
            self.name, self.total, list(self.rates), self.aged, self.booked_through_s
        )
        if not self._touched and registers.total == self.saved_total:
            return None
        here = sorted(self._touched & self._rows.keys())
        return PulseChanges(
            registers,
            [self._rows[start_s] for start_s in here],
            sorted(self._touched - self._rows.keys()),
        )

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._touched.clear()
        self.saved_total = self.total

    @property
    def _is_paired(self) -> bool:
        return self.source is not None and self.serial in self.source.serials

    def _book(self, half_hours: Iterable[HalfHourOfPulses], from_s: int) -> None:
        next_s = from_s
        for half_hour in half_hours:
            pulses = half_hour.pulses
            if half_hour.start_s != next_s or pulses is None or not half_hour.final:
                break
            rate = self.active_rate(next_s)
            self.rates[rate - 1] += pulses
            self._rows[next_s] = PulseRow(next_s, pulses, int(half_hour.status), rate)
            self._measured += not half_hour.status & INTERPOLATED
            self._touched.add(next_s)
            next_s += HALF_HOUR_S
        if next_s > from_s:
            self.booked_through_s = next_s
            self._evict()

    def _evict(self) -> None:
        while self._measured > self._depth_rows:
            start_s = min(self._rows)
            row = self._rows.pop(start_s)
            self._measured -= not row.status & INTERPOLATED
            self.aged += row.pulses
            self._touched.add(start_s)


def pulse_channels(
    config: MeterConfig, states: Mapping[str, PulseState], source: PulseSource | None
) -> dict[str, PulseChannel]:
    """The configured pulse channels by name."""
    depth_rows = config.profile.depth_days * DAY_HALF_HOURS
    return {
        unit.channel: PulseChannel(
            unit, config.tariff.gas, depth_rows, states.get(unit.channel), source
        )
        for unit in config.gas_units
    }
