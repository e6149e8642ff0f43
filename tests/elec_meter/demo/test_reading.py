"""The running demo, read by a FLAG client that nobody here wrote and by `show`."""

from __future__ import annotations

import json
import signal
from decimal import Decimal
from pathlib import Path

from iec62056_21.client import Iec6205621Client
from iec62056_21.transports import TcpTransport

from shared.obis import Obis
from tests.elec_meter.cli.commands import elec_meter, refused, shown, succeeding
from tests.elec_meter.demo.running import demo


def read_out(address: tuple[str, int]) -> dict[str, Decimal]:
    """OBIS code to value in the base unit of every register that the client reads."""
    client = Iec6205621Client(TcpTransport(address, timeout=20), "")
    client.rest = lambda duration=None: None  # TCP needs no turn-round time
    client.connect()
    try:
        answer = client.standard_readout()
    finally:
        client.disconnect()
    scales = {"kWh": 1000, "m3": 1}
    return {
        str(Obis.parse(each.address)): Decimal(each.value) * scales[each.unit]
        for each in answer.data
        if each.unit in scales
    }


def test_the_client_reads_what_show_registers_shows(tmp_path: Path) -> None:
    """Between two equal answers of `show registers`, the FLAG readout gives the same registers."""
    words = ("--speed", 0, "--start", "2026-01-15T17:00:00Z", "--for", "2h")
    succeeding("demo", "--data", tmp_path, *words)
    with demo(tmp_path, "--speed", 1) as (process, address):
        for _ in range(20):
            before, told, after = registers(tmp_path), read_out(address), registers(tmp_path)
            assert all(told[code] >= before[code] for code in told)
            assert all(told[code] <= after[code] for code in told)
            if before == after:
                break
        assert {"1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2", "1-0:2.8.0", "0-1:24.2.1"} <= set(told)
        process.send_signal(signal.SIGTERM)
        summary = json.loads(process.communicate(timeout=30)[0])
    assert 0 == process.returncode
    assert registers(tmp_path)["1-0:1.8.0"] == summary["import_wh"]


def registers(data_dir: Path) -> dict[str, Decimal]:
    """`show registers`, by OBIS code."""
    return {row["obis"]: Decimal(str(row["value"])) for row in shown("registers", data_dir)}


def test_a_second_demo_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """The directory has one writer and the port one listener; each refusal is one sentence."""
    first, second = tmp_path / "first", tmp_path / "second"
    with demo(first, "--speed", 60) as (_, (host, port)):
        assert "in use" in refused("demo", "--data", first, "--speed", 0, "--for", "1h")
        taken = f"{host}:{port}"
        assert taken in refused(
            "demo", "--data", second, "--flag", taken, "--panel", "127.0.0.1:0", "--for", "1h"
        )
        assert 0 == elec_meter("show", "registers", "--data", first).returncode
