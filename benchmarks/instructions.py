"""How many instructions a pair of samples takes, by whatever here counts them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.minutes import PAIRS_PER_MINUTE

ROOT = Path(__file__).parents[1]

_console = Console(stderr=True)


def instructions_per_pair() -> list[tuple[str, float]]:
    """By what they were counted, and how many one pair more takes; nothing where nothing counts."""
    for tool in (_count_by_perf, _count_by_callgrind):
        counted = tool()
        if counted is not None:
            return [counted]
    _console.print("no tool counts instructions here", style="dim")
    return []


def _count_by_perf() -> tuple[str, float] | None:
    if shutil.which("perf") is None:
        return None
    told = []
    for minutes in (10, 110):
        run = subprocess.run(
            ["perf", "stat", "-x,", "-e", "instructions:u", "--", *_minutes(minutes)],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        counter = (run.stderr.splitlines() or [""])[-1].split(",")[0]
        if run.returncode or not counter.isdigit():
            _console.print(f"perf counts no instructions here: {counter}", style="dim")
            return None
        told.append(int(counter))
    return "by perf", (told[1] - told[0]) / (100 * PAIRS_PER_MINUTE)


def _count_by_callgrind() -> tuple[str, float] | None:
    """Of code for a processor that valgrind knows: it runs none that is newer."""
    if shutil.which("valgrind") is None:
        return None
    processor = "haswell" if platform.machine() == "x86_64" else "generic"
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {
            "NUMBA_CPU_NAME": processor,
            "NUMBA_CPU_FEATURES": "",
            "NUMBA_CACHE_DIR": folder,
            "PYTHONHASHSEED": "0",
        }
        # Compiled outside of valgrind, in which that would take minutes.
        subprocess.run(_minutes(1), cwd=ROOT, check=True, env=env)
        told = []
        for minutes in (2, 42):
            tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counted"]
            run = subprocess.run(
                [*tool, *_minutes(minutes)],
                cwd=ROOT,
                check=False,
                env=env,
                capture_output=True,
                text=True,
            )
            found = re.search(r"Collected : (\d+)", run.stderr)
            if run.returncode or found is None:
                _console.print("callgrind counts no instructions here", style="dim")
                return None
            told.append(int(found[1]))
    return f"by callgrind for {processor}", (told[1] - told[0]) / (40 * PAIRS_PER_MINUTE)


def _minutes(minutes: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.minutes", str(minutes)]
