"""The proof of INV-1: nothing is lost, nothing is counted twice, nothing was edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Final, TypeVar

from shared.errors import TimegridError
from shared.timegrid import from_unix_s
from shared.units import MJ_PER_WH

from .books import Books
from .channels import PulseChannel
from .profile import Profile
from .rows import energy_unit
from .state import PulseRow, RowStatus
from .walk import HalfHourOfPulses

_Timed = TypeVar("_Timed", HalfHourOfPulses, PulseRow)

_STATUS_BITS: Final = sum(int(bit) for bit in RowStatus)


def imbalances(books: Books, *, at_rest: bool = False) -> list[str]:
    """Plain sentences on everything that does not add up; empty when all does.

    register = rates + unrated = aged + rows + unallocated, exactly, for every channel; the blocks
    of a rate are the rate; every period has one row; pulse rows are what the journal gives when it
    is folded again; a snapshot shows no more than the registers.

    Args:
        books: the ledger.
        at_rest: it was loaded and nothing has happened since, so a pulse register must also be
            what was saved.
    """
    found = _row_faults(books)
    sums = books.profile.sums()
    for channel, in_rows in zip(books.energy_channels, sums, strict=True):
        found += _energy_faults(books, channel, in_rows)
    for channel in books.channels:
        found += _block_faults(books, channel)
    for pulses in books.pulse_channels:
        found += _pulse_faults(pulses, at_rest=at_rest)
    return found + _data_faults(books) + _snapshot_faults(books)


def _energy_faults(books: Books, channel: str, in_rows: int) -> list[str]:
    total, rates, unit = books.total(channel), books.rates(channel), energy_unit(channel)
    aged, unallocated = books.aged(channel), books.unallocated(channel)
    found = []
    if total != sum(rates):
        found.append(
            f"{channel}: the register is {total} {unit}, and its rates are {sum(rates)} {unit}"
        )
    if total != aged + in_rows + unallocated:
        found.append(
            f"{channel}: the register is {total} {unit}, and its rows are {in_rows} {unit}"
            f" with {aged} {unit} aged and {unallocated} {unit} unallocated"
        )
    for rate, quantity in enumerate(rates, 1):
        if quantity < 0:
            found.append(f"{channel}: rate {rate} is {quantity} {unit}, below zero")
    if min(aged, unallocated) < 0:
        found.append(
            f"{channel}: {aged} {unit} aged, {unallocated} {unit} unallocated: one is below zero"
        )
    residual_mj = books.residual_mj(channel)
    if not 0 <= residual_mj < MJ_PER_WH:
        found.append(f"{channel}: {residual_mj} mJ are carried, which is not less than one {unit}")
    return found


def _block_faults(books: Books, channel: str) -> list[str]:
    found = []
    pairs = zip_longest(books.rates(channel), books.blocks(channel))
    for rate, (quantity, blocks) in enumerate(pairs, 1):
        in_blocks = None if blocks is None else sum(blocks)
        if quantity != in_blocks:
            found.append(f"{channel}: rate {rate} is {quantity}, and its blocks are {in_blocks}")
    return found


def _row_faults(books: Books) -> list[str]:
    if books.closed_s is None:
        return []
    profile, found = books.profile, []
    if books.begun_s is None:
        found.append("profile: the instant of the first power-up is missing")
    for row in profile.measured():
        if profile.floor_s(row.start_s) != row.start_s:
            found.append(f"profile: the row {_name(row.start_s)} does not start a period")
        if min(row.deltas) < 0:
            found.append(f"profile: the row {_name(row.start_s)} is below zero")
        if row.status & ~_STATUS_BITS:
            found.append(
                f"profile: the row {_name(row.start_s)} has the unknown status {row.status}"
            )
    return found + _coverage_faults(profile)


def _coverage_faults(profile: Profile) -> list[str]:
    """Rows and runs must follow each other without a hole, through the row that is open."""
    starts_s = [row.start_s for row in profile.measured()]
    spans = [(start_s, start_s + profile.period_s(start_s)) for start_s in starts_s]
    spans += [(run.start_s, run.end_s) for run in profile.runs]
    spans.sort()
    found, expected_s = [], profile.first_s
    for start_s, end_s in spans:
        # Rows ahead of the open one stand alone: the clock was set back.
        if start_s > expected_s and expected_s < profile.next_s:
            found.append(f"profile: rows are missing from {_name(expected_s)}")
        elif start_s < expected_s:
            found.append(f"profile: the row {_name(start_s)} exists twice")
        expected_s = max(expected_s, end_s)
    if expected_s < profile.next_s:
        found.append(f"profile: rows are missing from {_name(expected_s)}")
    return found


def _pulse_faults(pulses: PulseChannel, *, at_rest: bool) -> list[str]:
    name, rows = pulses.name, pulses.rows()
    total, booked = pulses.total, sum(pulses.registers.rates)
    in_rows = sum(row.pulses for row in rows)
    found = []
    if pulses.saved_total > total or (at_rest and pulses.saved_total != total):
        found.append(
            f"{name}: the register is {pulses.saved_total} pulses, and the journal gives {total}"
        )
    if booked != pulses.aged + in_rows:
        found.append(
            f"{name}: the rates are {booked} pulses, and the final half-hours are {in_rows} pulses"
            f" with {pulses.aged} pulses aged"
        )
    if pulses.unrated < 0:
        found.append(f"{name}: the rates are {booked} pulses, and the register is only {total}")
    return found if pulses.source is None else found + _journal_faults(pulses, rows)


def _journal_faults(pulses: PulseChannel, rows: list[PulseRow]) -> list[str]:
    """Everything that is derived must be what the journal gives when it is folded again."""
    name, journalled = pulses.name, pulses.journalled()
    found = [
        f"{name}: the collector keeps {_name(start_s)} as {_fold_text(here)},"
        f" and the journal gives {_fold_text(there)}"
        for start_s, here, there in _differences(pulses.collected(), journalled)
    ]
    twin = pulses.rebooked(journalled)
    found += [
        f"{name}: the half-hour {_name(start_s)} is {_row_text(here)},"
        f" and the journal gives {_row_text(there)}"
        for start_s, here, there in _differences(rows, twin.rows())
    ]
    both = zip_longest(pulses.registers.rates, twin.registers.rates, fillvalue=0)
    for rate, (here, there) in enumerate(both, 1):
        if here != there:
            found.append(f"{name}: rate {rate} is {here} pulses, and the journal gives {there}")
    if pulses.aged != twin.aged:
        found.append(f"{name}: {pulses.aged} pulses have aged, and the journal gives {twin.aged}")
    return found


def _data_faults(books: Books) -> list[str]:
    data = books.data_channels
    found = []
    for name, totals in data.totals.items():
        in_rows = data.sum(name)
        if totals.total != totals.aged + in_rows:
            found.append(
                f"{name}: the register is {totals.total}, and its rows are {in_rows}"
                f" with {totals.aged} aged"
            )
    return found


def _snapshot_faults(books: Books) -> list[str]:
    found = []
    for kind in ("billing", "daily"):
        for snapshot in books.snapshots(kind):
            for channel, (total, *rates) in snapshot.energy.items():
                known, unit = channel in books.energy_channels, energy_unit(channel)
                if total != sum(rates) or not known or total > books.total(channel):
                    found.append(
                        f"{channel}: the {kind} snapshot {_name(snapshot.at_s)} is {total} {unit}"
                        f" with rates of {sum(rates)} {unit}"
                    )
    return found


def _differences(
    here: Iterable[_Timed], there: Iterable[_Timed]
) -> Iterator[tuple[int, _Timed | None, _Timed | None]]:
    kept = {each.start_s: each for each in here}
    given = {each.start_s: each for each in there}
    for start_s in sorted(kept.keys() | given.keys()):
        if kept.get(start_s) != given.get(start_s):
            yield start_s, kept.get(start_s), given.get(start_s)


def _fold_text(half_hour: HalfHourOfPulses | None) -> str:
    if half_hour is None:
        return "missing"
    return f"{half_hour.pulses} pulses with status {int(half_hour.status)}"


def _row_text(row: PulseRow | None) -> str:
    if row is None:
        return "missing"
    return f"{row.pulses} pulses at rate {row.rate} with status {row.status}"


def _name(start_s: int) -> str:
    try:
        return f"{from_unix_s(start_s):%Y-%m-%dT%H:%M:%SZ}"
    except TimegridError:
        return f"at {start_s} s"
