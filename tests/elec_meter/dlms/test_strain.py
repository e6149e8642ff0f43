"""Slow, silent and many strangers at a listener: a reading is answered all the same."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter.dlms.acse import AssociationRequest, Context
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.wrapper import Wrapped
from tests.elec_meter.dlms.asking import KEYS, MANAGEMENT, PUBLIC, lived_in, port_of
from tests.elec_meter.ports.serving import serving

METER = lived_in(4)
SUM = 10 + 11 + 12 + 13
IDLE = 1_000
REGISTER = cosem.CosemAttribute(enumerations.CosemInterface.REGISTER, cosem.Obis(1, 0, 1, 8, 0), 2)
INITIATE = InitiateRequest(0xFFFFFF, 0xFFFF).to_bytes()
AARQ = Wrapped(PUBLIC, 1, AssociationRequest(Context.PLAIN, INITIATE).to_bytes()).to_bytes()
Address = tuple[str, int]


@pytest.fixture
def address() -> Iterator[Address]:
    """Where the meter listens, with the limits that it has everywhere."""
    # Both ends of every connection are this process's.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with serving(port_of(METER).session, now=lambda: METER.now) as address:
        yield address
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def read(address: Address, title: bytes) -> object:
    """The register, by a client that nobody here wrote, with the key."""
    client = DlmsClient.with_tcp_transport(
        *address,
        MANAGEMENT,
        1,
        authentication_method=enumerations.AuthenticationMechanism.HLS_GMAC,
        encryption_key=KEYS.encryption,
        authentication_key=KEYS.authentication,
        client_system_title=title,
        client_initial_invocation_counter=1,
    )
    with client.session():
        return parse_as_dlms_data(client.get(REGISTER))


def test_idle_connections_do_not_stop_a_reading(address: Address) -> None:
    """A thousand that say nothing, some of them half an APDU."""
    with ExitStack() as stack:
        for number in range(IDLE):
            idle = stack.enter_context(socket.create_connection(address, 10))
            if number % 3 == 0:
                idle.sendall(AARQ[: number % len(AARQ)])
        assert SUM == read(address, b"HES\x00\x00\x00\x00\x01")


def test_a_slow_sender_is_answered_in_the_end(address: Address) -> None:
    """Byte by byte, while others read."""
    with socket.create_connection(address, 10) as slow:
        for at, byte in enumerate(AARQ):
            slow.sendall(bytes((byte,)))
            time.sleep(0.002)
            if at == len(AARQ) // 2:
                assert SUM == read(address, b"HES\x00\x00\x00\x00\x01")
        assert b"\x61" == slow.recv(64)[8:9]


def test_a_half_open_socket_gets_its_answers(address: Address) -> None:
    """Whoever has said all it wanted is still told; then the connection ends."""
    with socket.create_connection(address, 10) as half:
        half.sendall(AARQ)
        assert half.recv(64)
        half.shutdown(socket.SHUT_WR)
        assert b"" == half.recv(64)
    assert SUM == read(address, b"HES\x00\x00\x00\x00\x01")


def test_two_managers_at_once_are_told_apart(address: Address) -> None:
    """Each by its title: neither's counters are the other's, however their requests mix."""
    titles = [b"HES\x00\x00\x00\x00" + bytes((number,)) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(read, [address] * 2, titles))

    assert [SUM, SUM] == found
