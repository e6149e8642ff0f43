"""What the ledger remembers, as plain data: the form in which storage loads and saves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple


class RowStatus(IntFlag):
    """Status of a half-hour, bits as in the DLMS/IDIS profile status; 0 is measured and clean."""

    CRITICAL_ERROR = 1
    CLOCK_INVALID = 2
    DATA_NOT_VALID = 4
    DAYLIGHT_SAVING = 8
    """Never set: rows are in UTC."""
    CLOCK_ADJUSTED = 32
    FINAL_LATE = 64
    """Energy was added after the half-hour had closed."""
    POWER_DOWN = 128


class EnergyRow(NamedTuple):
    """A measured half-hour of import and export in Wh; `start_s` is UNIX seconds in UTC."""

    start_s: int
    import_wh: int
    export_wh: int
    status: int


class PaddingRun(NamedTuple):
    """Half-hours from `start_s` up to `end_s` in which nothing was measured: one entry for all."""

    start_s: int
    end_s: int
    status: int


class PulseRow(NamedTuple):
    """A final half-hour of a pulse channel; `status` is the collector's, `rate` the one booked."""

    start_s: int
    pulses: int
    status: int
    rate: int


@dataclass(slots=True)
class AccountState:
    """An energy channel: registers in Wh and the energy below a Wh that waits for the next.

    Attributes:
        name: `import` or `export`.
        rates: rate 1 first.
        aged: what rows took along when they left by depth.
        unallocated: what was measured while the time was not known.
        residual_mj: millijoules, less than a Wh.
    """

    name: str
    total: int = 0
    rates: list[int] = field(default_factory=list)
    aged: int = 0
    unallocated: int = 0
    residual_mj: int = 0


@dataclass(slots=True)
class PulseState:
    """A pulse channel's derived registers, in pulses, and its final rows in order of time.

    Attributes:
        name: the channel.
        total: the register when it was saved.
        rates: rate 1 first; together they are what final rows hold and held.
        aged: what rows took along when they left by depth.
        booked_through_s: rows that end here or earlier are booked; None before the first.
    """

    name: str
    total: int = 0
    rates: list[int] = field(default_factory=list)
    aged: int = 0
    booked_through_s: int | None = None
    rows: list[PulseRow] = field(default_factory=list)


@dataclass(slots=True)
class LedgerState:
    """Everything the ledger holds. An empty one is a meter before its first power-up.

    Attributes:
        begun_s: the first power-up.
        closed_s: half-hours that end here or earlier are closed.
        durable_s: the last instant known to be durable.
        rows: measured half-hours, in order of time.
        runs: padding, in order of time.
    """

    begun_s: int | None = None
    closed_s: int | None = None
    durable_s: int | None = None
    accounts: dict[str, AccountState] = field(default_factory=dict)
    rows: list[EnergyRow] = field(default_factory=list)
    runs: list[PaddingRun] = field(default_factory=list)
    pulses: dict[str, PulseState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PulseChanges:
    """A changed pulse channel: its registers, and which of its rows came and went."""

    state: PulseState
    rows: list[PulseRow]
    gone_rows: list[int]


@dataclass(frozen=True, slots=True)
class LedgerChanges:
    """What a checkpoint has to write: everything that differs from the last one.

    `gone_rows` and `gone_runs` are the `start_s` of entries that no longer exist.
    """

    begun_s: int | None
    closed_s: int | None
    accounts: list[AccountState]
    rows: list[EnergyRow]
    gone_rows: list[int]
    runs: list[PaddingRun]
    gone_runs: list[int]
    pulses: list[PulseChanges]
