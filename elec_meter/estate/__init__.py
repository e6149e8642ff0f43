"""Many meters at once: simulated by half-hours, block by block, and added up exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.estate.engines import ENGINES, run_tasks
    from elec_meter.estate.households import Block, Plan, simulate_block
    from elec_meter.estate.simulating import block_count, simulate
    from elec_meter.estate.store import EstateStore
    from elec_meter.estate.summing import Summary, aggregate

__all__ = [
    "ENGINES",
    "Block",
    "EstateStore",
    "Plan",
    "Summary",
    "aggregate",
    "block_count",
    "run_tasks",
    "simulate",
    "simulate_block",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "summing": "Summary aggregate",
        "engines": "ENGINES run_tasks",
        "households": "Block Plan simulate_block",
        "simulating": "block_count simulate",
        "store": "EstateStore",
    },
)
