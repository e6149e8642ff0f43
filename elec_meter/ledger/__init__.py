"""The ledger: totals, rates, rows, demand and snapshots of every channel, booked once."""

from .audit import imbalances
from .bills import Bill, EnergyBill, bills, running_bill
from .books import Books
from .channels import PulseChannel
from .data import DataSource, Reading
from .ledger import Flow, Ledger
from .rows import ProfileRow, energy_key, pulse_key
from .snapshots import DEPTHS, Kind, order_taken
from .state import CostMark, DemandState, LedgerState, Peak, RowStatus, Snapshot, Spell
from .succession import PulseSource

__all__ = [
    "DEPTHS",
    "Bill",
    "Books",
    "CostMark",
    "DataSource",
    "DemandState",
    "EnergyBill",
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
    "bills",
    "energy_key",
    "imbalances",
    "order_taken",
    "pulse_key",
    "running_bill",
]
