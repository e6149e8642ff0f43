"""What the ledger remembers, as plain data: the form in which storage loads and saves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple, TypeVar

import msgspec

from elec_meter.clock import Stretch
from elec_meter.config import CalendarConfig
from elec_meter.errors import CorruptError


class RowStatus(IntFlag):
    """Status of a row, bits as in the DLMS/IDIS profile status; 0 is measured and clean."""

    CRITICAL_ERROR = 1
    CLOCK_INVALID = 2
    DATA_NOT_VALID = 4
    DAYLIGHT_SAVING = 8
    """Never set: rows are in UTC."""
    CLOCK_ADJUSTED = 32
    FINAL_LATE = 64
    """Energy was added after the row had closed."""
    POWER_DOWN = 128


class EnergyRow(NamedTuple):
    """A measured row: Wh or varh of each energy channel in order, and how often it was amended.

    `start_s` is UNIX seconds in UTC; `deltas` has as many entries as the meter had energy channels
    when the row was opened.
    """

    start_s: int
    deltas: tuple[int, ...]
    status: int
    revision: int = 0


class PaddingRun(NamedTuple):
    """Rows from `start_s` up to `end_s` in which nothing was measured: one entry for all."""

    start_s: int
    end_s: int
    status: int


class PulseRow(NamedTuple):
    """A final half-hour of a pulse channel; `status` is the collector's, `rate` the one booked."""

    start_s: int
    pulses: int
    status: int
    rate: int


class Spell(NamedTuple):
    """A spell of invalid clock, and what each energy channel measured in it.

    `from_us` and `to_us` are the host's time in UNIX microseconds; `to_us` is None while it lasts.
    """

    from_us: int
    to_us: int | None
    quantities: dict[str, int]


class DataRow(NamedTuple):
    """What a data channel recorded at the end of the row that begins at `start_s`."""

    channel: str
    start_s: int
    value: int | None


@dataclass(slots=True)
class RatesState:
    """Rate registers, and how they are divided into blocks.

    Attributes:
        rates: rate 1 first.
        blocks: by rate, the registers of its blocks, block 1 first; they add up to the rate.
        used: by rate, what was counted since the block period began.
    """

    rates: list[int] = field(default_factory=list)
    blocks: list[list[int]] = field(default_factory=list)
    used: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CostState:
    """What an energy channel has cost since ever, in millionths of a penny.

    Attributes:
        energy_up: priced energy.
        standing_up: standing charges.
        unpriced: Wh for which no price was known.
    """

    energy_up: int = 0
    standing_up: int = 0
    unpriced: int = 0


@dataclass(slots=True)
class AccountState:
    """An energy channel: registers in Wh and the energy below a Wh that waits for the next.

    Attributes:
        name: one of `elec_meter.config.ENERGY_NAMES`.
        aged: what rows took along when they left by depth.
        residual_mj: millijoules, less than a Wh.
    """

    name: str
    total: int = 0
    registers: RatesState = field(default_factory=RatesState)
    aged: int = 0
    residual_mj: int = 0
    cost: CostState = field(default_factory=CostState)


@dataclass(slots=True)
class PulseState:
    """A pulse channel's derived registers, in pulses, and its final rows in order of time.

    Attributes:
        name: the channel.
        total: the register when it was saved.
        registers: rates; together they are what final rows hold and held.
        aged: what rows took along when they left by depth.
        through_us: the host's time, UNIX microseconds, up to which all is booked; None before the
            first row.
        ahead: pulses of the host's half-hour in which `through_us` lies that are booked.
        runs: final half-hours without a pulse, where there are many alike.
    """

    name: str
    total: int = 0
    registers: RatesState = field(default_factory=RatesState)
    aged: int = 0
    through_us: int | None = None
    ahead: int = 0
    rows: list[PulseRow] = field(default_factory=list)
    runs: list[PaddingRun] = field(default_factory=list)


class Era(msgspec.Struct, frozen=True, array_like=True):
    """From `from_s` on, rows have this length."""

    from_s: int
    period_s: int


class GasCalendar(msgspec.Struct, frozen=True, array_like=True):
    """From this instant of the host's time on, half-hours of gas are stamped by this calendar."""

    from_us: int
    calendar: CalendarConfig
    offset_s: int


class Peak(msgspec.Struct, frozen=True, array_like=True):
    """A maximum demand in W, and the end of its period in the meter's time."""

    power_w: int
    end_s: int


class DemandState(msgspec.Struct, array_like=True):
    """Demand of one channel.

    Attributes:
        maximum: since the last reset; None without a whole period.
        windows: of each daily window.
        rates: of each rate.
        highest: the three highest, highest first.
        cumulative_w: the sum of the maxima that resets have ended.
        last: the period that ended last.
        energies_mj: energy by start of each sub-period that still counts.
    """

    maximum: Peak | None = None
    windows: list[Peak | None] = []
    rates: list[Peak | None] = []
    highest: list[Peak] = []
    cumulative_w: int = 0
    last: Peak | None = None
    energies_mj: dict[int, int] = {}


class DemandBook(msgspec.Struct, array_like=True):
    """Demand of all channels.

    Attributes:
        clean_from_s: periods that begin earlier were disturbed, and are no maxima.
        closed_s: all that ends by then has ended: sub-periods, rows, days.
        resets: how often the maxima were reset.
        reset_us: when that was last, the host's time in UNIX microseconds.
    """

    channels: dict[str, DemandState] = {}
    clean_from_s: int = 0
    closed_s: int = 0
    resets: int = 0
    reset_us: int | None = None


class Snapshot(msgspec.Struct, array_like=True):
    """All billing registers at an instant of the meter's time.

    Attributes:
        at_s: the instant.
        through_s: the last of the midnights at which all was the same; `at_s` for a single one.
        host_us: the host's time then, UNIX microseconds.
        reason: why it was taken.
        energy: by channel: total, then the rates.
        pulses: by channel: total of the half-hours that were final then, and their rates; None as
            long as half-hours before it are pending.
        cost: by channel: energy and standing charges in millionths of a penny, Wh without a price.
        demand: by channel: the maxima of the period that it ends; empty in a daily snapshot.
    """

    at_s: int
    through_s: int
    host_us: int
    reason: str
    energy: dict[str, list[int]]
    pulses: dict[str, list[int] | None]
    cost: dict[str, list[int]]
    demand: dict[str, DemandState] = {}

    @property
    def is_pending(self) -> bool:
        """Whether a pulse channel has not become final up to it."""
        return None in self.pulses.values()


class DataTotals(msgspec.Struct, array_like=True):
    """Registers of a data channel whose object accumulates.

    Attributes:
        reading: the number that its object had when it was last recorded.
        total: what it advanced by since the first.
        aged: what rows took along when they left by depth.
    """

    reading: int
    total: int = 0
    aged: int = 0


class CostMark(msgspec.Struct, frozen=True, array_like=True):
    """What every channel had cost by an instant of the meter's time.

    Attributes:
        at_s: the instant.
        costs: by channel: energy and standing charges in millionths of a penny, Wh without a price.
    """

    at_s: int
    costs: dict[str, tuple[int, int, int]]


class LedgerBook(msgspec.Struct, array_like=True):
    """The small things that a ledger remembers beside registers and rows.

    Attributes:
        eras: lengths of rows, in order of time.
        gas_calendars: the calendars of gas, in order of time.
        demand: maximum demand.
        data: registers of data channels whose object accumulates.
        active_rates: by energy channel, the last rate in force, for when the time is unknown.
        today: at the last local midnight.
        yesterday: at the one before.
        period: at the end of the last billing period.
        standing_days: the local days that have had their standing charge, as runs of the midnights
            that end them: the first and the last.
        billing_ends: how many billing periods have ended.
    """

    eras: list[Era] = []
    gas_calendars: list[GasCalendar] = []
    demand: DemandBook = msgspec.field(default_factory=DemandBook)
    data: dict[str, DataTotals] = {}
    active_rates: dict[str, int] = {}
    today: CostMark | None = None
    yesterday: CostMark | None = None
    period: CostMark | None = None
    standing_days: list[tuple[int, int]] = []
    billing_ends: int = 0

    def encode(self) -> bytes:
        """The form that is kept."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, document: bytes) -> LedgerBook:
        """Read what `encode` wrote.

        Raises:
            CorruptError: it is something else.
        """
        return _decoded(document, cls)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The form in which a snapshot is kept."""
    return msgspec.msgpack.encode(snapshot)


def decode_snapshot(document: bytes) -> Snapshot:
    """Read what `encode_snapshot` wrote.

    Raises:
        CorruptError: it is something else.
    """
    return _decoded(document, Snapshot)


_T = TypeVar("_T")


def _decoded(document: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(document, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptError(f"a record of the ledger is damaged: {error}") from None


@dataclass(slots=True)
class LedgerState:
    """Everything the ledger holds. An empty one is a meter before its first power-up.

    Attributes:
        begun_s: the first power-up, the meter's time.
        closed_s: the row that begins here is open.
        reached_s: the latest end of any row that was ever closed.
        durable_s: the host's last instant known to be durable.
        rows: measured rows, in order of time.
        runs: padding, in order of time.
        snapshots: by kind, in order of time.
        data_rows: what data channels recorded.
        book: the rest.
        stretches: the clock's.
    """

    begun_s: int | None = None
    closed_s: int | None = None
    reached_s: int | None = None
    durable_s: int | None = None
    accounts: dict[str, AccountState] = field(default_factory=dict)
    rows: list[EnergyRow] = field(default_factory=list)
    runs: list[PaddingRun] = field(default_factory=list)
    pulses: dict[str, PulseState] = field(default_factory=dict)
    spells: list[Spell] = field(default_factory=list)
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict)
    data_rows: list[DataRow] = field(default_factory=list)
    book: LedgerBook = field(default_factory=LedgerBook)
    stretches: list[Stretch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PulseChanges:
    """A changed pulse channel: its registers, and which of its rows and runs came and went."""

    state: PulseState
    gone_rows: list[int]
    gone_runs: list[int]


@dataclass(frozen=True, slots=True)
class LedgerChanges:
    """What a checkpoint has to write: everything that differs from the last one.

    `gone_...` are the `start_s` of entries that no longer exist; of snapshots, the kind and `at_s`.
    `book` is None when it is as it was saved.
    """

    instants: dict[str, int]
    accounts: list[AccountState]
    rows: list[EnergyRow]
    gone_rows: list[int]
    runs: list[PaddingRun]
    gone_runs: list[int]
    pulses: list[PulseChanges]
    spells: list[Spell]
    snapshots: list[tuple[str, Snapshot]]
    gone_snapshots: list[tuple[str, int]]
    data_rows: list[DataRow]
    gone_data_rows: list[int]
    book: bytes | None
    stretches: list[Stretch]
    gone_stretches: list[int]
