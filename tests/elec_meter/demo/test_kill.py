"""The demo killed at any instant: what was served never goes backwards, and the books balance."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.elec_meter.cli.commands import shown, succeeding
from tests.elec_meter.demo.running import demo

REGISTERS = ("1.8.0", "1.8.1", "1.8.2", "2.8.0", "24.2.1")


# An hour of meter time in a few seconds; the start is that of the first run only.
WORDS = ("--speed", 900, "--start", "2026-01-15T17:00:00Z")
AT_REST = datetime(2026, 1, 16, 3, tzinfo=UTC)
"""When no gas is burnt and all that was has been told."""


def served(address: tuple[str, int]) -> dict[str, Decimal]:
    """The registers of one FLAG data readout."""
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(b"/?!\r\n")
        _until(line, b"\r\n")
        line.sendall(b"\x06060\r\n")
        block = _until(line, b"\x03")
    values = dict(
        re.findall(r"^\x02?(?:\d-\d:)?([\d.]+)\((\d+\.?\d*)", block.decode(), re.MULTILINE)
    )
    return {code: Decimal(values[code]) for code in REGISTERS if code in values}


def _resumed(data: Path, length: timedelta) -> dict[str, Any]:
    """The summary of a demo that goes on for a while, as fast as it can."""
    words = ("--speed", 0, "--for", f"{length.total_seconds():.0f}s", "--data", data, "--json")
    summary: dict[str, Any] = json.loads(succeeding("demo", *words))
    return summary


def _until(line: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        received = line.recv(4096)
        assert received, data
        data += received
    return data


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_no_served_value_goes_backwards(seed: int, tmp_path: Path) -> None:
    """Whenever the demo is killed, all that a FLAG reader was told is still there afterwards."""
    chance = random.Random(seed)
    told: dict[str, Decimal] = {}
    for _ in range(3):
        with demo(tmp_path, *WORDS) as (process, address):
            until = time.monotonic() + chance.uniform(0.2, 2.0)
            while True:
                now = served(address)
                assert set(now) >= {"1.8.0", "2.8.0", "24.2.1"}
                assert all(now[code] >= value for code, value in told.items()), (told, now)
                told = now
                if time.monotonic() > until:
                    break
            process.kill()
            process.wait()
        assert "balance" in succeeding("audit", "--data", tmp_path)
        kept = {row["obis"]: Decimal(str(row["value"])) for row in shown("registers", tmp_path)}
        assert kept["1-0:1.8.0"] >= told["1.8.0"] * 1000
        assert kept["0-1:24.2.1"] >= told["24.2.1"]
    assert told["1.8.0"] > 0


def test_the_gas_meter_and_the_unit_agree_after_kills(tmp_path: Path) -> None:
    """A restarted demo counts every pulse that its gas meter has turned, once."""
    for _ in range(3):
        with demo(tmp_path, *WORDS) as (process, address):
            time.sleep(1.5)
            served(address)
            process.kill()
            process.wait()
    now = datetime.fromisoformat(_resumed(tmp_path, timedelta(seconds=1))["end"])
    gas = _resumed(tmp_path, AT_REST - now)["gas"]
    assert gas["turned"] == gas["counted"] == gas["register"] > 0
