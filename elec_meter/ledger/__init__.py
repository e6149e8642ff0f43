"""The ledger: totals, rates, rows, demand and snapshots of every channel, booked once."""

from .audit import imbalances
from .books import Books
from .channels import PulseChannel, PulseSource
from .data import DataSource, Reading
from .ledger import Flow, Ledger
from .rows import ProfileRow, energy_key, pulse_key
from .state import DemandState, LedgerState, Peak, RowStatus, Snapshot

__all__ = [
    "Books",
    "DataSource",
    "DemandState",
    "Flow",
    "Ledger",
    "LedgerState",
    "Peak",
    "ProfileRow",
    "PulseChannel",
    "PulseSource",
    "Reading",
    "RowStatus",
    "Snapshot",
    "energy_key",
    "imbalances",
    "pulse_key",
]
