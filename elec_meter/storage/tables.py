"""The ledger's state in the database's tables."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from elec_meter.config.tariff import MAX_RATES
from elec_meter.errors import CorruptError
from elec_meter.ledger.state import (
    AccountState,
    EnergyRow,
    LedgerChanges,
    LedgerState,
    PaddingRun,
    PulseChanges,
    PulseRow,
    PulseState,
)

_Tuples = Sequence[tuple[object, ...]]

_INSTANTS: Final = ("begun_s", "closed_s", "durable_s")
_ROW_COLUMNS: Final = ("start_s", "import_wh", "export_wh", "status")
_RUN_COLUMNS: Final = ("start_s", "end_s", "status")
_PULSE_ROW_COLUMNS: Final = ("channel", "start_s", "pulses", "status", "rate")


def load_ledger(connection: sqlite3.Connection) -> LedgerState:
    """The state that the last `save_ledger` left."""
    instants = dict(connection.execute("SELECT name, at_s FROM ledger_instant"))
    rates = _load_rates(connection)
    begun_s, closed_s, durable_s = (instants.get(name) for name in _INSTANTS)
    state = LedgerState(begun_s, closed_s, durable_s)
    for name, *registers in connection.execute(
        "SELECT channel, total_wh, aged_wh, unallocated_wh, residual_mj FROM ledger_account"
    ):
        total, aged, unallocated, residual_mj = registers
        state.accounts[name] = AccountState(
            name, total, rates[name], aged, unallocated, residual_mj
        )
    rows = connection.execute(
        "SELECT start_s, import_wh, export_wh, status FROM ledger_row ORDER BY start_s"
    )
    state.rows = [EnergyRow(*row) for row in rows]
    runs = connection.execute("SELECT start_s, end_s, status FROM ledger_run ORDER BY start_s")
    state.runs = [PaddingRun(*run) for run in runs]
    for name, total, aged, booked_through_s in connection.execute(
        "SELECT channel, total, aged, booked_through_s FROM ledger_pulse_channel"
    ):
        pulse_rows = connection.execute(
            "SELECT start_s, pulses, status, rate FROM ledger_pulse_row"
            " WHERE channel = ? ORDER BY start_s",
            (name,),
        )
        state.pulses[name] = PulseState(
            name, total, rates[name], aged, booked_through_s, [PulseRow(*row) for row in pulse_rows]
        )
    return state


def save_ledger(connection: sqlite3.Connection, changes: LedgerChanges, durable_s: int) -> None:
    """Write what changed into the open transaction; nothing is committed here."""
    instants = zip(_INSTANTS, (changes.begun_s, changes.closed_s, durable_s), strict=True)
    known = [(name, at_s) for name, at_s in instants if at_s is not None]
    _put(connection, "ledger_instant", ("name", "at_s"), 1, known)
    for account in changes.accounts:
        _save_account(connection, account)
    _drop(connection, "ledger_row", changes.gone_rows)
    _put(connection, "ledger_row", _ROW_COLUMNS, 1, changes.rows)
    _drop(connection, "ledger_run", changes.gone_runs)
    _put(connection, "ledger_run", _RUN_COLUMNS, 1, changes.runs)
    for pulses in changes.pulses:
        _save_pulses(connection, pulses)


def _save_account(connection: sqlite3.Connection, account: AccountState) -> None:
    columns = ("channel", "total_wh", "aged_wh", "unallocated_wh", "residual_mj")
    row = (account.name, account.total, account.aged, account.unallocated, account.residual_mj)
    _put(connection, "ledger_account", columns, 1, [row])
    _save_rates(connection, account.name, account.rates)


def _save_pulses(connection: sqlite3.Connection, changes: PulseChanges) -> None:
    state = changes.state
    columns = ("channel", "total", "aged", "booked_through_s")
    row = (state.name, state.total, state.aged, state.booked_through_s)
    _put(connection, "ledger_pulse_channel", columns, 1, [row])
    _save_rates(connection, state.name, state.rates)
    connection.executemany(
        "DELETE FROM ledger_pulse_row WHERE channel = ? AND start_s = ?",
        [(state.name, start_s) for start_s in changes.gone_rows],
    )
    rows = [(state.name, *row) for row in changes.rows]
    _put(connection, "ledger_pulse_row", _PULSE_ROW_COLUMNS, 2, rows)


def _load_rates(connection: sqlite3.Connection) -> defaultdict[str, list[int]]:
    """Rate registers by channel; one that is missing between others is 0, for the audit to find."""
    rates: defaultdict[str, list[int]] = defaultdict(list)
    for channel, rate, quantity in connection.execute(
        "SELECT channel, rate, quantity FROM ledger_rate ORDER BY channel, rate"
    ):
        if not 1 <= rate <= MAX_RATES:
            raise CorruptError(f"{channel} has a register for rate {rate}, and rates are 1 to 48")
        registers = rates[channel]
        registers += [0] * (rate - 1 - len(registers))
        registers.append(quantity)
    return rates


def _save_rates(connection: sqlite3.Connection, channel: str, rates: list[int]) -> None:
    rows = [(channel, rate, quantity) for rate, quantity in enumerate(rates, 1)]
    _put(connection, "ledger_rate", ("channel", "rate", "quantity"), 2, rows)


def _put(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], keys: int, rows: _Tuples
) -> None:
    """Insert rows, or replace those that agree in the first `keys` columns."""
    if not rows:
        return
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in columns[keys:]),
        rows,
    )


def _drop(connection: sqlite3.Connection, table: str, starts_s: list[int]) -> None:
    connection.executemany(
        f"DELETE FROM {table} WHERE start_s = ?", [(start_s,) for start_s in starts_s]
    )
