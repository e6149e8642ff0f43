"""The running demo, reconfigured and ordered about by other processes, and killed."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from elec_meter import Storage
from elec_meter.config import (
    DisplayConfig,
    MeterConfig,
    PricesConfig,
    config_from_toml,
    config_to_toml,
    demo_config,
)
from elec_meter.control import ApplyConfig, TakePairingStep
from elec_meter.demo.prices import with_prices
from elec_meter.demo.spare import LABEL
from elec_meter.errors import MeterError
from elec_meter.events import EventCode
from elec_meter.ports import SOCKET_NAME, ask
from tests.elec_meter.cli.commands import REPOSITORY, refused, shown, succeeding
from tests.elec_meter.demo.running import demo
from tests.elec_meter.demo.test_kill import served

WORDS = ("--speed", 60, "--start", "2026-01-15T17:00:00Z")
DEMO = with_prices(demo_config())
FLAG = replace(DEMO, flag=replace(DEMO.flag, readout=("1-0:1.8.0", "0-1:24.2.1")))


def ordered(data_dir: Path, *words: object) -> dict[str, Any]:
    """The JSON of a command on the directory."""
    reply: dict[str, Any] = json.loads(succeeding(*words, "--data", data_dir, "--json"))
    return reply


def written(tmp_path: Path, name: str, config: MeterConfig) -> Path:
    """A document as a file."""
    path = tmp_path / name
    path.write_text(config_to_toml(config))
    return path


def test_all_that_was_ordered_survives_a_kill(tmp_path: Path) -> None:
    """Reconfigured, rolled back, set, adjusted, billed and reset; then killed, and all is there."""
    home, file = tmp_path / "home", written(tmp_path, "meter.toml", FLAG)
    with demo(home, *WORDS) as (process, address):
        assert "1.8.2" in served(address)
        applied = ordered(home, "config", "apply", file)
        assert {"number": 2, "changed": ["flag"], "from": "now"} == applied
        assert {"1.8.0", "24.2.1"} == set(served(address))
        assert 3 == ordered(home, "config", "rollback", 1)["number"]
        assert "1.8.2" in served(address)
        before = datetime.fromisoformat(ordered(home, "control", "status")["meter_utc"])
        to = before + timedelta(hours=3)
        clock = ordered(home, "control", "clock-set", f"{to:%Y-%m-%dT%H:%M:%SZ}")
        assert f"{to:%Y-%m-%dT%H:%M:%SZ}" == clock["meter_utc"]
        assert 60 == ordered(home, "control", "clock-adjust", 60)["outstanding_s"]
        assert ordered(home, "control", "reset-demand")["ended_w"].keys() == {"import", "export"}
        assert "cannot be reset again" in refused("control", "reset-demand", "--data", home)
        assert ordered(home, "control", "end-billing")["ended"]
        assert {"contactor": "disconnected"} == ordered(home, "control", "open")
        assert {"contactor": "ready_for_reconnection"} == ordered(home, "control", "arm")
        assert "terminal 1 is no relay" in refused("control", "boost", 1, "--data", home)
        begun = ask(home, TakePairingStep(step={"request": "pair.begin", "label": LABEL.qr_text}))
        assert begun is not None
        assert "signal" == begun["state"]
        prices = tmp_path / "prices.csv"
        prices.write_text("2026-01-16T00:00:00Z,12.5\n2026-01-16T00:30:00Z,-3\n")
        assert {"prices": 2} == ordered(home, "control", "prices", prices)
        told = served(address)
        process.kill()
        process.wait()
    assert "balance" in succeeding("audit", "--data", home)
    codes = {row["code"] for row in shown("events", home)}
    assert {
        EventCode.CONFIGURATION_CHANGED,
        EventCode.CLOCK_SET,
        EventCode.CLOCK_ADJUSTED,
        EventCode.DEMAND_RESET,
        EventCode.BILLING_ENDED,
        EventCode.PRICES_RECEIVED,
        EventCode.CONTACTOR_ARMED,
    } <= codes
    assert 0 < shown("clock", home)[0]["outstanding_s"] <= 60
    values = {row["obis"]: row["value"] for row in shown("objects", home)}
    assert (0, "control socket") == (values["0-0:96.3.10"], values["0-0:128.60.0"])
    assert (home / SOCKET_NAME).exists()
    with demo(home, *WORDS) as (process, address):
        assert all(served(address)[code] >= value for code, value in told.items())
        status = ordered(home, "control", "status")
        assert 3 == status["config_number"]
        assert datetime.fromisoformat(status["meter_utc"]) > to
        process.send_signal(signal.SIGTERM)
        summary = json.loads(process.communicate(timeout=60)[0])
    assert (0, True) == (process.returncode, summary["balanced"])
    assert not (home / SOCKET_NAME).exists()
    assert "balance" in succeeding("audit", "--data", home)


def test_what_was_written_while_it_was_off_is_in_force_when_it_runs(tmp_path: Path) -> None:
    """The demo starts with it, and ends the billing period for another tariff."""
    home = tmp_path / "home"
    succeeding("demo", "--data", home, "--speed", 0, *WORDS[2:], "--for", "1h", "--json")
    priced = replace(
        DEMO.tariff,
        export=replace(DEMO.tariff.export, prices=PricesConfig(rate_p_kwh=(Decimal(16),))),
    )
    file = written(tmp_path, "meter.toml", replace(FLAG, tariff=priced))
    assert "next start" == ordered(home, "config", "apply", file)["from"]
    with demo(home, *WORDS) as (process, address):
        assert {"1.8.0", "24.2.1"} == set(served(address))
        assert 2 == ordered(home, "control", "status")["config_number"]
        process.kill()
        process.wait()
    assert "balance" in succeeding("audit", "--data", home)


def test_strangers_do_not_disturb_it(tmp_path: Path) -> None:
    """A hundred connections of garbage and silence later the FLAG port and orders are answered."""
    rng = random.Random(1)
    home = tmp_path / "home"
    with demo(home, *WORDS) as (_, address), ExitStack() as held:
        path = str(home / SOCKET_NAME)
        for number in range(100):
            line = held.enter_context(socket.socket(socket.AF_UNIX))
            line.settimeout(20)
            line.connect(path)
            if number % 2:
                continue  # half-open: says nothing
            try:
                line.sendall(rng.randbytes(rng.randrange(1, 5_000)) + b"\n" * (number % 3))
            except OSError:
                continue  # it was dropped already
        assert served(address)
        held.close()
        assert ordered(home, "control", "status")["durable"]
    assert "balance" in succeeding("audit", "--data", home)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))]
)
def test_killed_while_it_is_reconfigured(seed: int, tmp_path: Path) -> None:
    """Each time the directory has one document whole: the last that was replied to, or the next."""
    rng = random.Random(seed)
    home, configs = tmp_path / "home", [DEMO, replace(DEMO, display=DisplayConfig()), FLAG]
    number = 0
    for _ in range(5):
        with demo(home, *WORDS) as (process, _):
            killer = threading.Timer(rng.uniform(0.0, 0.1), process.kill)
            replied = reconfigured(home, configs, killer, rng.randint(3, 6)) or number
            killer.join()
            process.wait()
        with Storage.open(home, read_only=True) as storage:
            found, number = storage.load_config(), storage.config_number
            assert number == storage.config_in_force
            assert found in configs, f"seed {seed}"
            assert replied <= number <= replied + 1, f"seed {seed}"
        assert "balance" in succeeding("audit", "--data", home)
    assert number > 5, f"seed {seed}"


def reconfigured(
    home: Path, configs: list[MeterConfig], killer: threading.Timer, turns: int
) -> int:
    """Apply one after the other until the meter is gone; the last number that it replied.

    The killer is let loose after so many of them, however fast they are.
    """
    replied = 0
    for turn in range(10_000):
        if turn == turns:
            killer.start()
        request = ApplyConfig(toml=config_to_toml(configs[turn % len(configs)]))
        try:
            reply = ask(home, request)
        except MeterError:
            break
        if reply is None:
            break
        replied = reply["number"]
    return replied


def test_killed_while_it_is_written_at_rest(tmp_path: Path) -> None:
    """A command that dies leaves the old document or the new one."""
    home = tmp_path / "home"
    succeeding("demo", "--data", home, "--speed", 0, *WORDS[2:], "--for", "1h", "--json")
    files = [written(tmp_path, f"{n}.toml", config) for n, config in enumerate([FLAG, DEMO])]
    for turn in range(3):
        words = ["config", "apply", str(files[turn % 2]), "--data", str(home)]
        command = [sys.executable, "-m", "elec_meter", *words]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
            time.sleep(0.25 + turn * 0.1)
            process.kill()
        stored = config_from_toml(succeeding("config", "show", "--data", home))
        assert stored in (DEMO, FLAG)
        assert "balance" in succeeding("audit", "--data", home)
