"""The ledger: totals, rates, rows, demand and snapshots of every channel, booked once."""

from .audit import imbalances
from .books import Books
from .channels import PulseChannel, PulseSource
from .data import DataSource, Reading
from .ledger import Flow, Ledger
from .rows import ProfileRow, energy_key, pulse_key
from .snapshots import DEPTHS, Kind
from .state import CostMark, DemandState, LedgerState, Peak, RowStatus, Snapshot, Spell

__all__ = [
    "DEPTHS",
    "Books",
    "CostMark",
    "DataSource",
    "DemandState",
    "Flow",
    "Kind",
    "Ledger",
    "LedgerState",
    "Peak",
    "ProfileRow",
    "PulseChannel",
    "PulseSource",
    "Reading",
    "RowStatus",
    "Snapshot",
    "Spell",
    "energy_key",
    "imbalances",
    "pulse_key",
]
