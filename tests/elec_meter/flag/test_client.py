"""The port read by `iec62056-21`, a client that nobody here wrote, over a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from iec62056_21 import utils
from iec62056_21.client import Iec6205621Client
from iec62056_21.exceptions import Iec6205621ParseError
from iec62056_21.transports import TcpTransport, TransportError

from elec_meter.objects import Register
from tests.elec_meter.flag.lines import READOUT, busy_meter, flag_port
from tests.elec_meter.objects.fixed_meter import FixedMeter
from tests.elec_meter.ports.serving import serving


class NoisyTransport(TcpTransport):
    """Turns a bit of the first block check around.

    The client asks for a repetition and then loses the STX of what it gets, so it asks here.
    """

    requests = 0

    def read(self, timeout: float | None = None) -> bytes:
        """A block whose check fits."""
        block = self._block()
        block = block[:-1] + bytes((block[-1] ^ 1,))
        while not utils.bcc_valid(block):
            self.requests += 1
            self.send(b"\x15")
            block = self._block()
        return block

    def _block(self) -> bytes:
        block: bytes = self.simple_read(start_char="\x02", end_char="\x03") + self.recv(1)
        return block


@pytest.fixture
def meter() -> FixedMeter:
    """Some energy, some gas."""
    return busy_meter()


@pytest.fixture
def address(meter: FixedMeter) -> Iterator[tuple[str, int]]:
    """Where the meter's FLAG port listens."""
    with serving(flag_port(meter).session) as address:
        yield address


def client(transport: TcpTransport, device_address: str = "") -> Iec6205621Client:
    """A client that does not pause between messages: TCP needs no turn-round time."""
    client = Iec6205621Client(transport, device_address)
    client.rest = lambda duration=None: None
    return client


@pytest.mark.parametrize("device_address", ["", "00000001"])
@pytest.mark.parametrize("transport", [TcpTransport, NoisyTransport])
def test_the_readout_is_the_directory(
    meter: FixedMeter,
    address: tuple[str, int],
    transport: type[TcpTransport],
    device_address: str,
) -> None:
    """Every value that the client decodes is the object's, also when a block had to be repeated."""
    reader = client(transport(address, timeout=10), device_address)
    reader.connect()
    try:
        answer = reader.standard_readout()
    finally:
        reader.disconnect()

    assert int(transport is NoisyTransport) == getattr(reader.transport, "requests", 0)
    assert "HHY" == reader.manufacturer_id
    # The client keeps one character of the "\2" field before the product.
    assert reader.identification.endswith("HALFHOURLY")
    named = [each for each in answer.data if each.address is not None]
    assert [meter.directory[code].obis.reduced for code in READOUT] == [
        each.address for each in named
    ]
    for each in named:
        found = meter.directory[each.address]
        if isinstance(found, Register):
            assert found.value == Decimal(each.value) * (1000 if each.unit == "kWh" else 1)
            assert re.fullmatch(f"k?{found.unit}", each.unit)
    assert "00000001" == named[0].value


def test_a_client_that_wants_to_program_is_told_at_once(address: tuple[str, int]) -> None:
    """The break arrives instead of a password request, and the next readout works."""
    reader = client(TcpTransport(address, timeout=10))
    reader.connect()
    try:
        # This client has no name for a break: it looks for a data set in it.
        with pytest.raises(Iec6205621ParseError):
            reader.access_programming_mode()
        assert reader.standard_readout().data
    finally:
        reader.disconnect()


def test_another_meters_address_is_met_with_silence(address: tuple[str, int]) -> None:
    """The client's own time-out ends it."""
    reader = client(TcpTransport(address, timeout=10), "00000002")
    reader.connect()
    reader.transport.socket.settimeout(0.3)  # of the silence alone
    try:
        with pytest.raises(TransportError) as caught:
            reader.startup()
        assert isinstance(caught.value.__cause__, TimeoutError)
    finally:
        reader.disconnect()
