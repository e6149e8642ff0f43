"""The server read by clients that nobody here wrote, over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DataResultError, DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.exceptions import DlmsClientException
from dlms_cosem.parsers import ProfileGenericBufferParser
from dlms_cosem.time import datetime_from_bytes
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter.dlms import Keys, management_client
from shared.obis import Obis
from shared.timegrid import unix_s
from tests.elec_meter.dlms.asking import (
    CLIENT_TITLE,
    HALF_HOUR,
    KEYS,
    MANAGEMENT,
    PASSWORD,
    PUBLIC,
    READER,
    lived_in,
    port_of,
)
from tests.elec_meter.objects.fixed_meter import START
from tests.elec_meter.ports.serving import serving

PROGRAM = Path(__file__).with_name("reading_client.py")
METER = lived_in(48)
NUMBERS = [10 + n for n in range(48)]
Address = tuple[str, int]


@pytest.fixture
def address() -> Iterator[Address]:
    """Where the meter listens."""
    with serving(port_of(METER).session, now=lambda: METER.now) as address:
        yield address


def attribute(
    code: str,
    number: int = 2,
    interface: enumerations.CosemInterface = enumerations.CosemInterface.REGISTER,
) -> cosem.CosemAttribute:
    """As that library names it."""
    obis = Obis.parse(code)
    name = cosem.Obis(obis.a, obis.b, obis.c, obis.d, obis.e)
    return cosem.CosemAttribute(interface, name, number)


CLOCK = attribute("0-0:1.0.0", interface=enumerations.CosemInterface.CLOCK)
PROFILE = attribute("1-0:99.1.0", interface=enumerations.CosemInterface.PROFILE_GENERIC)


class TestDlmsCosem:
    """`dlms-cosem` 21.3.2: wrapper, clear and general-glo."""

    @pytest.mark.parametrize("pdu", [65_535, 64])
    def test_the_public_reads_register_and_clock(self, address: Address, pdu: int) -> None:
        """And no half-hours."""
        client = DlmsClient.with_tcp_transport(*address, PUBLIC, 1, max_pdu_size=pdu)
        with client.session():
            assert sum(NUMBERS) == parse_as_dlms_data(client.get(attribute("1-0:1.8.0")))
            time, _ = datetime_from_bytes(parse_as_dlms_data(client.get(CLOCK)))
            assert METER.now == time.replace(tzinfo=UTC)
            with pytest.raises(DataResultError):
                client.get(PROFILE)

    def test_the_reader_reads_half_hours_by_range(self, address: Address) -> None:
        """Times that were left out are put back in."""
        client = DlmsClient.with_tcp_transport(
            *address,
            READER,
            1,
            authentication_method=enumerations.AuthenticationMechanism.LLS,
            password=PASSWORD,
        )
        start, end = START + 5 * HALF_HOUR, START + 8 * HALF_HOUR
        with client.session():
            found = client.get(PROFILE, RangeDescriptor(CaptureObject(CLOCK, 0), start, end))
        columns = [CLOCK, *(attribute(str(each.obis)) for each in columns_of("1-0:99.1.0")[1:])]
        rows = ProfileGenericBufferParser(columns, 30).parse_bytes(found)

        assert [14, 15, 16, 17] == [row[2].value for row in rows]
        assert [start + n * HALF_HOUR for n in range(4)] == [
            row[0].value.replace(tzinfo=UTC) for row in rows
        ]

    # The library holds its own requests to the size that it asks for: these have up to 111 bytes.
    @pytest.mark.parametrize("pdu", [65_535, 512, 128])
    def test_the_management_reads_by_key(self, address: Address, pdu: int) -> None:
        """Everything ciphered, in blocks where it asked for small ones."""
        client = DlmsClient.with_tcp_transport(
            *address,
            MANAGEMENT,
            1,
            authentication_method=enumerations.AuthenticationMechanism.HLS_GMAC,
            encryption_key=KEYS.encryption,
            authentication_key=KEYS.authentication,
            client_system_title=CLIENT_TITLE,
            client_initial_invocation_counter=7,
            max_pdu_size=pdu,
        )
        with client.session():
            assert sum(NUMBERS) == parse_as_dlms_data(client.get(attribute("1-0:1.8.0")))

    def test_a_wrong_password_is_told(self, address: Address) -> None:
        """By the client, in its words."""
        client = DlmsClient.with_tcp_transport(
            *address,
            READER,
            1,
            authentication_method=enumerations.AuthenticationMechanism.LLS,
            password=b"wrong",
        )
        client.connect()
        with pytest.raises(DlmsClientException, match="AUTHENTICATION_FAILED"):
            client.associate()
        client.disconnect()


def columns_of(code: str) -> Any:
    """Captured objects."""
    return METER.directory[code].read(3, METER.now)


def ask(address: Address, **wishes: Any) -> dict[str, Any]:
    """What the other client says, in a process of its own: its licence stays there."""
    command = [sys.executable, str(PROGRAM), address[0], str(address[1]), json.dumps(wishes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])  # the library prints, too
    assert isinstance(said, dict)
    return said


BY_PASSWORD = {"client": READER, "authentication": "LOW", "password": PASSWORD.decode()}
BY_KEY = {
    "client": MANAGEMENT,
    "authentication": "HIGH_GMAC",
    "keys": [each.hex() for each in KEYS],
    "title": CLIENT_TITLE.hex(),
}
LOAD = {"profile": "1.0.99.1.0.255"}
COMPACT = {"profile": "1.0.99.1.1.255"}


class TestGurux:
    """`gurux-dlms`: wrapper and HDLC, clear and service-specific, both kinds of keys."""

    def test_the_public_reads_register_clock_and_list(self, address: Address) -> None:
        """In blocks of the smallest size."""
        said = ask(address, client=PUBLIC, register="1.0.1.8.0.255", clock=1, objects=1, pdu=64)

        assert (sum(NUMBERS), "30") == (said["value"], said["unit"])
        assert METER.now == datetime.fromisoformat(said["clock"]).replace(microsecond=0)
        assert [3, "1.0.1.8.0.255"] in said["objects"]
        assert [15, "0.0.40.0.0.255"] in said["objects"]

    @pytest.mark.parametrize("pdu", [65_535, 512, 64])
    def test_half_hours_are_the_ledgers(self, address: Address, pdu: int) -> None:
        """All of a day, whole or in blocks."""
        rows = ask(address, **BY_PASSWORD, **LOAD, pdu=pdu)["rows"]

        assert NUMBERS == [row[2] for row in rows]
        assert [START + n * HALF_HOUR for n in range(1, 49)] == [
            datetime.fromisoformat(row[0]) for row in rows
        ]

    def test_half_hours_are_selected(self, address: Address) -> None:
        """By range and by entry."""
        bounds = [(START + n * HALF_HOUR).isoformat() for n in (4, 6)]
        rows = ask(address, **BY_PASSWORD, **LOAD, range=bounds)["rows"]
        assert [13, 14, 15] == [row[2] for row in rows]

        rows = ask(address, **BY_PASSWORD, **LOAD, entries=[3, 2])["rows"]
        assert [12, 13] == [row[2] for row in rows]

    @pytest.mark.parametrize("more", [{}, {"dedicated": "11" * 16}, {"pdu": 128}])
    def test_the_compact_profile_is_read_by_key(
        self, address: Address, more: dict[str, Any]
    ) -> None:
        """With the global key, with a dedicated one, in small blocks."""
        rows = ask(address, **BY_KEY, **COMPACT, **more)["rows"]
        numbers = [unix_s(START + n * HALF_HOUR) // 1800 % 65_536 for n in range(1, 49)]

        assert [[n, 0, 0, wh, 0, 0, 3] for n, wh in zip(numbers, NUMBERS, strict=True)] == rows

    def test_keys_are_changed(self) -> None:
        """Wrapped by that client; the next association takes the new ones and no others."""
        master, fresh = bytes(range(16)), Keys(b"E" * 16, b"A" * 16)
        clients = (management_client(KEYS, master),)
        register = {"register": "1.0.1.8.0.255"}
        with serving(port_of(METER, clients=clients).session, now=lambda: METER.now) as address:
            ask(address, **BY_KEY, rekey=[each.hex() for each in (master, *fresh)])
            anew = {**BY_KEY, "keys": [each.hex() for each in fresh]}
            assert sum(NUMBERS) == ask(address, **anew, **register)["value"]
            with pytest.raises(AssertionError, match=r"(?i)authentication"):
                ask(address, **BY_KEY, **register, counter=100)

    @pytest.mark.parametrize("wishes", [BY_PASSWORD, BY_KEY])
    def test_hdlc_carries_the_same(self, address: Address, wishes: dict[str, Any]) -> None:
        """In its segments, on the same port."""
        rows = ask(address, **wishes, **COMPACT, interface="HDLC")["rows"]

        assert NUMBERS == [row[3] for row in rows]
