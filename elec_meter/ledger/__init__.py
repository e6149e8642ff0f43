"""The ledger: totals, rates and half-hours of every channel, booked once."""

from .audit import imbalances
from .channels import PulseChannel, PulseSource
from .ledger import Ledger, ProfileRow
from .state import LedgerState, RowStatus

__all__ = [
    "Ledger",
    "LedgerState",
    "ProfileRow",
    "PulseChannel",
    "PulseSource",
    "RowStatus",
    "imbalances",
]
