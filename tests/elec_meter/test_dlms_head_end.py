"""A running meter, with its ports, commanded and read by clients that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.dlms_data import IntegerData, UnsignedLongData

from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from elec_meter.contactor import ControlState
from elec_meter.demo.credentials import DLMS_KEYS, DLMS_PASSWORD, dlms_clients
from elec_meter.runtime import Runtime
from tests.elec_meter.cli.commands import shown
from tests.elec_meter.dlms.asking import MANAGEMENT, READER
from tests.elec_meter.dlms.test_clients import ask

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
ROWS = 5
BY_PASSWORD = {"client": READER, "authentication": "LOW", "password": DLMS_PASSWORD.decode()}
BY_KEY = {
    "client": MANAGEMENT,
    "authentication": "HIGH_GMAC",
    "keys": [each.hex() for each in DLMS_KEYS],
    "title": b"HES00002".hex(),
}
CONTACTOR = cosem.Obis(0, 0, 96, 3, 10)
SCRIPTS = cosem.Obis(0, 0, 10, 0, 106)
LOAD = {"profile": "1.0.99.1.0.255"}
Address = tuple[str, int]


def with_ports(storage: Storage, talk: Callable[[Meter, dict[str, Address]], Any]) -> Any:
    """What is said to a meter with a few half-hours of load, from a thread of its own."""
    meter = Meter(demo_config(), storage, NOON)
    for n in range(ROWS):
        begin, end = NOON + n * HALF_HOUR, NOON + (n + 1) * HALF_HOUR
        meter.receive_energy("import", (100 + n) * 3_600_000, begin, end, end)
    now = NOON + ROWS * HALF_HOUR + timedelta(seconds=5)

    async def run() -> Any:
        nowhere = ("127.0.0.1", 0)
        async with Runtime(
            meter, lambda: now, flag=nowhere, dlms=nowhere, dlms_clients=dlms_clients()
        ) as runtime:
            ports = {
                name: (host, int(port))
                for name, (host, _, port) in (
                    (name, where.rpartition(":")) for name, where in runtime.ports.items()
                )
            }
            return await asyncio.to_thread(talk, meter, ports)

    return asyncio.run(run())


def test_the_contactor_is_commanded_by_both(tmp_path: Path) -> None:
    """Opened and armed by its methods and by its scripts; each time the meter does it."""
    states: list[ControlState] = []

    def talk(meter: Meter, ports: dict[str, Address]) -> None:
        contactor = meter.switchgear.contactor

        def ordered(_: object) -> None:
            states.append(contactor.state)

        client = DlmsClient.with_tcp_transport(
            *ports["DLMS"],
            MANAGEMENT,
            1,
            authentication_method=enumerations.AuthenticationMechanism.HLS_GMAC,
            encryption_key=DLMS_KEYS.encryption,
            authentication_key=DLMS_KEYS.authentication,
            client_initial_invocation_counter=1,
        )
        interface = enumerations.CosemInterface
        nothing = IntegerData(0).to_bytes()
        with client.session():
            for number in (1, 2):
                method = cosem.CosemMethod(interface.DISCONNECT_CONTROL, CONTACTOR, number)
                ordered(client.action(method, nothing))
            for number in (1, 2):
                method = cosem.CosemMethod(interface.SCRIPT_TABLE, SCRIPTS, 1)
                ordered(client.action(method, UnsignedLongData(number).to_bytes()))
        for wish in (
            {"contactor": ["0.0.96.3.10.255", "open"]},
            {"contactor": ["0.0.96.3.10.255", "arm"]},
            {"script": ["0.0.10.0.106.255", 1]},
            {"script": ["0.0.10.0.106.255", 2]},
        ):
            counter = 1 + 20 * len(states)
            ordered(ask(ports["DLMS"], **BY_KEY, **wish, counter=counter))

    with Storage.open(tmp_path) as storage:
        with_ports(storage, talk)
    assert [ControlState.DISCONNECTED, ControlState.READY_FOR_RECONNECTION] * 4 == states


def test_rows_over_hdlc_after_mode_e_are_those_of_show_profile(tmp_path: Path) -> None:
    """A FLAG session goes over to HDLC, and tells what the command tells of the directory."""

    def talk(_: Meter, ports: dict[str, Address]) -> list[list[Any]]:
        said = ask(ports["FLAG"], **BY_PASSWORD, **LOAD, interface="HDLC", mode_e=1)
        rows: list[list[Any]] = said["rows"]
        return rows

    with Storage.open(tmp_path) as storage:
        rows = with_ports(storage, talk)
    ours = shown("profile", tmp_path, "--date", "2026-04-01")
    assert ROWS == len(rows)
    assert [
        [
            datetime.fromisoformat(each["end"]),
            each["status"],
            each["channels"]["import_wh"],
            each["channels"]["export_wh"],
        ]
        for each in ours
    ] == [[datetime.fromisoformat(row[0]), *row[1:4]] for row in rows]
