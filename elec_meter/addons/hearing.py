"""Listening for a while, at either end of a module's line."""

from __future__ import annotations

import asyncio


async def heard_within(
    reader: asyncio.StreamReader, limit: int, timeout_s: float | None
) -> bytes | None:
    """What comes, as soon as something does.

    A time-out of asyncio would win over bytes that came in the same turn of a loop that was held
    up; here the bytes do.

    Args:
        reader: of the line.
        limit: bytes at most.
        timeout_s: how long to listen; None until something comes.

    Returns:
        None when nothing came in time; empty when the other end has closed.
    """
    reading = asyncio.ensure_future(reader.read(limit))
    try:
        await asyncio.wait((reading,), timeout=timeout_s)
        return reading.result() if reading.done() else None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
