"""Where the blocks of an estate are worked on: in this process, or by Dask.

A task is a pure function of its block's number, and results come in the order of the numbers: what
an engine changes is the time that it takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from elec_meter.errors import EstateError
from shared.extras import installing

ENGINES: Final = ("local", "dask")

_Result = TypeVar("_Result")


def run_tasks(engine: str, task: Callable[[int], _Result], count: int) -> Iterator[_Result]:
    """The results of a task for 0 to `count` - 1, in order.

    Dask works where it is configured to: without anything in threads of this process, with a
    client on its cluster.

    Args:
        engine: one of `ENGINES`.
        task: what is done with a number.
        count: how many numbers.

    Raises:
        EstateError: Dask is asked for and not installed.
    """
    if engine == "local":
        yield from map(task, range(count))
        return
    dask = require_dask()
    at_once = 4 * (os.cpu_count() or 1)  # bounds what waits in memory, and feeds the progress bar
    for first in range(0, count, at_once):
        numbers = range(first, min(count, first + at_once))
        yield from dask.compute(*(dask.delayed(task, pure=False)(number) for number in numbers))


def require_dask() -> Any:
    """The library.

    Raises:
        EstateError: it is not installed.
    """
    try:
        import dask
    except ImportError:
        raise EstateError("this engine needs Dask: " + installing("estate")) from None
    return dask
