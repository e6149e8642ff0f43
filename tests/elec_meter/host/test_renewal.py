"""A certificate that is renewed while the meter runs is taken by the ports that are open."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from elec_meter.config.host import DlmsHost, FlagHost, PanelHost
from elec_meter.host.edges import edges_of
from elec_meter.host.ports import PortEdge
from tests.certificates import self_signed
from tests.elec_meter.host.test_edges import BEGIN, host

MINUTE = timedelta(minutes=1)
FILES = {"listen": "127.0.0.1:0", "certificate": "port.crt", "key": "port.key"}
PORTS = [
    ("flag", FlagHost(**FILES), "tls"),
    ("dlms", DlmsHost(**FILES, clients=("public",)), "dlms_tls"),
    ("panel", PanelHost(**FILES), "panel"),
]


def shown_by(context: ssl.SSLContext) -> bytes:
    """The certificate that a new connection is shown."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(back, there)
    server = context.wrap_bio(there, back, server_side=True)
    for side in (caller, server, caller):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = caller.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def der(certificate: Path) -> bytes:
    """It, as connections are shown it."""
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


@pytest.mark.parametrize(("name", "table", "argument"), PORTS, ids=[each[0] for each in PORTS])
def test_a_renewed_certificate_is_taken_within_a_minute(
    name: str, table: FlagHost | DlmsHost | PanelHost, argument: str, tmp_path: Path
) -> None:
    """It is told, and so is what is wrong with one; connections go on as before meanwhile."""
    told: list[str] = []
    first, second = self_signed(tmp_path, "first"), self_signed(tmp_path, "second")
    crt, key = tmp_path / "port.crt", tmp_path / "port.key"
    crt.write_bytes(first.certificate.read_bytes())
    key.write_bytes(first.key.read_bytes())
    edge, *_ = edges_of(replace(host(tmp_path, **{name: table}), tell=told.append))
    assert isinstance(edge, PortEdge)
    found = edge.arguments()[argument]
    context = found if isinstance(found, ssl.SSLContext) else found.tls
    edge.step(BEGIN)
    assert der(first.certificate) == shown_by(context)

    second.certificate.replace(crt)
    edge.step(BEGIN + MINUTE)
    edge.step(BEGIN + 2 * MINUTE)
    assert der(first.certificate) == shown_by(context)
    kept = f"the key in {key} is not that of the certificate {crt}; connections have the"
    assert [f"{kept} certificate from before"] == told
    second.key.replace(key)
    edge.step(BEGIN + 2 * MINUTE + MINUTE / 2)
    assert der(first.certificate) == shown_by(context)
    edge.step(BEGIN + 3 * MINUTE)
    assert der(crt) == shown_by(context)
    assert f"the certificate {crt} was renewed, and new connections have it" == told[-1]


def test_a_renewed_certificate_that_is_not_valid_yet_is_told(tmp_path: Path) -> None:
    """As at the start: it is taken all the same."""
    told: list[str] = []
    both = self_signed(tmp_path, "panel").both
    table = PanelHost(certificate=both.name, key=both.name)
    (edge, *_) = edges_of(replace(host(tmp_path, panel=table), tell=told.append))
    self_signed(tmp_path, "later", begins=BEGIN + MINUTE).both.replace(both)
    edge.step(BEGIN)
    assert 2 == len(told)
    assert "begins on 2026-04-01" in told[1]
