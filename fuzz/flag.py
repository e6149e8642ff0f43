"""The FLAG port: lines that anybody may speak into, and programming by somebody who signed on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from elec_meter import Meter, MeterError, Storage, demo_config
from elec_meter.access import Gate, Level, client_key, proof, stored_key
from elec_meter.config import MeterConfig, apply_change, encode_change, encode_document
from elec_meter.control import OrderDesk, Orders
from elec_meter.flag import FlagLine, FlagPort, ProgrammingDesk, unpack_rows
from elec_meter.flag.framing import block_check, command_message
from elec_meter.objects import Actions
from fuzz.target import Feed, Target

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
SALT: Final = bytes(range(16))
IDENTIFICATION: Final = b"/HHY6\\2HALFHOURLY\r\n"
SIGN_ON: Final = b"/?!\r\n"
PROGRAM: Final = b"\x06061\r\n"
HONEST_EVERY: Final = 16
"""So many inputs after each other before an honest reader signs on, and must be answered."""

ANSWER_MAX: Final = 256 << 10
"""Bytes that no answer has: 1,600 rows of a sentence each."""

_SOH, _ETX, _EOT = 1, 3, 4
_CHANGED = MeterConfig(serial="00000001", gas_units=demo_config().gas_units)


class IdleActions(Actions):
    """Takes every order, does what could refuse it, and leaves the meter as it is.

    What it inherits does nothing, whatever orders there will be.

    Args:
        config: what changes are made of.
    """

    def __init__(self, config: MeterConfig) -> None:
        self._config = config

    def apply_change(self, change: bytes) -> None:
        """A change that is none is refused."""
        apply_change(self._config, change)


class _Line:
    """A line to a meter, and an honest supplier who comes by."""

    def __init__(self, *, really: bool, line: FlagLine) -> None:
        self.now = NOW
        meter = self.meter = Meter(demo_config(), Storage.in_memory(), NOW)
        self._client = client_key("supplier", SALT, Level.SUPPLIER)
        self._gate = Gate(lambda: "00000001", lambda *_: None)
        self._gate.set_verifier(Level.SUPPLIER, SALT, stored_key(self._client), NOW)
        orders = Orders(
            meter,
            now=lambda: self.now,
            durable=lambda: meter.handle_timer(self.now),
            status=dict,
            gate=None,
        )
        idle = IdleActions(meter.config)
        actions: Callable[[Level, str], Actions] = (
            partial(OrderDesk, orders) if really else lambda _level, _author: idle
        )
        seeds = count()
        desk = ProgrammingDesk(
            gate=self._gate,
            now=lambda: self.now,
            directory=lambda: meter.objects,
            actions=actions,
            clear_levels=tuple,
            draw=lambda octets: next(seeds).to_bytes(octets, "big"),
        )
        self._port = FlagPort(
            meter.config.flag,
            meter.objects,
            serial="00000001",
            durable=lambda: None,
            line=line,
            desk=desk,
        )
        self._session = self._port.session(NOW)
        self._inputs = 0

    def feed(self, data: bytes) -> None:
        """Bytes, half of the time with a check that fits; sometimes the supplier comes."""
        self.now += timedelta(milliseconds=len(data) * 7)
        if zlib.crc32(data) & 1:
            data = _checked(data)
        reply = self._session.receive_data(data, self.now)
        assert len(reply) <= ANSWER_MAX * (1 + data.count(_SOH)), "it talks without end"
        if self._session.closed:
            self._session = self._port.session(self.now)
        self._inputs += 1
        if not self._inputs % HONEST_EVERY:
            self._sign_on()

    def _sign_on(self) -> None:
        session = self._session
        session.receive_data(b"\r\n", self.now)
        answer = session.receive_data(SIGN_ON, self.now)
        assert answer.endswith(IDENTIFICATION), answer
        challenge = session.receive_data(PROGRAM, self.now)
        assert challenge.startswith(b"\x01P0\x02("), challenge
        seed = bytes.fromhex(challenge[5:37].decode())
        sent = proof(self._client, "00000001", Level.SUPPLIER, seed).hex()
        answer = session.receive_data(command_message("P2", f"(3,{sent})"), self.now)
        if answer != b"\x06":  # the fuzz has locked the level: that lasts a day at most
            assert b"ER04" in answer, answer
            self.now += timedelta(days=1)


def _checked(data: bytes) -> bytes:
    """A command around the bytes, or the bytes with the check that they should have."""
    if data[:1] != bytes((_SOH,)):
        return data
    end = next((at for at, byte in enumerate(data) if byte in (_ETX, _EOT)), None)
    body = data[1:] + bytes((_ETX,)) if end is None else data[1 : end + 1]
    return bytes((_SOH,)) + body + bytes((block_check(body),))


def _seeds() -> list[bytes]:
    change = encode_change(demo_config(), _CHANGED)
    document = encode_document(demo_config())
    commands = (
        ("R1", "1.8.0()"),
        ("R1", "0-0:1.0.0;4(1)"),
        ("R3", "P.1.0(2512310000;2601010000)"),
        ("R5", "P()"),
        ("R6", "0-0:128.50.0()"),
        ("R1", "0-0:99.98.0()"),
        ("W1", "0-0:1.0.0;M6(-3)"),
        ("W1", "0-0:1.0.0(26-01-01 00:00:07)"),
        ("W1", "0-0:10.0.1;M1(1)"),
        ("W1", f"C({change.hex()})"),
        ("W5", f"C({change.hex()[:20]})"),
        ("W6", f"0-0:128.50.0({document.hex()[:100]})"),
        ("W1", '0-0:128.50.4({"sync_limit_s":9})'),
        ("W1", '0-0:13.0.0;7([["1","\\u002a-01-01","w"]])'),
        ("W1", '0-0:13.0.0;8([["w",1,1,1,1,1,1,1]])'),
        ("W1", '0-0:13.0.0;9([[1,[["00:00:00","0-0:10.0.100",2]]]])'),
        ("W1", "0-0:13.0.0;M1(0)"),
        ("W1", "0-0:13.0.0;10(2601010000)"),
        ("W1", '0-0:11.0.0;2([[1,"2026-12-25",1]])'),
        ("W1", "0-0:25.9.0;M1(0)"),
        ("W1", '0-0:11.0.0;M1([1,"2026-12-25",1])'),
        ("W1", "0-0:128.23.0(2601010000;1.5;2)"),
        ("W1", f"0-0:128.52.1({'00' * 48})"),
        ("W1", "0-0:128.50.2(20)(0123456789ABCDEF)"),
        ("P1", "(supplier)"),
        ("P2", f"(3,{'0' * 64})"),
    )
    frames = [command_message(*command) for command in commands]
    block = b"\x01W3\x020-0:128.50.0({\x04"
    return [
        SIGN_ON,
        PROGRAM,
        b"\x06060\r\n",
        b"\x01B0\x03q",
        b"/?00000001!\r\n\x06000\r\n\x15",
        b"\x06",
        b"\x15",
        block + bytes((block_check(block[1:]),)),
        *frames,
    ]


def _anybody() -> tuple[Feed, Sequence[bytes]]:
    return _Line(really=False, line=FlagLine()).feed, _seeds()


def _programming() -> tuple[Feed, Sequence[bytes]]:
    return _Line(really=True, line=FlagLine()).feed, _seeds()


def _rows() -> tuple[Feed, Sequence[bytes]]:
    return unpack_rows, [bytes([2, 3, 0x80, 0x80, 0xA0, 0x0E, 30, 0, 3, 1, 1, 6, 9, 0])]


FLAG_TARGETS: Final = (
    Target("flag", _anybody, count=1_000_000, seconds=300.0),
    Target("programming", _programming),
    Target("rows", _rows, (MeterError,)),
)
