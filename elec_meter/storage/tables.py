"""The ledger's state in the database's tables."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from elec_meter.clock import Dating, Stretch
from elec_meter.config.tariff import MAX_RATES
from elec_meter.errors import CorruptError
from elec_meter.ledger.state import (
    AccountState,
    CostState,
    DataRow,
    EnergyRow,
    LedgerBook,
    LedgerChanges,
    LedgerState,
    PaddingRun,
    PulseChanges,
    PulseRow,
    PulseState,
    RatesState,
    Spell,
    decode_snapshot,
    encode_snapshot,
)

_Tuples = Sequence[tuple[object, ...]]

_ROW_ENERGIES: Final = (
    "import_wh",
    "export_wh",
    "reactive_q1_varh",
    "reactive_q2_varh",
    "reactive_q3_varh",
    "reactive_q4_varh",
)
_ROW_COLUMNS: Final = ("start_s", *_ROW_ENERGIES, "status", "revision")
_RUN_COLUMNS: Final = ("start_s", "end_s", "status")
_ACCOUNT_COLUMNS: Final = (
    "channel",
    "total_wh",
    "aged_wh",
    "residual_mj",
    "cost_energy_up",
    "cost_standing_up",
    "cost_unpriced_wh",
)
_PULSE_CHANNEL_COLUMNS: Final = ("channel", "total", "aged", "through_us", "ahead")
_PULSE_ROW_COLUMNS: Final = ("channel", "start_s", "pulses", "status", "rate")
_PULSE_RUN_COLUMNS: Final = ("channel", "start_s", "end_s", "status")
_STRETCH_COLUMNS: Final = ("from_us", "meter_us", "gain", "dating")
_INSTANTS: Final = ("begun_s", "closed_s", "reached_s", "durable_s")
_BOOK: Final = "ledger"


def load_ledger(connection: sqlite3.Connection) -> LedgerState:
    """The state that the last `save_ledger` left."""
    instants = dict(connection.execute("SELECT name, at_s FROM ledger_instant"))
    registers = _load_registers(connection)
    begun_s, closed_s, reached_s, durable_s = (instants.get(name) for name in _INSTANTS)
    state = LedgerState(begun_s, closed_s, reached_s, durable_s)
    for name, total, aged, residual_mj, *cost in connection.execute(
        f"SELECT {', '.join(_ACCOUNT_COLUMNS)} FROM ledger_account"
    ):
        state.accounts[name] = AccountState(
            name, total, registers[name], aged, residual_mj, CostState(*cost)
        )
    for start_s, *deltas, status, revision in connection.execute(
        f"SELECT {', '.join(_ROW_COLUMNS)} FROM ledger_row ORDER BY start_s"
    ):
        known = deltas[:2] if deltas[2] is None else deltas
        state.rows.append(EnergyRow(start_s, tuple(known), status, revision))
    runs = connection.execute("SELECT start_s, end_s, status FROM ledger_run ORDER BY start_s")
    state.runs = [PaddingRun(*run) for run in runs]
    for name, total, aged, through_us, ahead in connection.execute(
        f"SELECT {', '.join(_PULSE_CHANNEL_COLUMNS)} FROM ledger_pulse_channel"
    ):
        pulses = PulseState(name, total, registers[name], aged, through_us, ahead)
        pulses.rows, pulses.runs = _load_pulse_rows(connection, name)
        state.pulses[name] = pulses
    state.spells = _load_spells(connection)
    _load_records(connection, state)
    return state


def save_ledger(connection: sqlite3.Connection, changes: LedgerChanges, durable_s: int) -> None:
    """Write what changed into the open transaction; nothing is committed here."""
    instants = [*changes.instants.items(), ("durable_s", durable_s)]
    _put(connection, "ledger_instant", ("name", "at_s"), 1, instants)
    _save_accounts(connection, changes.accounts)
    _drop(connection, "ledger_row", ("start_s",), [(each,) for each in changes.gone_rows])
    rows = [
        (row.start_s, *row.deltas, *[None] * (len(_ROW_ENERGIES) - len(row.deltas)), *row[2:])
        for row in changes.rows
    ]
    _put(connection, "ledger_row", _ROW_COLUMNS, 1, rows)
    _drop(connection, "ledger_run", ("start_s",), [(each,) for each in changes.gone_runs])
    _put(connection, "ledger_run", _RUN_COLUMNS, 1, changes.runs)
    for pulses in changes.pulses:
        _save_pulses(connection, pulses)
    _save_spells(connection, changes.spells)
    _drop(connection, "clock_stretch", ("from_us",), [(at,) for at in changes.gone_stretches])
    _put(connection, "clock_stretch", _STRETCH_COLUMNS, 1, changes.stretches)
    _drop(connection, "ledger_snapshot", ("kind", "at_s"), changes.gone_snapshots)
    snapshots = [(kind, each.at_s, encode_snapshot(each)) for kind, each in changes.snapshots]
    _put(connection, "ledger_snapshot", ("kind", "at_s", "document"), 2, snapshots)
    _drop(connection, "ledger_data_row", ("start_s",), [(at,) for at in changes.gone_data_rows])
    _put(connection, "ledger_data_row", ("channel", "start_s", "value"), 2, changes.data_rows)
    if changes.book is not None:
        _put(connection, "ledger_book", ("name", "document"), 1, [(_BOOK, changes.book)])


def _save_accounts(connection: sqlite3.Connection, accounts: Collection[AccountState]) -> None:
    rows = []
    for each in accounts:
        cost = each.cost
        costs = (cost.energy_up, cost.standing_up, cost.unpriced)
        rows.append((each.name, each.total, each.aged, each.residual_mj, *costs))
    _put(connection, "ledger_account", _ACCOUNT_COLUMNS, 1, rows)
    _save_registers(connection, {each.name: each.registers for each in accounts})


def _save_pulses(connection: sqlite3.Connection, changes: PulseChanges) -> None:
    state = changes.state
    name = state.name
    row = (name, state.total, state.aged, state.through_us, state.ahead)
    _put(connection, "ledger_pulse_channel", _PULSE_CHANNEL_COLUMNS, 1, [row])
    _save_registers(connection, {name: state.registers})
    keys = ("channel", "start_s")
    _drop(connection, "ledger_pulse_row", keys, [(name, each) for each in changes.gone_rows])
    rows = [(name, *row) for row in state.rows]
    _put(connection, "ledger_pulse_row", _PULSE_ROW_COLUMNS, 2, rows)
    _drop(connection, "ledger_pulse_run", keys, [(name, each) for each in changes.gone_runs])
    runs = [(name, *run) for run in state.runs]
    _put(connection, "ledger_pulse_run", _PULSE_RUN_COLUMNS, 2, runs)


def _load_pulse_rows(
    connection: sqlite3.Connection, name: str
) -> tuple[list[PulseRow], list[PaddingRun]]:
    rows = connection.execute(
        "SELECT start_s, pulses, status, rate FROM ledger_pulse_row"
        " WHERE channel = ? ORDER BY start_s",
        (name,),
    )
    runs = connection.execute(
        "SELECT start_s, end_s, status FROM ledger_pulse_run WHERE channel = ? ORDER BY start_s",
        (name,),
    )
    return [PulseRow(*row) for row in rows], [PaddingRun(*run) for run in runs]


def _save_spells(connection: sqlite3.Connection, spells: Sequence[Spell]) -> None:
    rows = [(spell.from_us, spell.to_us) for spell in spells]
    _put(connection, "ledger_spell", ("from_us", "to_us"), 1, rows)
    quantities = [
        (spell.from_us, channel, quantity)
        for spell in spells
        for channel, quantity in spell.quantities.items()
    ]
    _put(connection, "ledger_unallocated", ("from_us", "channel", "quantity"), 2, quantities)


def _load_spells(connection: sqlite3.Connection) -> list[Spell]:
    quantities: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for from_us, channel, quantity in connection.execute(
        "SELECT from_us, channel, quantity FROM ledger_unallocated"
    ):
        quantities[from_us][channel] = quantity
    spells = connection.execute("SELECT from_us, to_us FROM ledger_spell ORDER BY from_us")
    return [Spell(from_us, to_us, quantities[from_us]) for from_us, to_us in spells]


def _load_records(connection: sqlite3.Connection, state: LedgerState) -> None:
    for from_us, meter_us, gain, dating in connection.execute(
        f"SELECT {', '.join(_STRETCH_COLUMNS)} FROM clock_stretch ORDER BY from_us"
    ):
        state.stretches.append(Stretch(from_us, meter_us, gain, Dating(dating)))
    for kind, document in connection.execute(
        "SELECT kind, document FROM ledger_snapshot ORDER BY at_s"
    ):
        state.snapshots.setdefault(kind, []).append(decode_snapshot(document))
    data_rows = connection.execute(
        "SELECT channel, start_s, value FROM ledger_data_row ORDER BY start_s"
    )
    state.data_rows = [DataRow(*row) for row in data_rows]
    book = connection.execute(
        "SELECT document FROM ledger_book WHERE name = ?", (_BOOK,)
    ).fetchone()
    if book is not None:
        state.book = LedgerBook.decode(book[0])


def _load_registers(connection: sqlite3.Connection) -> defaultdict[str, RatesState]:
    """Rate registers by channel; one that is missing between others is 0, for the audit to find."""
    registers: defaultdict[str, RatesState] = defaultdict(RatesState)
    for channel, rate, quantity, used in connection.execute(
        "SELECT channel, rate, quantity, used FROM ledger_rate ORDER BY channel, rate"
    ):
        if not 1 <= rate <= MAX_RATES:
            raise CorruptError(f"{channel} has a register for rate {rate}, and rates are 1 to 48")
        state = registers[channel]
        missing = [0] * (rate - 1 - len(state.rates))
        state.rates += [*missing, quantity]
        state.used += [*missing, used]
        state.blocks += [*([0] for _ in missing), [quantity]]
    for channel, rate, block, quantity in connection.execute(
        "SELECT channel, rate, block, quantity FROM ledger_block ORDER BY channel, rate, block"
    ):
        blocks = registers[channel].blocks
        if not 1 <= rate <= len(blocks):
            raise CorruptError(f"{channel} has a block of rate {rate}, and no such rate")
        if block == 1:
            blocks[rate - 1] = []
        blocks[rate - 1].append(quantity)
    return registers


def _save_registers(connection: sqlite3.Connection, states: Mapping[str, RatesState]) -> None:
    rates = [
        (channel, rate, quantity, used)
        for channel, state in states.items()
        for rate, (quantity, used) in enumerate(zip(state.rates, state.used, strict=True), 1)
    ]
    _put(connection, "ledger_rate", ("channel", "rate", "quantity", "used"), 2, rates)
    blocks = [
        (channel, rate, block, quantity)
        for channel, state in states.items()
        for rate, row in enumerate(state.blocks, 1)
        if len(row) > 1  # a single block is the rate itself
        for block, quantity in enumerate(row, 1)
    ]
    _put(connection, "ledger_block", ("channel", "rate", "block", "quantity"), 3, blocks)


def _put(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], keys: int, rows: _Tuples
) -> None:
    """Insert rows, or replace those that agree in the first `keys` columns."""
    if rows:
        connection.executemany(_upsert(table, columns, keys), rows)


@lru_cache
def _upsert(table: str, columns: tuple[str, ...], keys: int) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in columns[keys:])
    )


def _drop(connection: sqlite3.Connection, table: str, keys: Sequence[str], rows: _Tuples) -> None:
    """Delete the rows with these keys."""
    if rows:
        condition = " AND ".join(f"{key} = ?" for key in keys)
        connection.executemany(f"DELETE FROM {table} WHERE {condition}", rows)
