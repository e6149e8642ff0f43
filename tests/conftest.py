"""What holds for every test."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 1 << 30
_LONGEST = ("test_machine.py", "test_days.py", "test_lives.py", "test_crash.py")
"""Modules that hold a process up for many seconds."""

# How long an example takes says more about the computer than about the code.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep the tests of a module together, with what they share, and let who is done first help."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: at the end, other processes would wait for them."""
    items.sort(key=lambda each: each.path.name not in _LONGEST)


def pytest_configure() -> None:
    """Write to memory where Linux offers it: no test pulls a plug, so no sync need reach a disk."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, not again and again among all that is loaded."""
    gc.collect()
    gc.freeze()
