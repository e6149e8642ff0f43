"""A running meter, read and programmed by `iec62056-21` over TCP and over a serial cable."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import serial
from iec62056_21 import messages
from iec62056_21.client import Iec6205621Client
from iec62056_21.transports import SerialTransport, TcpTransport
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.access import Level, proof, stored_key
from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    MeterConfig,
    demo_config,
    encode_change,
)
from elec_meter.events import EventCode
from elec_meter.flag import unpack_rows
from elec_meter.flag.framing import with_even_parity, without_parity
from elec_meter.ports import SerialDevice
from elec_meter.runtime import Runtime
from tests.elec_meter.flag.programmer import PASSWORDS, SALT, known_key
from tests.elec_meter.ports.cable import Cable

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
DEMO = demo_config()
_END = 1
"""The end of the cable at which the client is."""

LOCAL = replace(DEMO, tariff=replace(DEMO.tariff, import_=ECONOMY_7_LOCAL))


class EightBitTransport(SerialTransport):
    """Parity in software, for a line that has none, and one port kept open at the baud switch.

    As shipped the client opens the port a second time, half a second later, and loses what came.

    Args:
        cable: at whose second end the client is.
    """

    def __init__(self, cable: Cable, timeout: float) -> None:
        super().__init__(cable.ends[_END], timeout=timeout)
        self._cable = cable
        self._sent = 0

    def connect(self) -> None:
        """At 300 bit/s."""
        self._sent = self._cable.carried(_END)
        self.port = serial.Serial(self.port_name, 300, timeout=self.timeout)

    def switch_baudrate(self, baud: int) -> None:
        """Of the same port, once everything has left it."""
        self._cable.wait_carried(_END, self._sent)
        self.port.baudrate = baud

    def disconnect(self) -> None:
        """Once the last bytes have left the cable."""
        self._cable.wait_carried(_END, self._sent)
        super().disconnect()

    def _send(self, data: bytes) -> None:
        self.port.write(with_even_parity(data))
        self.port.flush()
        self._sent += len(data)

    def _recv(self, chars: int = 1) -> bytes:
        return without_parity(self.port.read(chars))


class Client(Iec6205621Client):
    """Signs on with a proof: as shipped it cannot send any password, nor one of type 2.

    A read of a compact value is of type 5, which it does not have either.
    """

    def sign_on(self, level: Level, password: str) -> None:
        """Programming mode, at a level."""
        self.rest = lambda duration=None: None
        challenge = self.access_programming_mode()
        seed, salt, cost = challenge.data_set.value.split(",")
        assert ("14", SALT.hex().upper()) == (cost, salt)
        client = known_key(password, level, bytes.fromhex(salt))
        sent = proof(client, "00000001", level, bytes.fromhex(seed)).hex().upper()
        self._command("P", 2, "", f"{int(level)},{sent}")
        assert "\x06" == self._recv_ack()

    def write_compact(self, identifier: str, octets: bytes) -> None:
        """W5 with base64url."""
        self._command("W", 5, identifier, base64.urlsafe_b64encode(octets).rstrip(b"=").decode())
        assert "\x06" == self._recv_ack()

    def read_text(self, command_type: int, identifier: str, value: str = "") -> str:
        """The text of an answer, in as many blocks as it comes."""
        self._command("R", command_type, identifier, value)
        return self.transport.read()[1:-2].decode()

    def _command(self, letter: str, command_type: int, identifier: str, value: str) -> None:
        data = messages.DataSet(address=identifier, value=value)
        self.transport.send(messages.CommandMessage(letter, command_type, data).to_bytes())


def running(
    directory: Path,
    talk: Callable[[Runtime], None],
    optical: SerialDevice | None = None,
) -> None:
    """Run the meter of a directory while a talk, in a thread of its own, lasts."""

    async def run(storage: Storage) -> None:
        meter = Meter(storage.load_config() or DEMO, storage, NOON)
        address = ("127.0.0.1", 0)
        async with Runtime(meter, lambda: NOON, flag=address, optical=optical) as runtime:
            for level, password in PASSWORDS.items():
                if level not in runtime.gate.levels:
                    key = stored_key(known_key(password, level))
                    runtime.gate.set_verifier(level, SALT, key, NOON)
            async with asyncio.timeout(60):
                await asyncio.to_thread(talk, runtime)

    with Storage.open(directory) as storage:
        asyncio.run(run(storage))


def over_tcp(runtime: Runtime) -> Client:
    """A client of the listener."""
    host, _, port = runtime.ports["FLAG"].rpartition(":")
    return Client(TcpTransport((host, int(port)), timeout=20))


def program(client: Client) -> None:
    """A new tariff at level 3, and what is read back."""
    client.connect()
    try:
        client.sign_on(Level.SUPPLIER, "supplier")
        assert "00000001" == client.read_single_value("0.0.0").value
        client.write_compact("C", encode_change(DEMO, LOCAL))
        assert '"time_base":"local"' in client.read_text(3, "0-0:128.50.8")
        client.write_single_value("0-0:1.0.0;M6", "-3")
        rows = "".join(
            re.findall(r"\(([^)]*)\)", client.read_text(6, "P", "2604010000;2604020000"))
        )
        assert [] == unpack_rows(base64.urlsafe_b64decode(rows + "=="))
        client.send_break()
    finally:
        client.disconnect()


def check(directory: Path, port: str) -> None:
    """What is in force after a restart, and who put it there."""
    with Storage.open(directory) as storage:
        meter = Meter(storage.load_config() or MeterConfig(), storage, NOON)
        assert LOCAL == meter.config
        texts = {event.code: event.text for event in storage.events()}
    author = f"level 3 at {port}"
    assert (
        f"configuration 2 was put in force by {author}: tariff"
        == texts[EventCode.CONFIGURATION_CHANGED]
    )
    assert texts[EventCode.CLOCK_ADJUSTED].endswith(f"by -3 s by {author}")


def test_a_tariff_programmed_over_tcp_survives_a_restart(tmp_path: Path) -> None:
    """On a meter that runs; the next run reads it out and knows it."""
    assert ECONOMY_7_UTC == DEMO.tariff.import_
    running(tmp_path, lambda runtime: program(over_tcp(runtime)))
    check(tmp_path, "FLAG TCP")

    def read_again(runtime: Runtime) -> None:
        client = over_tcp(runtime)
        client.connect()
        client.sign_on(Level.READER, "reader")
        assert '"time_base":"local"' in client.read_text(3, "0-0:128.50.8")
        client.disconnect()

    running(tmp_path, read_again)


def test_a_tariff_programmed_over_a_serial_line_survives_a_restart(tmp_path: Path) -> None:
    """Signed on at 300, programmed at 19200, and read out from 300 again afterwards."""

    def talk(runtime: Runtime) -> None:
        client = Client(EightBitTransport(cable, timeout=20))
        program(client)
        client.rest = lambda duration=None: None
        client.connect()
        cable.wait_speed(0, 300)
        assert "00000001" == client.standard_readout().data[1].value
        client.disconnect()

    with Cable() as cable:
        running(tmp_path, talk, SerialDevice(cable.ends[0], "8N1"))
    assert [300, 19_200, 300, 19_200] == cable.speeds
    assert 0 == cable.garbled
    check(tmp_path, "FLAG optical")


def test_a_wrong_password_locks_one_port_of_a_running_meter(tmp_path: Path) -> None:
    """Three over TCP: the supplier at the optical port is let in, and a restart changes nothing."""

    def refused(runtime: Runtime, password: str) -> str:
        client = over_tcp(runtime)
        client.connect()
        try:
            with pytest.raises(AssertionError):
                client.sign_on(Level.SUPPLIER, password)
            return str(client.transport.recv(6).decode())
        finally:
            client.disconnect()

    def talk(runtime: Runtime) -> None:
        assert ["(ER03)"] * 3 == [refused(runtime, "guess") for _ in range(3)]
        assert "(ER04)" == refused(runtime, "supplier")
        client = Client(EightBitTransport(cable, timeout=20))
        client.connect()
        client.sign_on(Level.SUPPLIER, "supplier")
        client.disconnect()

    with Cable() as cable:
        running(tmp_path, talk, SerialDevice(cable.ends[0], "8N1"))

    def again(runtime: Runtime) -> None:
        assert "(ER04)" == refused(runtime, "supplier")

    running(tmp_path, again)
