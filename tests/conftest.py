"""What holds for every test."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

from hypothesis import settings

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 1 << 30
_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000

# How long an example takes says more about the computer than about the code.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Write to memory where Linux offers it: no test pulls a plug, so no sync need reach a disk."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, not again and again among all that is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)
