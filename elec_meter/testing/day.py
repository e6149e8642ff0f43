"""A meter that lives through one settlement date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from operator import index
from typing import Final, Self

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter.config import GasUnitConfig, MeterConfig
from elec_meter.ledger import ProfileRow
from elec_meter.meter import Meter
from elec_meter.storage import Storage
from shared.timegrid import (
    HALF_HOUR_S,
    HalfHour,
    from_unix_s,
    half_hour_floor_s,
    half_hour_of_settlement_period,
    half_hours_of_settlement_day,
    unix_s,
)

from .dates import settlement_date
from .errors import SettlementDayError
from .expected import Column, Expected, differences, message
from .frozen import FROZEN_TIME
from .load import Load
from .unit import FIRST_COUNT, PERIOD_S, PaperUnit, next_sending_s

SETTLING_S: Final = 10
"""So long after a boundary the row before it has closed, and its pulses have been told."""

DEFAULT_CHECKPOINT_S: Final = 60
"""A day with 1,440 checkpoints passes in a fraction of a second, one with 8,640 does not."""

RADIO_DELAY_MAX_S: Final = 1
_LEAST_STEP: Final = timedelta(milliseconds=1)


class SettlementDay:
    """A meter, its mains and its gas units from local midnight to local midnight.

    As a context manager it freezes host time and moves it with itself. Without that it does all
    the same and leaves host time alone: the meter gets its time as an argument.

    Power comes with the first instant of period 1, and every unit is paired then. Energy is fed as
    recorded energy, telegrams are sealed, and the meter's timers are met when they are due.

    Args:
        date: settlement date, such as `2025-10-26`.
        config: what the meter is; by default one with a gas unit on the channel `gas`.
        gas: whether the pulse units of the configuration are there.

    Raises:
        SettlementDayError: that is no date.
    """

    def __init__(
        self, date: str | date, *, config: MeterConfig | None = None, gas: bool = True
    ) -> None:
        self.date = settlement_date(date)
        # By their seconds: freezegun's own datetimes forget which pass of a repeated hour they are.
        self._half_hours = tuple(
            HalfHour.from_unix(half_hour.start_s)
            for half_hour in half_hours_of_settlement_day(self.date)
        )
        self.config = _default_config() if config is None else config
        self._now = self._half_hours[0].start
        self._fed_s = unix_s(self._now)
        self._loads = {"import": Load(), "export": Load()}
        self._keystore = MemoryKeystore()
        self._storage = Storage.in_memory()
        self._meter = self._powered_up()
        self._units: dict[str, PaperUnit] = {}
        if gas:
            for config_of_unit in self.config.gas_units:
                self._units[config_of_unit.channel] = self._paired(config_of_unit)
        self._meter.checkpoint()
        self._is_frozen = False
        self._host_stood: datetime | None = None

    def __enter__(self) -> Self:
        self._host_stood = FROZEN_TIME.hold(self._now)
        self._is_frozen = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_frozen = False
        FROZEN_TIME.release(self._host_stood)
        self.close()

    def close(self) -> None:
        """Let go of the meter's storage; leaving the context does it too."""
        self._storage.close()

    @property
    def periods(self) -> range:
        """The period numbers, from 1; there are 46, 48 or 50."""
        return range(1, len(self._half_hours) + 1)

    @property
    def meter(self) -> Meter:
        """The meter; another object after `power_cut` and `restart`."""
        return self._meter

    @property
    def now(self) -> datetime:
        """How far the day has come, in UTC."""
        return self._now

    def half_hour(self, period: int) -> HalfHour:
        """The half-hour of a period.

        Raises:
            TimegridError: the date has no period of that number; so do all methods that take one.
        """
        half_hour = half_hour_of_settlement_period(self.date, period)
        return HalfHour.from_unix(half_hour.start_s)

    def draw(self, energy_wh: Mapping[int, int], channel: str = "import") -> None:
        """Draw whole watt-hours in periods that have not begun, each evenly over its half-hour.

        The row of a period holds exactly its energy, unless power is off for a part of it. In
        these periods a constant load of `power_w` does not apply.

        Args:
            energy_wh: by period number.
            channel: `import` or `export`.

        Raises:
            SettlementDayError: a period that has begun, less than nothing, or no such channel.
        """
        load = self._load(channel)
        planned = list(self._planned(energy_wh, "Wh"))
        for half_hour, wanted_wh in planned:
            load.draw(half_hour.start_s, wanted_wh)

    def power_w(self, watts: int, channel: str = "import") -> None:
        """Draw a constant power from now to the end of the day.

        A half-hour of an odd number of watts is not a whole number of Wh: its row holds the Wh
        that are complete in it, and the rest is carried into the next.

        Raises:
            SettlementDayError: less than nothing, or no such channel.
        """
        self._load(channel).watts = _not_negative(watts, "W")

    def pulses(self, counts: Mapping[int, int], channel: str = "gas") -> None:
        """Have a unit count pulses in periods that have not begun, evenly over each half-hour.

        It tells of them every quarter of an hour. More than the meter can turn are counted too, and
        their row says so.

        Args:
            counts: by period number; they add to those asked for before.
            channel: of the unit.

        Raises:
            SettlementDayError: a period that has begun, less than nothing, or no unit is there.
        """
        if channel not in self._units:
            raise SettlementDayError(f"no pulse unit is paired to the channel {channel!r}")
        planned = list(self._planned(counts, "pulses"))
        for half_hour, wanted in planned:
            self._units[channel].turn(half_hour.start_s, wanted)

    def step(self) -> datetime:
        """Go on to the next instant at which something is due, and let it happen.

        Due are the meter's next timer, a telegram, and every boundary between half-hours.

        Returns:
            That instant.
        """
        self._pass_to(self._next_due())
        return self._now

    def run(self, *, until_period: int | None = None, through_period: int | None = None) -> None:
        """Go on to an instant of the day, from timer to timer; by default until all rows are there.

        Args:
            until_period: stop at the instant at which this period begins.
            through_period: stop when its row has closed and its pulses have been told, 10 s later.

        Raises:
            SettlementDayError: both were given, or the day has come further.
        """
        if until_period is not None and through_period is not None:
            raise SettlementDayError("run takes until_period or through_period, not both")
        if until_period is not None:
            self._run_to(self.half_hour(until_period).start)
            return
        last = self._half_hours[-1] if through_period is None else self.half_hour(through_period)
        self._run_to(last.end + timedelta(seconds=SETTLING_S))

    def run_for(self, seconds: int) -> None:
        """Go on by so many seconds, from timer to timer."""
        self._run_to(self._now + timedelta(seconds=_not_negative(seconds, "s")))

    def power_cut(self, seconds: int) -> None:
        """Take power away from the meter for so many seconds; the gas units count on.

        As in a real cut, what came since the last checkpoint is lost with it: at most
        `config.checkpoint_s` seconds. Nothing is drawn and no telegram is heard while power is off.
        """
        until = self._now + timedelta(seconds=_not_negative(seconds, "s"))
        self._storage.connection.rollback()
        self._move_to(until)
        self._fed_s = unix_s(until)
        self._meter = self._powered_up()

    def restart(self) -> None:
        """Stop the meter in good order and start it again at the same instant; nothing is lost."""
        self._meter.checkpoint()
        self._meter = self._powered_up()

    def rows(self) -> dict[int, ProfileRow]:
        """The rows of this date that have closed, by period number."""
        first_s = self._half_hours[0].start_s
        rows = self._meter.ledger.rows(first_s, self._half_hours[-1].end_s)
        return {(row.start_s - first_s) // HALF_HOUR_S + 1: row for row in rows}

    def assert_rows(
        self,
        *,
        status: Expected = None,
        channel_status: Mapping[str, Expected] | None = None,
        **deltas: Expected,
    ) -> None:
        """Compare closed rows with what is expected, by period number.

        Each expectation is a mapping from period number to value, or one value for every row that
        has closed.

        Args:
            status: the row's status bits (`elec_meter.ledger.RowStatus`).
            channel_status: for pulse columns, the collector's status byte
                (`collector.PulseStatus`); None where no unit was paired.
            **deltas: `import_wh`, `export_wh`, and `<channel>_pulses` such as `gas_pulses`; None is
                a number that is pending.

        Raises:
            AssertionError: they differ; the text names each period by number and local time.
            SettlementDayError: nothing to compare, or rows have no such column.
        """
        __tracebackhide__ = True
        columns = [_delta_column(name, expected) for name, expected in deltas.items()]
        columns += [_status_column(key, each) for key, each in (channel_status or {}).items()]
        if status is not None:
            columns.append(("status", status, lambda row: int(row.status)))
        rows = self.rows()
        self._check_columns([*deltas, *(channel_status or {})], columns, rows)
        lines = list(differences(self._half_hours, rows, columns))
        if lines:
            title = f"{self.date}, {len(self._half_hours)} periods"
            raise AssertionError(message(title, lines))

    def _check_columns(
        self, keys: list[str], columns: list[Column], rows: Mapping[int, ProfileRow]
    ) -> None:
        """Refuse a comparison that could not fail."""
        if not columns:
            raise SettlementDayError("assert_rows was given nothing to compare")
        known = ["import_wh", "export_wh", *(f"{u.channel}_pulses" for u in self.config.gas_units)]
        known += [key for row in rows.values() for key in row.deltas if key not in known]
        for key in keys:
            if key not in known:
                raise SettlementDayError(
                    f"rows have no column {key!r}, only {', '.join(dict.fromkeys(known))}"
                )
        for name, expected, _ in columns:
            if isinstance(expected, Mapping):
                if not expected:
                    raise SettlementDayError(f"{name} was given no period to compare")
                for period in expected:
                    self.half_hour(period)
            elif not rows:
                raise SettlementDayError(f"no row of {self.date} has closed: {name} has no value")

    def _planned(self, wanted: Mapping[int, int], unit: str) -> Iterator[tuple[HalfHour, int]]:
        for period, quantity in wanted.items():
            half_hour = self.half_hour(period)
            if half_hour.start < self._now:
                raise SettlementDayError(
                    f"period {period} of {self.date} has begun: it is {self._now:%H:%M:%S} UTC"
                )
            yield half_hour, _not_negative(quantity, unit)

    def _load(self, channel: str) -> Load:
        try:
            return self._loads[channel]
        except KeyError:
            raise SettlementDayError(f"there is no energy channel {channel!r}") from None

    def _run_to(self, until: datetime) -> None:
        if until < self._now:
            raise SettlementDayError(
                f"the day has come to {self._now:%Y-%m-%d %H:%M:%S} UTC,"
                f" and time does not run back to {until:%H:%M:%S}"
            )
        while self._now < until:
            self._pass_to(min(until, self._next_due()))

    def _next_due(self) -> datetime:
        now_s = unix_s(self._now)
        due = [self._meter.next_timer(), from_unix_s(half_hour_floor_s(now_s) + HALF_HOUR_S)]
        if self._units:
            due.append(from_unix_s(next_sending_s(now_s)))
        return max(min(due), self._now + _LEAST_STEP)

    def _pass_to(self, at: datetime) -> None:
        """Let time pass with power on, no further than to the next boundary or telegram."""
        is_sending = self._units and from_unix_s(next_sending_s(unix_s(self._now))) == at
        self._move_to(at)
        self._feed()
        if is_sending:
            for unit in self._units.values():
                data = unit.frame(unix_s(at))
                frame = ReceivedFrame(data, at, "paper", RADIO_DELAY_MAX_S, two_way=False)
                self._meter.receive_frame(frame, at)
        self._meter.handle_timer(at)

    def _feed(self) -> None:
        """Book what was drawn up to now, in whole seconds; none after the day."""
        from_s = self._fed_s
        self._fed_s = to_s = unix_s(self._now)
        if from_s == to_s or from_s >= self._half_hours[-1].end_s:
            return
        # Nothing drawn is booked too: it closes the half-hour that ends here, as samples would.
        energies_mj = {
            channel: load.energy_mj(from_s, to_s) for channel, load in self._loads.items()
        }
        start, end = from_unix_s(from_s), from_unix_s(to_s)
        self._meter.receive_energies(energies_mj, start, end, self._now)

    def _move_to(self, at: datetime) -> None:
        self._now = at
        if self._is_frozen:
            FROZEN_TIME.move_to(at)

    def _powered_up(self) -> Meter:
        return Meter(self.config, self._storage, self._now, keystore=self._keystore)

    def _paired(self, config: GasUnitConfig) -> PaperUnit:
        key = bytes.fromhex(config.serial * 4)
        record = UnitRecord(
            serial=config.serial,
            channel=config.channel,
            weight=config.weight,
            paired_utc=self._now,
            base_count=FIRST_COUNT,
            max_flow_l_h=config.max_flow_l_h,
            period_s=PERIOD_S,
        )
        self._meter.pair(record, key, self._now)
        return PaperUnit(config.serial, key, unix_s(self._now))


def _default_config() -> MeterConfig:
    return MeterConfig(
        checkpoint_s=DEFAULT_CHECKPOINT_S, gas_units=(GasUnitConfig(serial="00000001"),)
    )


def _not_negative(quantity: int, unit: str) -> int:
    if index(quantity) < 0:
        raise SettlementDayError(f"{quantity} {unit} is less than nothing")
    return index(quantity)


def _delta_column(name: str, expected: Expected) -> Column:
    return name, expected, lambda row: row.deltas.get(name)


def _status_column(key: str, expected: Expected) -> Column:
    return f"{key} status", expected, lambda row: row.channel_status.get(key)
