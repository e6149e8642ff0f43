"""Pulse channels: what the collector knows of a gas meter, booked to rates as it becomes final."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from collector import PulseStatus
from elec_meter.clock import SECOND_US, Clock
from elec_meter.config import CalendarConfig, GasUnitConfig, MeterConfig
from shared.timegrid import DAY_HALF_HOURS, HALF_HOUR_S, half_hour_floor_s

from .pulse_rows import PulseRows
from .registers import RateRegisters
from .stamps import Stamps
from .state import GasCalendar, PaddingRun, PulseChanges, PulseRow, PulseState, RatesState
from .succession import PulseSource, Succession
from .walk import HALF_HOUR_US, HalfHourOfPulses, PulseRun, Stay, Walk, edge_after, runs_of, stays

INTERPOLATED: Final = int(PulseStatus.INTERPOLATED)
PENDING: Final = int(PulseStatus.PENDING)

OnBooked = Callable[[str, int, list[int]], None]
"""Told before a channel books further: its name, the instant of the host's time up to which what is
booked will not do, and what is booked: in all, then by rate."""


class PulseReading(NamedTuple):
    """Pulses of a half-hour, None while not final; status None when no unit was paired."""

    pulses: int | None
    status: int | None


_ABSENT: Final = PulseReading(None, None)


class PulseChannel:
    """A register that advances on receipt, and rows that follow when they are final.

    The collector's half-hours are the host's; rows are the meter's, and where the two differ pulses
    are placed evenly. Everything but the pairing, the journal behind `source`, the clock's history
    and that of the calendars is derived: `rebooked` computes it again from nothing.

    Args:
        unit: the channel, and the unit that feeds it or is to.
        calendars: which calendar was in force since when; the ledger appends to it.
        depth_rows: how many measured rows are kept; interpolated ones do not push them out.
        clock: the meter's time by the host's.
        state: as storage loaded it.
        source: the collector; without one the channel shows what was saved.
    """

    def __init__(
        self,
        unit: GasUnitConfig,
        calendars: Sequence[GasCalendar],
        depth_rows: int,
        clock: Clock,
        state: PulseState | None = None,
        source: PulseSource | None = None,
    ) -> None:
        state = PulseState(unit.channel) if state is None else state
        self.name = unit.channel
        self.unit = unit
        self.aged = state.aged
        self.through_us = state.through_us
        self.saved_total = state.total
        self.source = source
        self._units = _succession(source, unit)
        self.registers = RateRegisters(1, (), state.registers)
        self._ahead = state.ahead
        self._calendars = calendars
        self._clock = clock
        self._depth_rows = depth_rows
        self._rows = PulseRows(state.rows, state.runs, INTERPOLATED)
        self._stamps = Stamps(unit, calendars)
        if self.through_us is not None:
            self._stamps.resume(clock, self.through_us)

    @property
    def total(self) -> int:
        """Pulses since the first pairing, final or not."""
        return self.saved_total if self._units is None else self._units.register

    @property
    def unrated(self) -> int:
        """Pulses that are received and not final."""
        return self.total - sum(self.registers.rates)

    @property
    def is_paired(self) -> bool:
        """Whether a unit is paired now."""
        return self._units is not None and self._units.is_paired

    @property
    def serials(self) -> list[str]:
        """The units that fed it, in the order in which they came; the last may feed it now."""
        return [] if self._units is None else self._units.serials

    @property
    def final_through_s(self) -> int | None:
        """The host's half-hours that end here or earlier are final; None before the pairing."""
        return None if self._units is None else self._units.final_through_s

    @property
    def counts(self) -> list[int]:
        """What is booked: in all, then by rate."""
        return [sum(self.registers.rates), *self.registers.rates]

    def active_rate(self, at_s: int) -> int:
        """The rate, from 1, that a row opened at this instant of the meter's time gets."""
        return self._stamps.newest(at_s)

    def book_final(self, on_booked: OnBooked | None = None) -> None:
        """Book what has become final since the last time, in order of the host's time.

        A row is stamped with the rate in force at its opening, even if a switch falls inside.
        """
        begun_us, units, through_s = self._begun_us, self._units, self.final_through_s
        if units is None or begun_us is None or through_s is None:
            return
        from_us = begun_us if self.through_us is None else self.through_us
        # A clock that runs late is set before its half-hour ends: nothing is booked ahead of time.
        limit_us = max(self._clock.now_us, through_s * SECOND_US)
        from_s = from_us // HALF_HOUR_US * HALF_HOUR_S
        if from_s < through_s:
            self._book(units.runs(from_s, through_s), from_us, limit_us, on_booked)
        if on_booked is not None:
            at_us = from_us if self.through_us is None else self.through_us
            on_booked(self.name, edge_after(self._clock, at_us), self.counts)

    def reconfigure(self, unit: GasUnitConfig) -> None:
        """Go on with other settings, another unit, or a newer calendar."""
        self.unit = unit
        self._units = _succession(self.source, unit)
        self._stamps.renew(unit, self.registers)

    def expect(self, calendar: CalendarConfig) -> None:
        """Have the registers of the calendar in force, also before a half-hour needs them."""
        self._stamps.expect(calendar, self.registers)

    def reader(self, from_s: int, to_s: int) -> Callable[[int], PulseReading]:
        """A function from a start in `[from_s, to_s)` to what is known of that half-hour."""
        pending: dict[int, int] | None = None

        def reading(start_s: int) -> PulseReading:
            nonlocal pending
            if pending is None:  # who reads energy alone asks the collector nothing
                pending = self._pending(from_s, to_s)
            if start_s in pending:
                return PulseReading(None, pending[start_s] | PENDING)
            row = self._rows.at(start_s)
            return _ABSENT if row is None else PulseReading(row.pulses, row.status)

        return reading

    def rows(self) -> list[PulseRow]:
        """The final rows that are kept, in order of time; runs come apart."""
        return self._rows.all()

    def journalled(self) -> list[HalfHourOfPulses]:
        """What the journal alone gives for the half-hours that are final in the collector."""
        through_s = self.final_through_s
        if self._units is None or through_s is None:
            return []
        return [row for row in self._units.refold() if row.start_s < through_s]

    def collected(self) -> Sequence[HalfHourOfPulses]:
        """What the collector keeps for the half-hours that are final there."""
        begun_us, through_s = self._begun_us, self.final_through_s
        if self._units is None or begun_us is None or through_s is None:
            return []
        return self._units.half_hours(begun_us // SECOND_US, through_s)

    def rebooked(self, half_hours: Iterable[HalfHourOfPulses]) -> PulseChannel:
        """A channel that has booked these half-hours, from the pairing's on, and nothing else."""
        twin = PulseChannel(
            self.unit, self._calendars, self._depth_rows, self._clock, None, self.source
        )
        begun_us, through_us = self._begun_us, self.through_us
        if begun_us is not None and through_us is not None:
            twin._book(runs_of(half_hours), begun_us, through_us, None)
        return twin

    def rebook(self, half_hours: Iterable[HalfHourOfPulses]) -> None:
        """Forget everything derived and book these half-hours, from the pairing's on."""
        begun_us = self._begun_us
        aged_through = self.through_us
        self.registers = RateRegisters(len(self.registers.rates), (), RatesState())
        self.aged, self.through_us, self._ahead = 0, None, 0
        self._rows.clear()
        self._stamps = Stamps(self.unit, self._calendars)
        if begun_us is not None:
            limit_us = self._clock.now_us if aged_through is None else aged_through
            self._book(runs_of(half_hours), begun_us, limit_us, None)
        if self._calendars:
            self._stamps.renew(self.unit, self.registers)

    def state(self) -> PulseState:
        """A copy to keep."""
        return PulseState(
            self.name,
            self.total,
            self.registers.state(),
            self.aged,
            self.through_us,
            self._ahead,
            *self._rows.stored(),
        )

    def changes(self) -> PulseChanges | None:
        """Registers, and the rows that differ from what was saved; None if nothing does."""
        total = self.total
        if not self._rows.has_changed and total == self.saved_total:
            return None
        rows, gone_rows, runs, gone_runs = self._rows.changes()
        state = PulseState(
            self.name, total, self.registers.state(), self.aged, self.through_us, self._ahead
        )
        state.rows, state.runs = rows, runs
        return PulseChanges(state, gone_rows, gone_runs)

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._rows.mark_saved()
        self.saved_total = self.total

    @property
    def _begun_us(self) -> int | None:
        """The start of the host's half-hour in which a unit was paired first; None before."""
        begun_s = None if self._units is None else self._units.begun_s
        return self.through_us if begun_s is None else begun_s * SECOND_US

    def _book(
        self,
        runs: Iterable[PulseRun],
        from_us: int,
        limit_us: int,
        on_booked: OnBooked | None,
    ) -> None:
        walk = Walk(runs, from_us, self._ahead, INTERPOLATED)
        ahead = stays(self._clock, from_us)
        while (stay := next(ahead, None)) is not None:
            if on_booked is not None:
                on_booked(self.name, stay.to_us, self.counts)
            jumped_us = self._jump(walk, stay, limit_us)
            if jumped_us is not None:
                self.through_us = jumped_us
                ahead = stays(self._clock, jumped_us)
                continue
            counted = walk.count_to(stay.to_us) if stay.to_us <= limit_us else None
            if counted is None:
                break
            rate = self._stamps.stamp(stay, self.registers)
            self.registers.book(counted.pulses, rate)
            rate = rate if counted.pulses else 0
            self._rows.add(PulseRow(stay.start_s, counted.pulses, counted.status, rate))
            self.through_us, self._ahead = stay.to_us, walk.ahead
            while self._rows.measured > self._depth_rows:
                self.aged += self._rows.evict()

    def _jump(self, walk: Walk, stay: Stay, limit_us: int) -> int | None:
        """Book a long silence at once, as far as the meter's time runs evenly; return to where.

        Snapshots of its midnights are those of its beginning: nothing was counted since.
        """
        later_us = (each.from_us for each in self._calendars if each.from_us > stay.from_us)
        end_us = min(walk.silent_until_us(), limit_us, *later_us)
        rows = (end_us - stay.from_us) // HALF_HOUR_US - 1
        is_even = not stay.stretch.gain and stay.to_us - stay.from_us == HALF_HOUR_US
        if rows < DAY_HALF_HOURS or not is_even:
            return None
        last = list(self._clock.pieces(stay.from_us, stay.from_us + rows * HALF_HOUR_US))
        if len(last) > 1:
            rows = (last[0].to_us - stay.from_us) // HALF_HOUR_US
        run = PaddingRun(stay.start_s, stay.start_s + rows * HALF_HOUR_S, walk.status())
        if rows < DAY_HALF_HOURS or self._rows.overlaps(run):
            return None
        to_us = stay.from_us + rows * HALF_HOUR_US
        counted = walk.count_to(to_us)
        assert counted is not None  # it is final, and there are no pulses
        self._stamps.stamp(stay, self.registers)
        self._stamps.stamp(stay._replace(start_s=run.end_s - HALF_HOUR_S), self.registers)
        self._rows.add_run(run)
        return to_us

    def _pending(self, from_s: int, to_s: int) -> dict[int, int]:
        """Half-hours of the meter's time that are not all booked, with the collector's status."""
        begun_us = self._begun_us
        if self._units is None or begun_us is None:
            return {}
        at_us = begun_us if self.through_us is None else self.through_us
        now_us = self._clock.now_us
        found: dict[int, int] = {}
        for stay in stays(self._clock, at_us):
            if stay.from_us > now_us or (stay.start_s >= to_s and stay.from_us >= to_s * SECOND_US):
                break
            if from_s <= stay.start_s < to_s:
                found[stay.start_s] = half_hour_floor_s(stay.from_us // SECOND_US)
        if not found:
            return {}
        folded = self._units.half_hours(min(found.values()), max(found.values()) + HALF_HOUR_S)
        status = {each.start_s: each.status for each in folded}
        return {start_s: status.get(host_s, 0) for start_s, host_s in found.items()}


def _succession(source: PulseSource | None, unit: GasUnitConfig) -> Succession | None:
    if source is None:
        return None
    return Succession(source, unit.channel, unit.serial, interpolated=INTERPOLATED)


def pulse_channels(
    config: MeterConfig,
    calendars: Sequence[GasCalendar],
    clock: Clock,
    states: Mapping[str, PulseState],
    source: PulseSource | None,
) -> Iterator[PulseChannel]:
    """The configured pulse channels."""
    depth_rows = config.profile.depth_days * DAY_HALF_HOURS
    for unit in config.gas_units:
        state = states.get(unit.channel)
        channel = PulseChannel(unit, calendars, depth_rows, clock, state, source)
        channel.expect(config.tariff.gas)
        yield channel
