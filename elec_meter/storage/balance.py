"""Books that balance again after rows were lost: what is missing in them is in `aged`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from elec_meter.config import ENERGY_NAMES
from elec_meter.errors import RepairError
from elec_meter.ledger.profile import Profile
from elec_meter.ledger.rows import energy_unit
from elec_meter.ledger.state import AccountState, EnergyRow, LedgerState, PaddingRun, RowStatus
from shared.timegrid import HALF_HOUR_S
from shared.units import MJ_PER_WH

ROW_MAX_WH: Final = 100_000
"""No half-hour of a 100 A meter holds more; a row that says so is damaged."""

_LOST: Final = int(RowStatus.DATA_NOT_VALID)
_STATUS_BITS: Final = sum(int(bit) for bit in RowStatus)


def balance(state: LedgerState) -> list[str]:
    """Make INV-1 hold for the energy channels by what their registers say.

    Rows that make no sense are dropped, those that are missing become padding with the status
    "data not valid", and what no row accounts for is aged. No register falls.

    Args:
        state: as it was read; changed in place.

    Returns:
        A sentence for each change.

    Raises:
        RepairError: registers are missing, or contradict each other.
    """
    if state.begun_s is None or state.closed_s is None or state.durable_s is None:
        raise RepairError("the instants of the ledger cannot be read")
    if not 0 <= state.begun_s <= state.closed_s + HALF_HOUR_S <= state.durable_s + 2 * HALF_HOUR_S:
        raise RepairError("the instants of the ledger contradict each other")
    grid = Profile(len(state.accounts), 1, state.book.eras)
    if grid.floor_s(state.closed_s) != state.closed_s:
        raise RepairError("the instants of the ledger contradict each other")
    names = [name for name in ENERGY_NAMES if name in state.accounts]
    for name in ("import", "export"):
        if name not in names:
            raise RepairError(f"the register of {name} cannot be read")
    said = [*_mend_coverage(state, grid, state.begun_s, state.closed_s)]
    for column, name in enumerate(names):
        unallocated = sum(spell.quantities.get(name, 0) for spell in state.spells)
        if unallocated < 0:
            raise RepairError(f"what {name} measured without a time is below zero")
        in_rows = sum(row.deltas[column] for row in state.rows if column < len(row.deltas))
        said += _mend_account(state.accounts[name], in_rows, unallocated)
    return said


def _mend_coverage(state: LedgerState, grid: Profile, begun_s: int, closed_s: int) -> Iterator[str]:
    """Every period once, through the one that is open; what lies ahead of it may stand alone."""
    from_s = grid.floor_s(begun_s)
    to_s = max(closed_s, state.reached_s or 0) + 100 * HALF_HOUR_S
    rows = [row for row in state.rows if _makes_sense(row, grid, from_s, to_s)]
    if len(rows) < len(state.rows):
        yield f"{len(state.rows) - len(rows)} rows made no sense and were dropped"
    spans: list[EnergyRow | PaddingRun] = [*rows]
    spans += [run for run in state.runs if _is_run(run, grid, from_s, to_s)]
    spans.sort(key=lambda span: span.start_s)
    kept: list[EnergyRow | PaddingRun] = []
    next_s = from_s if not spans or spans[0].start_s > closed_s else spans[0].start_s
    missing_s = 0
    for span in [*spans, None]:
        if span is not None and span.start_s < next_s:
            yield f"the rows from {span.start_s} s existed twice"
            continue
        until_s = closed_s if span is None else min(span.start_s, closed_s)
        if next_s < until_s:
            kept.append(PaddingRun(next_s, until_s, _LOST))
            missing_s += until_s - next_s
            next_s = until_s
        if next_s == closed_s and (span is None or span.start_s > closed_s):
            kept.append(EnergyRow(closed_s, (0, 0), _LOST))
            next_s += grid.period_s(closed_s)
            missing_s += grid.period_s(closed_s)
        if span is not None:
            kept.append(span)
            next_s = _end_s(span, grid)
    if missing_s:
        yield f"{missing_s // 60} minutes of rows are lost and marked as not valid"
    state.rows = [span for span in kept if isinstance(span, EnergyRow)]
    state.runs = [span for span in kept if isinstance(span, PaddingRun)]


def _end_s(span: EnergyRow | PaddingRun, grid: Profile) -> int:
    if isinstance(span, PaddingRun):
        return span.end_s
    return span.start_s + grid.period_s(span.start_s)


def _makes_sense(row: EnergyRow, grid: Profile, from_s: int, to_s: int) -> bool:
    energies_fit = all(0 <= wh <= ROW_MAX_WH for wh in row.deltas)
    is_period = from_s <= row.start_s < to_s and grid.floor_s(row.start_s) == row.start_s
    return energies_fit and is_period and not row.status & ~_STATUS_BITS


def _is_run(run: PaddingRun, grid: Profile, from_s: int, to_s: int) -> bool:
    is_span = from_s <= run.start_s < run.end_s <= to_s and not run.status & ~_STATUS_BITS
    return is_span and all(grid.floor_s(each) == each for each in run[:2])


def _mend_account(account: AccountState, in_rows: int, unallocated: int) -> Iterator[str]:
    registers = account.registers
    name, unit, rated = account.name, energy_unit(account.name), sum(registers.rates)
    if min([account.total, *registers.rates]) < 0:
        raise RepairError(f"a register of {name} is below zero")
    if not 0 <= account.residual_mj < MJ_PER_WH:
        yield f"{name}: {account.residual_mj} mJ below a {unit} made no sense and were dropped"
        account.residual_mj = 0
    if account.aged < 0:
        yield f"{name}: {account.aged} {unit} aged made no sense"
        account.aged = 0
    accounted = account.aged + unallocated + in_rows
    if account.total != rated:
        if not account.total < rated == accounted:
            raise RepairError(
                f"the registers of {name} contradict each other: {account.total} {unit} in all,"
                f" {rated} {unit} in its rates and {accounted} {unit} in its rows"
            )
        yield (
            f"{name}: the register was {account.total} {unit} and is {rated} {unit} as its rates"
            " are"
        )
        account.total = rated
    if account.total > accounted:
        difference = account.total - accounted
        yield f"{name}: {difference} {unit} are in no row any more and were aged"
        account.aged += difference
    elif account.total + ROW_MAX_WH >= accounted > account.total:
        yield from _raise(account, accounted)
    elif account.total < accounted:
        yield from _correct_aged(account, in_rows, unallocated)
    yield from _mend_blocks(account)


def _raise(account: AccountState, accounted: int) -> Iterator[str]:
    """Rows that hold more than the register: it is older than they are, and so its rates."""
    difference, unit = accounted - account.total, energy_unit(account.name)
    yield (
        f"{account.name}: the register was {account.total} {unit} and is {accounted} {unit} as its"
        f" rows are; {difference} {unit} were put to rate 1"
    )
    account.total = accounted
    registers = account.registers
    if not registers.rates:
        registers.rates, registers.blocks, registers.used = [0], [[0]], [0]
    registers.rates[0] += difference
    registers.blocks[0][0] += difference


def _correct_aged(account: AccountState, in_rows: int, unallocated: int) -> Iterator[str]:
    """More than a page that is a little older explains: not the registers are wrong."""
    aged, unit = account.total - in_rows - unallocated, energy_unit(account.name)
    if aged < 0:
        raise RepairError(
            f"the register of {account.name} is {account.total} {unit}, and its rows are"
            f" {in_rows} {unit}: that much no register falls behind"
        )
    yield f"{account.name}: {account.aged} {unit} aged made no sense and are {aged} {unit}"
    account.aged = aged


def _mend_blocks(account: AccountState) -> Iterator[str]:
    """The blocks of a rate are the rate: what they lack is in the first."""
    registers, unit = account.registers, energy_unit(account.name)
    for rate, (quantity, blocks) in enumerate(zip(registers.rates, registers.blocks, strict=True)):
        lacking = quantity - sum(blocks)
        if min(blocks) < 0 or lacking < 0:
            yield f"{account.name}: the blocks of rate {rate + 1} made no sense"
            blocks[:] = [quantity, *[0] * (len(blocks) - 1)]
        elif lacking:
            yield f"{account.name}: {lacking} {unit} of rate {rate + 1} were put to its first block"
            blocks[0] += lacking
