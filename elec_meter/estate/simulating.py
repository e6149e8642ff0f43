"""Simulates an estate into a directory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from elec_meter.estate.engines import run_tasks
from elec_meter.estate.households import Plan, simulate_block
from elec_meter.estate.store import EstateStore


def block_count(plan: Plan) -> int:
    """How many blocks a plan has."""
    return -(-plan.meters // plan.block_meters)


def simulate(plan: Plan, store: EstateStore, engine: str = "local") -> Iterator[int]:
    """Write every block, then say that they are whole; gives the meters of each as it is done.

    Args:
        plan: the estate.
        store: where to.
        engine: what works on the blocks.

    Raises:
        EstateError: the directory holds something else, or the engine is not installed.
    """
    store.begin()
    yield from run_tasks(engine, partial(_one, plan, store), block_count(plan))
    store.finish(plan, block_count(plan))


def _one(plan: Plan, store: EstateStore, number: int) -> int:
    block = simulate_block(plan, number)
    store.write_block(number, block)
    return len(block.import_wh)
