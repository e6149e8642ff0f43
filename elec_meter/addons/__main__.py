"""A module's process: `python -m elec_meter.addons NAME FD`, with its settings on standard input.

The process is the wall between a module and the meter: it inherits one end of a FLAG line, and
beside it no open file and no memory of the meter, and of its environment what finds programs,
packages, languages, time zones and certificates.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
from typing import Final

import msgspec

from elec_meter.addons.line import MeterLine
from elec_meter.addons.modules import load_module
from elec_meter.addons.settings import Settings
from elec_meter.errors import MeterError

MEMORY_LIMIT_BYTES: Final = 256 * 2**20
_NICE: Final = 10
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> int:
    """Run a module until it ends; a failure is one sentence on standard error."""
    name, number = sys.argv[1], int(sys.argv[2])
    _confine()
    values = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    try:
        asyncio.run(_run(name, number, Settings(values)))
    except MeterError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the meter reads it
        return 1
    print("the module has nothing more to do", file=sys.stderr)  # noqa: T201 - the meter reads it
    return 0


async def _run(name: str, number: int, settings: Settings) -> None:
    module = load_module(name)
    line = socket.socket(fileno=number)
    reader, writer = await asyncio.open_connection(sock=line)
    await module(MeterLine(reader, writer), settings)


def _confine() -> None:
    """Measuring goes first, memory has an end, and nothing outlives the meter."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
