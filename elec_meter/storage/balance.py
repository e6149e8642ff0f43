"""Books that balance again after rows were lost: what is missing in them is in `aged`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from elec_meter.errors import RepairError
from elec_meter.ledger.state import AccountState, EnergyRow, LedgerState, PaddingRun, RowStatus
from shared.timegrid import HALF_HOUR_S, half_hour_floor_s
from shared.units import MJ_PER_WH

ROW_MAX_WH: Final = 100_000
"""No half-hour of a 100 A meter holds more; a row that says so is damaged."""

_LOST: Final = int(RowStatus.DATA_NOT_VALID)
_STATUS_BITS: Final = sum(int(bit) for bit in RowStatus)


def balance(state: LedgerState) -> list[str]:
    """Make INV-1 hold for import and export by what their registers say.

    Rows that make no sense are dropped, half-hours that are missing become padding with the status
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
    if state.closed_s % HALF_HOUR_S:
        raise RepairError("the instants of the ledger contradict each other")
    said = [*_mend_coverage(state, state.begun_s, state.closed_s)]
    for name, column in (("import", 1), ("export", 2)):
        if name not in state.accounts:
            raise RepairError(f"the register of {name} cannot be read")
        said += _mend_account(state.accounts[name], sum(row[column] for row in state.rows))
    return said


def _mend_coverage(state: LedgerState, begun_s: int, closed_s: int) -> Iterator[str]:
    """Every half-hour once, through the one that is open."""
    from_s, to_s = half_hour_floor_s(begun_s), closed_s + 100 * HALF_HOUR_S
    rows = [row for row in state.rows if _makes_sense(row, from_s, to_s)]
    if len(rows) < len(state.rows):
        yield f"{len(state.rows) - len(rows)} half-hours made no sense and were dropped"
    spans: list[EnergyRow | PaddingRun] = [*rows]
    spans += [run for run in state.runs if _is_run(run, from_s, to_s)]
    spans.sort(key=lambda span: span.start_s)
    kept: list[EnergyRow | PaddingRun] = []
    next_s = missing = 0
    for span in spans:
        if kept and span.start_s < next_s:
            yield f"the half-hours from {span.start_s} s existed twice"
            continue
        if kept and span.start_s > next_s:
            kept.append(PaddingRun(next_s, span.start_s, _LOST))
            missing += (span.start_s - next_s) // HALF_HOUR_S
        kept.append(span)
        next_s = span.end_s if isinstance(span, PaddingRun) else span.start_s + HALF_HOUR_S
    if not kept:
        next_s = from_s
    if next_s < closed_s:
        kept.append(PaddingRun(next_s, closed_s, _LOST))
        missing += (closed_s - next_s) // HALF_HOUR_S
        next_s = closed_s
    if next_s == closed_s:
        kept.append(EnergyRow(closed_s, 0, 0, _LOST))
        missing += 1
    if missing:
        yield f"{missing} half-hours are lost and marked as not valid"
    state.rows = [span for span in kept if isinstance(span, EnergyRow)]
    state.runs = [span for span in kept if isinstance(span, PaddingRun)]


def _makes_sense(row: EnergyRow, from_s: int, to_s: int) -> bool:
    energies_fit = all(0 <= wh <= ROW_MAX_WH for wh in (row.import_wh, row.export_wh))
    is_half_hour = from_s <= row.start_s < to_s and row.start_s % HALF_HOUR_S == 0
    return energies_fit and is_half_hour and not row.status & ~_STATUS_BITS


def _is_run(run: PaddingRun, from_s: int, to_s: int) -> bool:
    is_span = from_s <= run.start_s < run.end_s <= to_s and not run.status & ~_STATUS_BITS
    return is_span and not (run.start_s % HALF_HOUR_S or run.end_s % HALF_HOUR_S)


def _mend_account(account: AccountState, in_rows: int) -> Iterator[str]:
    name, rated = account.name, sum(account.rates)
    if min([account.total, *account.rates]) < 0:
        raise RepairError(f"a register of {name} is below zero")
    if not 0 <= account.residual_mj < MJ_PER_WH:
        yield f"{name}: {account.residual_mj} mJ below a Wh made no sense and were dropped"
        account.residual_mj = 0
    if min(account.aged, account.unallocated) < 0:
        yield (
            f"{name}: {account.aged} Wh aged and {account.unallocated} Wh unallocated made no sense"
        )
        account.aged, account.unallocated = max(account.aged, 0), max(account.unallocated, 0)
    accounted = account.aged + account.unallocated + in_rows
    if account.total != rated:
        if not account.total < rated == accounted:
            raise RepairError(
                f"the registers of {name} contradict each other: {account.total} Wh in all,"
                f" {rated} Wh in its rates and {accounted} Wh in its half-hours"
            )
        yield f"{name}: the register was {account.total} Wh and is {rated} Wh as its rates are"
        account.total = rated
    if account.total > accounted:
        difference = account.total - accounted
        yield f"{name}: {difference} Wh are in no half-hour any more and were aged"
        account.aged += difference
    elif account.total + ROW_MAX_WH >= accounted > account.total:
        yield from _raise(account, accounted)
    elif account.total < accounted:
        yield from _correct_aged(account, in_rows)


def _raise(account: AccountState, accounted: int) -> Iterator[str]:
    """Half-hours that hold more than the register: it is older than they are, and so its rates."""
    difference = accounted - account.total
    yield (
        f"{account.name}: the register was {account.total} Wh and is {accounted} Wh as its"
        f" half-hours are; {difference} Wh were put to rate 1"
    )
    account.total = accounted
    if not account.rates:
        account.rates.append(0)
    account.rates[0] += difference


def _correct_aged(account: AccountState, in_rows: int) -> Iterator[str]:
    """More than a page that is a little older explains: not the registers are wrong."""
    aged = account.total - in_rows - account.unallocated
    if aged < 0:
        raise RepairError(
            f"the register of {account.name} is {account.total} Wh, and its half-hours are"
            f" {in_rows} Wh: that much no register falls behind"
        )
    yield f"{account.name}: {account.aged} Wh aged made no sense and are {aged} Wh"
    account.aged = aged
