"""What holds for every test."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

_ROOT = Path(__file__).parents[1]
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 1 << 30
_LONGEST = ("test_machine.py", "test_days.py", "test_lives.py", "test_crash.py")
"""Modules that hold a process up for many seconds."""

# Hundreds of processes read the same sources: what one has compiled, others need not, wherever an
# environment forbids it by default. So do those that pytest starts to share the work.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says more about the computer than about the code.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep the tests of a module together, with what they share, and let who is done first help."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each of the processes that share the work compile its own part of the tests first.

    All of them need all tests, and would compile them at the same time in the same order.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    given = [Path(argument.partition("::")[0]).absolute() for argument in session.config.args]
    modules = [path for each in given for path in sorted(each.rglob("test_*.py"))]
    share = modules[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]
    for path in share:
        # What is wrong with it is met again, and said, when it is collected.
        with warnings.catch_warnings(action="error"), suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(_ROOT).with_suffix("").parts))


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
