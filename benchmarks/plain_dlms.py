"""A DLMS server as one writes it the straightforward way: SQLite, tagged values, one recursion.

It says what our server says to the same requests, byte for byte, and nothing else: one profile, one
client with a password, no policy, no limits, no ciphering, no blocks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_PERIOD = timedelta(minutes=30)
_AARE = bytes.fromhex(
    "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400401e9d10000007"
)


class PlainServer:
    """Rows in a table, and the answers to three requests.

    Args:
        rows: a time and five numbers each.
        password: of the one client.
    """

    def __init__(self, rows: Sequence[Sequence[Any]], password: bytes) -> None:
        self._password = password
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE TABLE row (at INTEGER PRIMARY KEY, a, b, c, d, e)")
        for at, *numbers in rows:
            self._database.execute(
                "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", (int(at.timestamp()), *numbers)
            )

    def session(self, requests: Sequence[bytes]) -> bytes:
        """What is sent in answer to the requests of a session."""
        sent = b""
        for request in requests:
            version, source, destination, length = (
                int.from_bytes(request[at : at + 2], "big") for at in range(0, 8, 2)
            )
            assert (version, length) == (1, len(request) - 8)
            answer = self._answer(request[8:])
            header = b"".join(
                each.to_bytes(2, "big") for each in (1, destination, source, len(answer))
            )
            sent += header + answer
        return sent

    def _answer(self, apdu: bytes) -> bytes:
        if apdu[0] == 0x60:
            assert self._password in self._fields(apdu[2:])[0xAC]
            return _AARE
        if apdu[0] == 0x62:
            return bytes.fromhex("6303800100")
        # GET, normal, class 7, attribute 2, selected by range
        assert apdu[:2] == b"\xc0\x01"
        assert apdu[3:5] == b"\x00\x07"
        value, _ = self._decode(apdu, 14)
        first, last = (self._instant(each) for each in value[1:3])
        found = self._database.execute(
            "SELECT * FROM row WHERE at BETWEEN ? AND ? ORDER BY at",
            (first.timestamp(), last.timestamp()),
        )
        return b"\xc4\x01" + apdu[2:3] + b"\x00" + self._encode(self._tagged(list(found)))

    def _fields(self, content: bytes) -> dict[int, bytes]:
        fields, at = {}, 0
        while at < len(content):
            tag, length = content[at], content[at + 1]
            fields[tag] = content[at + 2 : at + 2 + length]
            at += 2 + length
        return fields

    def _tagged(self, found: list[Any]) -> tuple[str, Any]:
        rows, due = [], None
        for stamp, *numbers in found:
            at = datetime.fromtimestamp(stamp, UTC)
            time = ("null", None) if at == due else ("octets", self._date_time(at))
            due = at + _PERIOD
            status, *energies = numbers
            energy = [("uint32", each) for each in energies]
            rows.append(("structure", [time, ("uint8", status), *energy]))
        return "array", rows

    def _encode(self, tagged: tuple[str, Any]) -> bytes:
        kind, value = tagged
        if kind == "null":
            return b"\x00"
        if kind == "uint8":
            return b"\x11" + int(value).to_bytes(1, "big")
        if kind == "uint32":
            return b"\x06" + int(value).to_bytes(4, "big")
        if kind == "octets":
            return b"\x09" + bytes((len(value),)) + bytes(value)
        tag = b"\x01" if kind == "array" else b"\x02"
        return tag + bytes((len(value),)) + b"".join(self._encode(each) for each in value)

    def _decode(self, data: bytes, at: int) -> tuple[Any, int]:
        tag, at = data[at], at + 1
        if tag in (1, 2):
            count, at = data[at], at + 1
            values = []
            for _ in range(count):
                value, at = self._decode(data, at)
                values.append(value)
            return values, at
        if tag == 9:
            return data[at + 1 : at + 1 + data[at]], at + 1 + data[at]
        size = {0x0F: 1, 0x12: 2}[tag]
        return int.from_bytes(data[at : at + size], "big"), at + size

    def _date_time(self, at: datetime) -> bytes:
        day = bytes((at.month, at.day, at.isoweekday(), at.hour, at.minute, at.second))
        return at.year.to_bytes(2, "big") + day + bytes(4)

    def _instant(self, data: bytes) -> datetime:
        year = int.from_bytes(data[:2], "big")
        return datetime(year, data[2], data[3], data[5], data[6], data[7], tzinfo=UTC)
