"""The edge of DLMS: `elec-meter run` as a head end meets it, in one process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.exceptions import DlmsClientException
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter import Storage
from elec_meter.access import Gate
from elec_meter.cli.dlms_credentials import give
from elec_meter.config import DlmsHost, FlagHost
from elec_meter.dlms import Keys
from elec_meter.dlms_service import credentials_of, give_at_rest
from elec_meter.errors import ConfigError
from elec_meter.events import EventCode
from elec_meter.host.dlms import DlmsEdge
from elec_meter.host.ports import CredentialsMissingError
from elec_meter.host.run import run_meter
from elec_meter.ports import CertificateError
from tests.elec_meter.host.test_edges import host

NOBODY = Gate(lambda: "00000001", lambda *_: None)
EK, AK, FRESH = "e1" * 16, "a1" * 16, "e2" * 16
KEYS = {"encryption": EK, "authentication": AK}
IMPORTED = cosem.CosemAttribute(enumerations.CosemInterface.REGISTER, cosem.Obis(1, 0, 1, 8, 0), 2)
FILE = "[host.mains]\nsynthetic_w = 1\n[host.dlms]\nlisten = '127.0.0.1:0'\n"


def given(data_dir: Path, **clients: dict[str, str]) -> None:
    """Credentials, before the first start."""
    with Storage.open(data_dir) as storage:
        for client, fields in clients.items():
            give_at_rest(storage, client, fields, author="a test", now=datetime.now(UTC))


def client(port: str, sap: int, **how: Any) -> DlmsClient:
    """A client that nobody here wrote."""
    where, _, number = port.rpartition(":")
    return DlmsClient.with_tcp_transport(where, int(number), sap, 1, **how)


def keyed(encryption: str) -> dict[str, Any]:
    """How the management associates."""
    return {
        "authentication_method": enumerations.AuthenticationMechanism.HLS_GMAC,
        "encryption_key": bytes.fromhex(encryption),
        "authentication_key": bytes.fromhex(AK),
        "client_initial_invocation_counter": 1,
    }


def read(reading: DlmsClient) -> object:
    """The register of import."""
    with reading.session():
        return parse_as_dlms_data(reading.get(IMPORTED))


def run_with(file: Path, home: Path, talk: Callable[[str], None]) -> list[str]:
    """Run a meter until `talk`, in a thread of its own and given the port, is over."""
    told: list[str] = []
    talks: list[Future[None]] = []

    def talking(port: str) -> None:
        try:
            talk(port)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with ThreadPoolExecutor(1) as thread:

        def tell(sentence: str) -> None:
            told.append(sentence)
            name, _, port = sentence.partition(" listens on ")
            if name == "DLMS":
                talks.append(thread.submit(talking, port))

        run_meter(file, home, tell)
    for each in talks:
        each.result()
    return told


def test_a_running_meter_is_read_with_the_keys_it_was_given(tmp_path: Path) -> None:
    """By password on this computer, by key everywhere, and by other keys once it has others."""
    file, home = tmp_path / "meter.toml", tmp_path / "home"
    file.write_text(FILE)
    given(home, management=KEYS, reader={"password": b"long enough".hex()})

    def talk(port: str) -> None:
        lls = {
            "authentication_method": enumerations.AuthenticationMechanism.LLS,
            "password": b"long enough",
        }
        assert isinstance(read(client(port, 32, **lls)), int)
        assert isinstance(read(client(port, 1, **keyed(EK))), int)
        give(home, "management", {"encryption": FRESH, "authentication": AK})
        assert isinstance(read(client(port, 1, **keyed(FRESH))), int)
        refused = client(port, 1, **keyed(EK))
        with pytest.raises(DlmsClientException, match="Unable to perform Association"):
            read(refused)
        refused.disconnect()

    told = run_with(file, home, talk)
    assert told[-1].endswith("has stopped, and all is durable")
    with Storage.open(home, read_only=True) as storage:
        events = [each for each in storage.events() if each.code == EventCode.KEYS_CHANGED]
    assert ["a test", "a test", "the control socket"] == [
        each.text.rpartition(" by ")[2] for each in events
    ]
    assert (
        Keys(bytes.fromhex(FRESH), bytes.fromhex(AK))
        == credentials_of(home).rule("management").keys
    )


def test_a_client_without_credentials_is_one_sentence(tmp_path: Path) -> None:
    """It says which command gives them; a client that is not named needs none."""
    edge = DlmsEdge(host(tmp_path, dlms=DlmsHost(listen="127.0.0.1:0")))
    expected = (
        "DLMS is not opened, because its client reader has neither keys nor a password:"
        f" `elec-meter control dlms-keys reader --data {tmp_path}` gives it keys"
    )
    with pytest.raises(CredentialsMissingError) as refusal:
        edge.require(NOBODY)
    assert expected == str(refusal.value)
    given(tmp_path, reader=KEYS)
    edge = DlmsEdge(host(tmp_path, dlms=DlmsHost(listen="127.0.0.1:0")))
    with pytest.raises(CredentialsMissingError, match="client management has no keys"):
        edge.require(NOBODY)
    table = DlmsHost(listen="127.0.0.1:4059", clients=("public", "reader"))
    edge = DlmsEdge(host(tmp_path, dlms=table))
    edge.require(NOBODY)
    arguments = edge.arguments()
    assert ("127.0.0.1", 4059) == arguments["dlms"]
    assert [16, 32] == [rule.sap for rule in arguments["dlms_clients"]]


def test_mode_e_alone_needs_a_flag_port(tmp_path: Path) -> None:
    """With one it is opened there, and nothing listens."""
    table = DlmsHost(clients=("public",))
    with pytest.raises(ConfigError, match="there is no FLAG port"):
        DlmsEdge(host(tmp_path, dlms=table))
    edge = DlmsEdge(host(tmp_path, dlms=table, flag=FlagHost(listen="127.0.0.1:0")))
    assert ["dlms_clients"] == list(edge.arguments())


def test_a_wrong_certificate_is_refused_before_the_start(tmp_path: Path) -> None:
    """As for every other port."""
    table = DlmsHost(listen="127.0.0.1:0", certificate="no.pem", key="no.key")
    with pytest.raises(CertificateError, match=r"no\.pem cannot be read"):
        DlmsEdge(host(tmp_path, dlms=table))
