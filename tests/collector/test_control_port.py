from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.cli import main
from collector.errors import DirectoryInUseError, OrderError, UnitUnknownError
from collector.ports.line import ControlLine
from collector.storage.directory import DataDirectory
from tests.collector.bench import LABEL, MPRN
from tests.collector.frames import SERIAL
from tests.collector.house import House, LiveUnit, beside


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house without a pairing."""
    with DataDirectory.open(tmp_path / "home") as directory:
        yield House(directory)


def test_pairing_through_a_collector_that_runs(house: House) -> None:
    """The command reaches it by its socket; the unit is heard by the collector's own radio."""
    path = house.directory.path
    options = ["--mprn", MPRN, "--meter-serial", "G4", "--weight", "0.01 m3", "--dial", "12.345"]

    def install(live: LiveUnit) -> Any:
        live.bench.press()
        live.bench.turn(3)
        for n in range(40):  # a burn that goes on: the installer reads the dial in its midst
            live.bench.unit.pulse(live.bench.now_ms + 30_000 + n * 6_000)
        words = ["pair", "--data", str(path), "--label", "-", *options, "--yes", "--json"]
        paired = CliRunner().invoke(main, words, input=LABEL.qr_text)
        shown = CliRunner().invoke(main, ["units", "--data", str(path), "--json"])
        set_ = CliRunner().invoke(
            main, ["calorific", "set", "2026-01-01", "39", "--data", str(path)]
        )
        named = CliRunner().invoke(main, [*words, "--stick", "hex:/dev/null"], input=LABEL.qr_text)
        unpaired = CliRunner().invoke(main, ["unpair", SERIAL, "--data", str(path), "--json"])
        return paired, shown, set_, named, unpaired

    (paired, shown, set_, named, unpaired), live = beside(house, install)
    assert 0 == paired.exit_code, paired.output
    document = json.loads(paired.stdout)
    assert (SERIAL, "live", -60, True) == (
        document["unit"]["serial"],
        document["signal"]["bearer"],
        document["signal"]["rssi_dbm"],
        document["settings"]["configured"],
    )
    assert [SERIAL] == [row["serial"] for row in json.loads(shown.stdout)]
    assert 0 == set_.exit_code, set_.output
    assert "has its own bearers" in named.stderr
    assert 0 == unpaired.exit_code, unpaired.output
    assert live.is_closed
    assert not (path / "control.sock").exists()
    assert 2 == len(house.station.pairings.certificates())


def test_an_installer_who_goes_leaves_nothing(house: House) -> None:
    """A connection that ends gives its pairing up, and the next one begins anew."""
    path = house.directory.path

    def twice(_: LiveUnit) -> None:
        for _ in range(2):
            with ControlLine(path) as line:
                status = line.ask({"request": "pair.begin", "label": LABEL.qr_text})
                assert "signal" == status["state"]
                with pytest.raises(OrderError, match="no such order"):
                    line.ask({"request": "reboot"})
                with pytest.raises(UnitUnknownError):
                    line.ask({"request": "unpair", "serial": "00000005"})

    beside(house, twice)
    assert {} == house.station.open_segments()
    assert [] == house.running._desks  # nobody listens for a unit any more


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"request": 5}\n',
        b'{"request": "pair.begin", "label": ["a"]}\n',
        b'{"request": "pair.begin", "test_pulses": 1e9}\n',
        b'{"request": "pair.meter"}\n',
        b'{"request": "calorific.set", "from": "tomorrow"}\n',
        b'{"request": "unpair", "serial": "\\u0000"}\n',
        b'{"request": "unpair", "serial": "' + b"9" * 300 + b'"}\n',
        b"[" * 60_000 + b"\n",
        b"x" * 70_000 + b"\n",
        b"\xff\xfe\n",
    ],
    ids=lambda line: repr(line[:30]),
)
def test_what_is_no_order_is_refused(house: House, line: bytes) -> None:
    """One JSON refusal with a sentence, and the collector goes on."""

    def send(_: LiveUnit) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(20)
            raw.connect(str(house.directory.path / "control.sock"))
            raw.sendall(line)
            reply = json.loads(raw.makefile().readline())
        with ControlLine(house.directory.path) as again:
            assert again.ask({"request": "hello"})["collector"] is True
        return reply

    reply, _ = beside(house, send)
    assert reply["ok"] is False
    assert reply["error"]
    assert not reply["error"].endswith(".")


def test_a_meter_that_runs_there_takes_no_orders_for_units(house: House, tmp_path: Path) -> None:
    """One sentence, with and without a socket that knows no such order."""
    words = ["unpair", SERIAL, "--data", str(house.directory.path), "--yes"]
    house.pair()
    refused = CliRunner().invoke(main, words)
    assert 1 == refused.exit_code
    assert "takes no orders for units: stop it first" in refused.stderr
    with pytest.raises(DirectoryInUseError):
        DataDirectory.open(house.directory.path)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.makefile().readline()
        connection.sendall(b'{"ok": false, "error": "no such request", "kind": "ControlError"}\n')
        connection.close()

    async def both() -> Any:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(house.directory.path / "control.sock"))
            listener.listen(1)
            serving = asyncio.to_thread(serve, listener)
            asking = asyncio.to_thread(CliRunner().invoke, main, words)
            return (await asyncio.gather(serving, asking))[1]

    refused = asyncio.run(both())
    assert "takes no orders for units: stop it first" in refused.stderr
