"""`elec-meter run`: a real process with its front end, optical port and radio stick."""

from __future__ import annotations

import os
import pty
import signal
import socket
import tty
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from iec62056_21.client import Iec6205621Client

from collector import Keystore, UnitRecord
from elec_meter import Meter, Storage
from elec_meter.access import GATE_KEY
from elec_meter.at_rest import gate_of
from elec_meter.config import GasUnitConfig, MeterConfig
from elec_meter.demo.run import publish_passwords
from elec_meter.errors import StorageLostError
from elec_meter.events import EventCode
from elec_meter.host.base import Edge
from elec_meter.host.edges import EDGES
from elec_meter.host.run import run_meter
from elec_meter.ledger import RowStatus
from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import HALF_HOUR_MS, from_unix_ms, unix_ms
from tests.collector.bench import LABEL, MPRN
from tests.collector.frames import KEY, SERIAL
from tests.elec_meter.cli.commands import refused, shown, succeeding
from tests.elec_meter.flag.test_programming_client import EightBitTransport
from tests.elec_meter.host.running import LiveFrontEnd, running, until, with_passwords
from tests.elec_meter.ports.cable import Cable

PAIRING = (
    *("--mprn", MPRN, "--meter-serial", "G4", "--weight", "0.01 m3", "--dial", "1"),
    *("--yes", "--json"),
)


def read_optically(cable: Cable) -> dict[str, Decimal]:
    """The numbers of a readout by a client that nobody here wrote."""
    client = Iec6205621Client(EightBitTransport(cable, timeout=20))
    client.rest = lambda duration=None: None
    client.connect()
    answer = client.standard_readout()
    client.disconnect()
    return {each.address: Decimal(each.value) for each in answer.data if each.unit}


def imported_wh(storage: Storage) -> int:
    """What is durable."""
    return storage.load().accounts["import"].total


def test_registers_are_read_while_samples_flow(tmp_path: Path) -> None:
    """What the optical port tells is durable, survives kill -9, and goes on after a restart."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    with_passwords(home)
    with LiveFrontEnd(tmp_path / "front_end"), Cable() as cable:
        file.write_text(
            "checkpoint_s = 1\n[flag]\nreadout = ['1-0:1.8.0']\n"
            "[host.mains]\nport = 'front_end'\n"
            f"[host.flag]\noptical = '{cable.ends[0]},8N1'\n"
        )
        with running(file, home) as meter:
            meter.told("runs in")
            until(lambda seen: imported_wh(seen) > 0, home)
            read = read_optically(cable)
            assert Decimal(0) < read["1.8.0"]
            sentence = refused("run", "--config", file, "--data", home)
            assert f"is in use by process {meter.process.pid}" in sentence
            meter.process.kill()
            meter.process.wait()
        with running(file, home) as meter:
            meter.told("runs in")
            assert read["1.8.0"] * 1000 <= imported(home)
            meter.stop()
    assert "balance" in succeeding("audit", "--data", home)
    codes = [row["code"] for row in shown("events", home)]
    assert 1 == codes.count(EventCode.FIRST_POWER_UP)
    assert 1 == codes.count(EventCode.POWER_UP)


def test_an_unplugged_front_end_is_told_and_taken_back(tmp_path: Path) -> None:
    """Meanwhile the meter serves and keeps its time, and the half-hour is not valid."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    file.write_text("checkpoint_s = 1\n[host.mains]\nport = 'front_end'\n")
    with LiveFrontEnd(tmp_path / "front_end") as front_end, running(file, home) as meter:
        meter.told("runs in")
        until(lambda seen: imported_wh(seen) > 0, home)
        front_end.unplug()
        assert "front_end" in meter.told("is lost")
        assert "time: 20" in succeeding("control", "status", "--data", home)
        label = tmp_path / "unit.label"
        label.write_text(LABEL.qr_text)
        words = ["--label", label, *PAIRING, "--data", home]
        assert "no receiver" in refused("control", "pair", *words)
        before = imported(home)
        front_end.plug_in()
        meter.told("works again")
        until(lambda seen: imported_wh(seen) > before, home)
        meter.stop()
    codes = [row["code"] for row in shown("events", home)]
    assert EventCode.MEASUREMENT_LOST in codes
    assert EventCode.MEASUREMENT_RESUMED in codes
    with Storage.open(home, read_only=True) as seen:
        statuses = [row.status for row in seen.load().rows]
    assert RowStatus.DATA_NOT_VALID & statuses[0]


def imported(home: Path) -> int:
    """What is durable there."""
    with Storage.open(home, read_only=True) as seen:
        return imported_wh(seen)


def test_what_a_stick_hears_is_in_the_profile(tmp_path: Path) -> None:
    """A unit counted while the meter was off: its next telegram fills the gas rows of that time."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    # Amid a half-hour, whatever the time is: at its end nobody knows yet whose the pulses are.
    turned_ms = (
        unix_ms(datetime.now(UTC)) - 4 * HALF_HOUR_MS
    ) // HALF_HOUR_MS * HALF_HOUR_MS + 600_000
    begin_ms = turned_ms - 2 * HALF_HOUR_MS
    unit = VirtualUnit(SERIAL, KEY, UnitConfig(), boot_utc_ms=begin_ms)
    config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),))
    begin = from_unix_ms(begin_ms)
    with Storage.open(home) as storage:
        record = UnitRecord(serial=SERIAL, channel="gas", paired_utc=begin, base_count=unit.count)
        Meter(config, storage, begin, keystore=Keystore.open(home)).pair(record, KEY, begin)
    unit.advance(turned_ms)
    for n in range(7):
        unit.pulse(turned_ms + n * 6_000)

    ours, theirs = pty.openpty()
    tty.setraw(ours)
    file.write_text(
        f"[[gas_units]]\nserial = '{SERIAL}'\n[host.mains]\nsynthetic_w = 500\n"
        f"[host.collector]\nsticks = ['hex:{os.ttyname(theirs)}']\n"
    )
    with running(file, home) as meter:
        meter.told("stick 1 works")
        heard_ms = unix_ms(datetime.now(UTC))
        unit.press(INPUT_BUTTON, heard_ms)
        unit.press(0, heard_ms)
        (*_, (_, frame)) = unit.advance(heard_ms + 1_000)
        os.write(ours, frame.hex().encode() + b"\n")
        meter.told(f"{SERIAL} count 7")
        os.close(ours)
        os.close(theirs)
        meter.told("stick 1 has lost")
        meter.stop()
    rows = shown("profile", home)
    assert 7 == sum(row["channels"]["gas_pulses"] or 0 for row in rows)
    turned = from_unix_ms(turned_ms)
    (row,) = [row for row in rows if row["start"] <= turned.isoformat() < row["end"]]
    assert RowStatus.POWER_DOWN & row["status"]
    codes = [row["code"] for row in shown("events", home)]
    assert {EventCode.BEARER_WORKS, EventCode.BEARER_LOST} <= set(codes)
    assert "balance" in succeeding("audit", "--data", home)


SYNTHETIC = "[host.mains]\nsynthetic_w = 1\n"
LISTENING = f"{SYNTHETIC}[host.flag]\nlisten = '127.0.0.1:0'\n"
NO_PASSWORD = "levels 1, 2 and 3 have no password: `elec-meter control password 1 --data"


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("", "has no table [host]"),
        ("[host]\ndata = 'home'\n", "host: there must be a key 'mains'"),
        ("[host.mains]\nsynthetic_w = 1\nprot = 'x'\n", "there is no key 'prot'; is it 'port'?"),
        ("[host.mains]\nbaud = 115200\n", "exactly one of 'port', 'recording' and 'synthetic_w'"),
        ("[host.mains]\nrecording = 'no.wav'\n", "no.wav"),
        (LISTENING, NO_PASSWORD),
        (
            f"{SYNTHETIC}[host.flag]\nlisten = '127.0.0.1:99999'\n",
            "host.flag: '127.0.0.1:99999' asks for port 99999; ports end at 65535",
        ),
        (
            f"{SYNTHETIC}[host.terminals]\nchip = 'no-chip'\nbutton = 1\n",
            "no-chip",
        ),
        (
            f"{LISTENING}certificate = 'meter.toml'\nkey = 'meter.toml'\n",
            "meter.toml holds no certificate in PEM",
        ),
        (f"{LISTENING}certificate = 'no.pem'\nkey = 'no.key'\n", "no.pem cannot be read"),
        (f"{SYNTHETIC}[host.collector]\nsticks = ['x:y']\n", "KIND:PORT"),
        (f"{SYNTHETIC}[host.terminals]\nbutton = 1\n", "lines need a 'chip'"),
    ],
)
def test_what_cannot_run_is_one_sentence(host: str, reason: str, tmp_path: Path) -> None:
    """Before power comes to the meter: there is not even a directory."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    file.write_text(host)
    assert reason in refused("run", "--config", file, "--data", home)
    assert not home.exists()


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """Nothing has begun then, either."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    with_passwords(home)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        file.write_text(f"{SYNTHETIC}[host.flag]\nlisten = '{address}'\n")
        sentence = refused("run", "--config", file, "--data", home)
    assert f"{address} is in use by another program." == sentence
    with Storage.open(home, read_only=True) as seen:
        assert EventCode.FIRST_POWER_UP not in {each.code for each in seen.events()}


def test_a_meter_that_has_run_measures_without_its_ports(tmp_path: Path) -> None:
    """With passwords that everybody knows it says so, keeps the ports closed, and runs.

    What it says of a unit that nobody has paired is told then too.
    """
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    file.write_text(f"{LISTENING}[host.panel]\nlisten = '127.0.0.1:0'\n")
    now = datetime.now(UTC)
    with Storage.open(home) as storage:
        gate = gate_of(storage)
        publish_passwords(gate, now)
        storage.put_state(GATE_KEY, gate.packed())
        config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),))
        Meter(config, storage, now).checkpoint()
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        if "runs in" in sentence:
            os.kill(os.getpid(), signal.SIGTERM)

    run_meter(file, home, tell)
    closed = [sentence.partition(" is not opened")[0] for sentence in told[:2]]
    assert ["the FLAG port", "the panel port"] == closed
    assert "levels 1, 2 and 3 have the demo's password" in told[0]
    assert 1 == sum(f"the gas unit {SERIAL} is not paired yet" in each for each in told)
    assert not [sentence for sentence in told if "listens" in sentence]
    assert told[-1].endswith("has stopped, and all is durable")


@pytest.mark.parametrize("error", [KeyError("a slip"), StorageLostError("all is lost")])
def test_what_ails_one_edge_does_not_end_the_meter(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, with its kind; but where nothing is durable any more the meter ends."""
    steps: list[datetime] = []

    class Ailing(Edge):
        def step(self, now: datetime) -> None:
            steps.append(now)
            if len(steps) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
            raise error

    monkeypatch.setitem(EDGES, "mains", Ailing)
    (file := tmp_path / "meter.toml").write_text("[host.mains]\nsynthetic_w = 1\n")
    told: list[str] = []
    is_lost = isinstance(error, StorageLostError)
    with pytest.raises(StorageLostError) if is_lost else nullcontext():
        run_meter(file, tmp_path / "home", told.append)
    assert (1 if is_lost else 3) == len(steps)
    ailing = [sentence for sentence in told if "Ailing" in sentence]
    expected = "Ailing failed, and the meter measures on: KeyError('a slip')"
    assert ([] if is_lost else [expected]) == ailing
    assert is_lost or told[-1].endswith("has stopped, and all is durable")
