"""The proof of INV-1: nothing is lost, nothing is counted twice, nothing was edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Final, TypeVar

from shared.errors import TimegridError
from shared.timegrid import HALF_HOUR_S, from_unix_s
from shared.units import MJ_PER_WH

from .channels import HalfHourOfPulses, PulseChannel
from .ledger import Ledger
from .profile import EXPORT, IMPORT, Profile
from .state import PulseRow, RowStatus

_Timed = TypeVar("_Timed", HalfHourOfPulses, PulseRow)

_COLUMNS: Final = (("import", IMPORT), ("export", EXPORT))
_STATUS_BITS: Final = sum(int(bit) for bit in RowStatus)


def imbalances(ledger: Ledger, *, at_rest: bool = False) -> list[str]:
    """Plain sentences on everything that does not add up; empty when all does.

    register = rates + unrated = aged + rows + unallocated, exactly, for every channel; every
    half-hour exists once; pulse rows are what the journal gives when it is folded again.

    Args:
        ledger: the ledger.
        at_rest: it was loaded and nothing has happened since, so a pulse register must also be
            what was saved.
    """
    found = [*_row_faults(ledger)]
    for channel, column in _COLUMNS:
        found += _energy_faults(ledger, channel, column)
    for pulses in ledger.pulse_channels:
        found += _pulse_faults(pulses, at_rest=at_rest)
    return found


def _energy_faults(ledger: Ledger, channel: str, column: int) -> list[str]:
    total, rates = ledger.total(channel), ledger.rates(channel)
    aged, unallocated = ledger.aged(channel), ledger.unallocated(channel)
    in_rows = ledger.profile.sum_wh(column)
    found = []
    if total != sum(rates):
        found.append(f"{channel}: the register is {total} Wh, and its rates are {sum(rates)} Wh")
    if total != aged + in_rows + unallocated:
        found.append(
            f"{channel}: the register is {total} Wh, and its half-hours are {in_rows} Wh"
            f" with {aged} Wh aged and {unallocated} Wh unallocated"
        )
    for rate, quantity in enumerate(rates, 1):
        if quantity < 0:
            found.append(f"{channel}: rate {rate} is {quantity} Wh, below zero")
    if min(aged, unallocated) < 0:
        found.append(f"{channel}: {aged} Wh aged, {unallocated} Wh unallocated: one is below zero")
    residual_mj = ledger.residual_mj(channel)
    if not 0 <= residual_mj < MJ_PER_WH:
        found.append(f"{channel}: {residual_mj} mJ are carried, which is not less than one Wh")
    return found


def _row_faults(ledger: Ledger) -> list[str]:
    if ledger.closed_s is None:
        return []
    profile, found = ledger.profile, []
    if ledger.begun_s is None:
        found.append("profile: the instant of the first power-up is missing")
    for row in profile.measured():
        if row.start_s % HALF_HOUR_S:
            found.append(f"profile: the row {_name(row.start_s)} does not start a half-hour")
        if min(row.import_wh, row.export_wh) < 0:
            found.append(f"profile: the row {_name(row.start_s)} is below zero")
        if row.status & ~_STATUS_BITS:
            found.append(
                f"profile: the row {_name(row.start_s)} has the unknown status {row.status}"
            )
    return found + _coverage_faults(profile, ledger.closed_s)


def _coverage_faults(profile: Profile, closed_s: int) -> list[str]:
    """Rows and runs must follow each other without a hole, through the half-hour that is open."""
    spans = [(row.start_s, row.start_s + HALF_HOUR_S) for row in profile.measured()]
    spans += [(run.start_s, run.end_s) for run in profile.runs]
    spans.sort()
    found, expected_s = [], profile.first_s
    for start_s, end_s in spans:
        if start_s > expected_s:
            found.append(f"profile: half-hours are missing from {_name(expected_s)}")
        elif start_s < expected_s:
            found.append(f"profile: the half-hour {_name(start_s)} exists twice")
        expected_s = max(expected_s, end_s)
    if expected_s < closed_s + HALF_HOUR_S:
        found.append(f"profile: half-hours are missing from {_name(expected_s)}")
    return found


def _pulse_faults(pulses: PulseChannel, *, at_rest: bool) -> list[str]:
    name, rows = pulses.name, pulses.rows()
    total, booked = pulses.total, sum(pulses.rates)
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
        for start_s, here, there in _differences(rows, twin.rows)
    ]
    for rate, (here, there) in enumerate(zip_longest(pulses.rates, twin.rates, fillvalue=0), 1):
        if here != there:
            found.append(f"{name}: rate {rate} is {here} pulses, and the journal gives {there}")
    if pulses.aged != twin.aged:
        found.append(f"{name}: {pulses.aged} pulses have aged, and the journal gives {twin.aged}")
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
