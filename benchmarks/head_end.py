"""A head end's side of DLMS and FLAG over TCP, as far as the soak needs it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from elec_meter.access import Level, client_key, proof
from elec_meter.config import part_names
from elec_meter.demo.credentials import DLMS_KEYS, DLMS_PASSWORD, dlms_clients
from elec_meter.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    Context,
    Mechanism,
    ReleaseRequest,
)
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import Apdu, decode_apdu
from elec_meter.dlms.ciphering import (
    Ciphering,
    Protection,
    decode_ciphered,
    is_ciphered,
    prove,
    seal,
    unseal,
)
from elec_meter.dlms.data import (
    CosemData,
    array,
    decode_data,
    int8,
    octets,
    structure,
    uint16,
)
from elec_meter.dlms.get import GetNormal, GetResponse
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.instants import decode_date_time, encode_date_time
from elec_meter.dlms.services import AccessResult, Attribute, Member, Selection
from elec_meter.dlms.setting import SetNormal, SetResponse
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.wrapper import HEADER_SIZE, Wrapped
from elec_meter.flag.framing import BREAK, block_check, command_message
from shared.obis import Obis
from shared.timegrid import HALF_HOUR_S, from_unix_s, unix_s

CLIENTS: Final = dlms_clients()
FLAG_PASSWORD: Final = "a head end's"
SALT: Final = bytes(range(16))

_TIMEOUT_S: Final = 10
_READER, _MANAGEMENT, _SERVER = 32, 1, 1
_CHALLENGE: Final = bytes(range(16))
_EVERYTHING, _PDU_MAX = 0xFFFFFF, 0xFFFF
_PROFILE: Final = Member(7, Obis.parse("1-0:99.1.0"), 2)
_TARIFF: Final = Member(1, Obis.parse(f"0-0:128.50.{part_names().index('tariff') + 1}"), 2)
_HLS: Final = Member(15, Obis.parse("0-0:40.0.0"), 1)
_CLOCK: Final = structure(uint16(8), octets(Obis.parse("0-0:1.0.0").to_bytes()), int8(2), uint16(0))
_ROW: Final = re.compile(r"\((\d\d-\d\d-\d\d \d\d:\d\d:\d\d)\)\(\d+\)\((\d+)\*Wh\)")
_VALUE_LIMIT: Final = 128


@dataclass
class Traffic:
    """What went over the lines.

    Attributes:
        sessions: connections, each with one association or sign-on.
        sent: bytes to the meters.
        received: bytes from them.
    """

    sessions: int = 0
    sent: int = 0
    received: int = 0


class _Line:
    """One connection."""

    def __init__(self, port: str, traffic: Traffic) -> None:
        self._host, _, self._port = port.rpartition(":")
        self._traffic = traffic

    async def __aenter__(self) -> _Line:
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))
        self._traffic.sessions += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def send(self, data: bytes) -> None:
        self._writer.write(data)
        self._traffic.sent += len(data)

    async def exactly(self, length: int) -> bytes:
        async with asyncio.timeout(_TIMEOUT_S):
            data = await self._reader.readexactly(length)
        self._traffic.received += length
        return data

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(_TIMEOUT_S):
            data = await self._reader.readuntil(end)
        self._traffic.received += len(data)
        return data


class DlmsReader:
    """Reads a meter by password or by key, and writes to it by key.

    Args:
        port: where it listens.
        number: makes a system title of its own.
        traffic: counts.
        is_keyed: whether it reads by key, encrypted, too.
    """

    def __init__(self, port: str, number: int, traffic: Traffic, *, is_keyed: bool) -> None:
        self._port = port
        self._traffic = traffic
        self._is_keyed = is_keyed
        self._title = b"HES" + number.to_bytes(5, "big")
        self._counter = 1

    async def read(self, from_s: int) -> dict[int, int]:
        """Half-hours from an instant on: end in UNIX seconds to Wh of import."""
        async with _Line(self._port, self._traffic) as line:
            await self._associate(line, _READER, is_keyed=self._is_keyed)
            bounds = (octets(encode_date_time(from_unix_s(from_s))), CosemData(Tag.NULL))
            selection = Selection(1, structure(_CLOCK, *bounds, array()))
            asked = GetNormal(0xC1, Attribute(_PROFILE, selection))
            answer = await self._ask(line, _READER, asked, is_keyed=self._is_keyed)
            assert isinstance(answer, GetResponse)
            assert isinstance(answer.result, bytes), answer.result
            await self._release(line, _READER, is_keyed=self._is_keyed)
        return _rows(decode_data(answer.result))

    async def write_tariff(self, text: str) -> None:
        """Write the part of the configuration."""
        async with _Line(self._port, self._traffic) as line:
            await self._associate(line, _MANAGEMENT, is_keyed=True)
            written = SetNormal(0xC1, Attribute(_TARIFF), CosemData(Tag.UTF8_STRING, text))
            answer = await self._ask(line, _MANAGEMENT, written, is_keyed=True)
            assert isinstance(answer, SetResponse)
            assert answer.result is AccessResult.SUCCESS, answer.result
            await self._release(line, _MANAGEMENT, is_keyed=True)

    async def _associate(self, line: _Line, sap: int, *, is_keyed: bool) -> None:
        information = InitiateRequest(_EVERYTHING, _PDU_MAX).to_bytes()
        request = AssociationRequest(Context.PLAIN, information, Mechanism.LOW, DLMS_PASSWORD)
        if is_keyed:
            ciphered = self._sealed(information)
            request = AssociationRequest(
                Context.CIPHERED, ciphered, Mechanism.HIGH_GMAC, _CHALLENGE, self._title
            )
        answer = decode_apdu(await self._exchange(line, sap, request.to_bytes()))
        assert isinstance(answer, AssociationResponse)
        assert not answer.result, answer.diagnostic
        if is_keyed:
            self._server = answer.title
            answered = prove(answer.challenge, DLMS_KEYS, self._title, self._counter)
            self._counter += 1
            await self._ask(line, sap, ActionNormal(0xC1, _HLS, octets(answered)), is_keyed=True)

    async def _release(self, line: _Line, sap: int, *, is_keyed: bool) -> None:
        information = b""
        if is_keyed:
            information = self._sealed(InitiateRequest(_EVERYTHING, 0).to_bytes())
        await self._exchange(line, sap, ReleaseRequest(0, information).to_bytes())

    async def _ask(self, line: _Line, sap: int, apdu: Apdu, *, is_keyed: bool) -> Apdu:
        said = apdu.to_bytes()
        answer = await self._exchange(line, sap, self._sealed(said) if is_keyed else said)
        if is_ciphered(answer[0]):
            answer = unseal(decode_ciphered(answer), DLMS_KEYS, self._server)
        return decode_apdu(answer)

    def _sealed(self, apdu: bytes) -> bytes:
        self._counter += 1
        counter = self._counter - 1
        return seal(apdu, Ciphering.GLOBAL, Protection.BOTH, DLMS_KEYS, self._title, counter)

    async def _exchange(self, line: _Line, sap: int, apdu: bytes) -> bytes:
        line.send(Wrapped(sap, _SERVER, apdu).to_bytes())
        header = await line.exactly(HEADER_SIZE)
        return await line.exactly(int.from_bytes(header[-2:], "big"))


class FlagReader:
    """Reads a meter by FLAG, as a reader, and writes to it as the supplier.

    Args:
        port: where it listens.
        serial: of the meter.
        traffic: counts.
    """

    def __init__(self, port: str, serial: str, traffic: Traffic) -> None:
        self._port = port
        self._serial = serial
        self._traffic = traffic

    async def read(self, from_s: int) -> dict[int, int]:
        """Half-hours from an instant on: end in UNIX seconds to Wh of import."""
        async with _Line(self._port, self._traffic) as line:
            await self._sign_on(line, Level.READER)
            first = f"{from_unix_s(from_s):%y%m%d%H%M%S}"
            line.send(command_message("R1", f"P.1.0({first};)"))
            answer = await _answer(line)
            line.send(BREAK)
        found = {}
        for stamp, energy in _ROW.findall(answer):
            end = datetime.strptime(stamp, "%y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            found[unix_s(end)] = int(energy)
        return found

    async def write_tariff(self, text: str) -> None:
        """Write the part of the configuration."""
        async with _Line(self._port, self._traffic) as line:
            await self._sign_on(line, Level.SUPPLIER)
            text = re.sub(r"[()*/!]", lambda found: f"\\u{ord(found[0]):04x}", text)
            parts = [text[at : at + _VALUE_LIMIT] for at in range(0, len(text), _VALUE_LIMIT)]
            for part in parts[:-1]:
                checked = f"W3\x02{_TARIFF.obis}({part})\x04".encode("ascii")
                line.send(b"\x01" + checked + bytes((block_check(checked),)))
                assert await line.exactly(1) == b"\x06"
            line.send(command_message("W3", f"{_TARIFF.obis}({parts[-1]})"))
            assert await line.exactly(1) == b"\x06"
            line.send(BREAK)

    async def _sign_on(self, line: _Line, level: Level) -> None:
        line.send(b"/?!\r\n")
        await line.until(b"\r\n")
        line.send(b"\x06061\r\n")
        challenge = (await line.until(b"\x03") + await line.exactly(1)).decode("latin-1")
        seed = bytes.fromhex(challenge.partition("(")[2][:32])
        proved = proof(flag_key(level), self._serial, level, seed).hex().upper()
        line.send(command_message("P2", f"({int(level)},{proved})"))
        assert await line.exactly(1) == b"\x06"


async def _answer(line: _Line) -> str:
    """A block's text."""
    text = await line.until(b"\x03")
    assert await line.exactly(1) == bytes((block_check(text[1:]),))
    return text[1:-1].decode("ascii")


@cache
def flag_key(level: Level) -> bytes:
    """Made once, because it is slow on purpose."""
    return client_key(FLAG_PASSWORD, SALT, level)


def _rows(data: CosemData) -> dict[int, int]:
    """Rows of the load profile, with the times that were left out put back."""
    found: dict[int, int] = {}
    at_s = 0
    assert isinstance(data.value, tuple)
    for row in data.value:
        stamp, _, energy, *_ = (each.value for each in row.value)
        if stamp is None:
            at_s += HALF_HOUR_S
        else:
            at_s = unix_s(decode_date_time(stamp))
        found[at_s] = energy
    return found
