"""A demo that runs beside a test, with its FLAG port open."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.elec_meter.cli.commands import REPOSITORY

LISTENING = re.compile(r"FLAG listens on (.+):(\d+)")


@contextmanager
def demo(data_dir: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """The process and its FLAG address; what is still running at the end is killed."""
    command = [sys.executable, "-m", "elec_meter", "demo", "--data", data_dir]
    command += ["--flag", "127.0.0.1:0", "--dlms", "127.0.0.1:0"]
    command += ["--panel", "127.0.0.1:0", "--json", *words]
    with subprocess.Popen(
        list(map(str, command)),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            told = iter(process.stderr.readline, "")
            listening = next(filter(None, (LISTENING.search(line) for line in told)))
            yield process, (listening[1], int(listening[2]))
        finally:
            process.kill()
