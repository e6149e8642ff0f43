from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from collector import MbusMaster
from collector.cli import main
from collector.cli_scan import _note
from tests.collector.bus import Bus, BusServer, Slave
from tests.collector.devices import SOON
from tests.collector.frames import received

SERIAL = "12345678"


def test_scan_lists_who_advertises() -> None:
    """An advert names no unit: each sender is told by its address, with how it is protected."""
    listed: dict[Any, dict[str, Any]] = {}
    sealed = bytes.fromhex("45B647742939D404BF8E24B40001000046E904C2")
    for data, last in ((sealed, 1), (sealed, 2), (b"\x40\x01\x50", 2), (b"", 2), (b"\x25", 2)):
        address = bytes.fromhex("C0FFEE12345" + str(min(len(data), 9)))
        _note(listed, replace(received(data, last, 60), rssi_dbm=-60 - last, address=address))
    first, second = listed.values()
    assert ("C0:FF:EE:12:34:59", "ccm", 2, -62) == tuple(
        first[name] for name in ("address", "security", "telegrams", "rssi_dbm")
    )
    assert ("C0:FF:EE:12:34:53", "none", None) == tuple(
        second[name] for name in ("address", "security", "serial")
    )


def test_nobody_pressed_a_button_of_a_meter_on_a_wire() -> None:
    """A recorded frame of one of another maker, in plain text."""
    frame = "6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916"
    listed: dict[Any, dict[str, Any]] = {}
    _note(listed, received(bytes.fromhex(frame), 1, 60))
    (row,) = listed.values()
    assert (SERIAL, False) == (row["serial"], row["installing"])


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[BusServer]:
    """A fast bus on which the last digit tells two meters apart."""
    monkeypatch.setattr("collector.mbus_scripts._DIGITS", 1)
    defaults = MbusMaster.__init__.__kwdefaults__
    for name, value in (("baud", 9_600), ("latency_ms", 30), ("back_off", SOON)):
        monkeypatch.setitem(defaults, name, value)
    server = BusServer(Bus([Slave(5, SERIAL), Slave(5, "12345679")]))
    yield server
    server.switch_off()


def scanned(wire: BusServer, *words: str) -> Result:
    """What is printed where nothing else is listened to: the bus is searched for no longer."""
    result = CliRunner().invoke(main, ["scan", "--wire", wire.url, "--for", "1d", *words])
    assert 0 == result.exit_code
    return result


def test_a_wired_bus_is_searched(wire: BusServer) -> None:
    """Whoever is on it is listed once, with the address to read it by."""
    listed = json.loads(scanned(wire, "--json").stdout)
    assert [SERIAL, "12345679"] == [row["serial"] for row in listed]
    assert [f"{row['serial']} " for row in listed] == [row["address"][:9] for row in listed]
    told = ("manufacturer", "medium", "security", "telegrams", "rssi_dbm", "bearer")
    assert {("HHY", "gas", 0, 1, None, "wire 1")} == {
        tuple(row[name] for name in told) for row in listed
    }


def test_meters_that_cannot_be_told_apart_are_told(wire: BusServer) -> None:
    """There is no line of either."""
    wire.bus.slaves = [Slave(5, SERIAL), Slave(6, SERIAL, manufacturer="ABC")]
    result = scanned(wire, "--json")
    assert [] == json.loads(result.stdout)
    assert "several meters answer as FFFFFFF8" in result.stderr


def test_a_bus_that_is_not_there_is_not_waited_for(wire: BusServer) -> None:
    """It is said why nothing can be found."""
    wire.switch_off()
    result = scanned(wire)
    assert "wire 1" in result.stderr
