from __future__ import annotations

import pytest

from tests.contracts.purity import effects, is_edge
from tests.contracts.source import PACKAGES, Source, demand_none, listed, sources


def test_cores_touch_nothing() -> None:
    """No core of the packages does I/O, reads a clock or draws from shared chance."""
    demand_none(effects, sources(*PACKAGES))


@pytest.mark.parametrize(
    "text",
    [
        "import socket",
        "import asyncio",
        "from serial import Serial",
        "import time",
        "def late():\n    from time import monotonic",
        "import os.path",
        "from pathlib import Path",
        "import sqlite3",
        "import threading",
        "import logging",
        "import importlib",
        "import secrets",
        "open('x')",
        "print(1)",
        "from datetime import datetime, UTC\nnow = datetime.now(UTC)",
        "import datetime as dt\nnow = dt.datetime.utcnow()",
        "from datetime import date as day\nnow = day.today()",
        "from datetime import datetime\ndef f(clock=datetime.now): ...",
        "import random\nrandom.random()",
        "from random import choice\nchoice([1])",
        "import numpy as np\nnp.random.rand()",
        "import sys\nsys.stdin.read()",
        "def read(path):\n    return path.read_text()",
        "def read(connection):\n    return connection.execute('SELECT 1')",
    ],
)
def test_effects_in_a_core_are_caught(text: str) -> None:
    """Each way to touch the world is caught in a core, and let pass at an edge."""
    assert 1 == len(listed(effects(Source("collector/timeline.py", text))))
    assert [] == listed(effects(Source("collector/bearers/replay.py", text)))


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import UTC, datetime, time, timedelta\ndef f(now: datetime): return now",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlite3",
        "from random import Random\ndef f(seed): return Random(seed).random()",
        "import numpy as np\ndef f(seed): return np.random.default_rng(seed)",
        "class Door:\n    def open(self): ...\n    def close(self): self.open()",
        "import sys\nLIMIT = sys.maxsize",
    ],
)
def test_pure_code_passes(text: str) -> None:
    """Time as an argument, types of an edge and seeded generators are no effects."""
    assert [] == listed(effects(Source("elec_meter/meter.py", text)))


@pytest.mark.parametrize(
    ("path", "edge"),
    [
        ("elec_meter/ports/tcp.py", True),
        ("elec_meter/sampling/recorded.py", True),
        ("elec_meter/sampling/synthetic.py", False),
        ("collector/journal.py", True),
        ("collector/cli.py", True),
        ("elec_meter/cli_show.py", True),
        ("elec_meter/cli/show.py", True),
        ("elec_meter/client.py", False),
        ("collector/log_journal.py", False),
        ("elec_meter/clock.py", False),
        ("pulse_unit/hal/virtual.py", True),
        ("pulse_unit/main.py", False),
    ],
)
def test_edges_are_known_by_path(path: str, edge: bool) -> None:
    """The edges are the listed folders and files, and nothing that merely sounds alike."""
    assert edge == is_edge(Source(path, ""))
