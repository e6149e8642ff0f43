"""A reader that signs on and programs, and a real meter for it to program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from typing import Any, Final

from elec_meter import Meter, Storage
from elec_meter.access import Gate, Level, client_key, command_key, command_mac, proof, stored_key
from elec_meter.config import MeterConfig, demo_config
from elec_meter.control import OrderDesk, Orders
from elec_meter.flag import FlagLine, FlagPort, FlagSession, ProgrammingDesk
from elec_meter.flag.framing import block_check

NOON: Final = datetime(2026, 4, 1, 12, tzinfo=UTC)
SALT: Final = bytes(range(16))
PASSWORDS: Final = {
    Level.READER: "reader",
    Level.INSTALLER: "installer",
    Level.SUPPLIER: "supplier",
}
ACK: Final = b"\x06"
NAK: Final = b"\x15"
BREAK: Final = b"\x01B0\x03q"
SIGN_ON: Final = b"/?!\r\n"
PROGRAM: Final = b"\x06061\r\n"


@cache
def known_key(password: str, level: Level, salt: bytes = SALT) -> bytes:
    """The client key; made once, because it is slow on purpose."""
    return client_key(password, salt, level)


class Desktop:
    """A meter, who is let in, and its FLAG port; the time is what a test says."""

    def __init__(
        self,
        storage: Storage | None = None,
        config: MeterConfig | None = None,
        now: datetime = NOON,
        **port: Any,
    ) -> None:
        self.storage = storage or Storage.in_memory()
        self.now = now
        self.meter = Meter(self.storage.load_config() or config or demo_config(), self.storage, now)
        self.gate = Gate(
            lambda: self.meter.config.serial,
            self.storage.record_event,
            self.storage.get_state("access"),
        )
        self.meter.save_beside("access", self.gate.packed)
        self._seeds = count(1)
        if not self.gate.levels:
            for level, password in PASSWORDS.items():
                key = stored_key(known_key(password, level))
                self.gate.set_verifier(level, SALT, key, now)
        self.orders = Orders(
            self.meter,
            now=lambda: self.now,
            durable=self.durable,
            status=dict,
            gate=self.gate,
        )
        self.desk = ProgrammingDesk(
            gate=self.gate,
            now=lambda: self.now,
            directory=lambda: self.meter.objects,
            actions=partial(OrderDesk, self.orders),
            clear_levels=lambda: tuple(map(Level, self.meter.config.access.clear_levels)),
            draw=self._draw,
        )
        self.port = FlagPort(
            self.meter.config.flag,
            self.meter.objects,
            serial=self.meter.config.serial,
            durable=self.durable,
            desk=self.desk,
            **port,
        )
        self.meter.checkpoint()

    def durable(self) -> None:
        """As a runtime's."""
        self.meter.handle_timer(self.now)
        self.meter.checkpoint()

    def session(self, line: FlagLine | None = None) -> FlagSession:
        """A line that was just opened."""
        return self.port.session(self.now, line)

    def programmer(self, level: Level | None = None, line: FlagLine | None = None) -> Programmer:
        """Somebody on a new line, signed on at a level."""
        programmer = Programmer(self, self.session(line))
        if level is not None:
            assert ACK == programmer.sign_on(level)
        return programmer

    def texts(self, code: int) -> list[str]:
        """The event log's sentences of a code."""
        return [event.text for event in self.storage.events() if event.code == code]

    def _draw(self, octets: int) -> bytes:
        return next(self._seeds).to_bytes(octets, "big")


class Programmer:
    """A reader's side of one line."""

    def __init__(self, desktop: Desktop, session: FlagSession) -> None:
        self.desktop = desktop
        self.session = session
        self.sent: list[bytes] = []
        self.seed = self.salt = b""
        self._key = b""
        self._number = 0

    def say(self, data: bytes) -> bytes:
        """Bytes, and what the meter answers."""
        self.sent.append(data)
        return self.session.receive_data(data, self.desktop.now)

    def challenge(self) -> bytes:
        """Sign on as far as the meter's challenge."""
        assert self.say(SIGN_ON).startswith(b"/HHY6")
        answer = self.say(PROGRAM)
        match = re.fullmatch(
            rb"\x01P0\x02\(([0-9A-F]{32}),([0-9A-F]{32}),14\)\x03.", answer, re.DOTALL
        )
        assert match is not None, answer
        assert block_check(answer[1:-1]) == answer[-1]
        self.seed, self.salt = bytes.fromhex(match[1].decode()), bytes.fromhex(match[2].decode())
        return answer

    def prove(self, level: Level, password: str | None = None) -> bytes:
        """Send the proof of a password."""
        serial = self.desktop.meter.config.serial
        client = known_key(password or PASSWORDS[level], level, self.salt)
        self._key = command_key(client, serial, level, self.seed)
        self._number = 0
        sent = proof(client, serial, level, self.seed).hex().upper()
        return self.command("P2", f"({int(level)},{sent})")

    def sign_on(self, level: Level, password: str | None = None) -> bytes:
        """Challenge and proof."""
        self.challenge()
        return self.prove(level, password)

    def command(self, letters: str, data: str = "", *, mac: bool = False, place: int = 0) -> bytes:
        """A command, with a MAC if it must have one."""
        return self.say(self.message(letters, data, mac=mac, place=place))

    def block(self, letters: str, data: str, *, mac: bool = False, place: int = 0) -> bytes:
        """A command that goes on: it ends with EOT."""
        return self.say(self.message(letters, data, "\x04", mac=mac, place=place))

    def message(
        self, letters: str, data: str, end: str = "\x03", *, mac: bool = False, place: int = 0
    ) -> bytes:
        """The bytes of a command, the `place`-th block of its value."""
        text = f"{letters}\x02{data}" if data else letters
        if mac:
            sealed = command_mac(self._key, self._number, place, (text + end).encode())
            text += f"({sealed.hex().upper()})"
            self._number += 1
        return framed(text + end)

    def read(self, data: str, letters: str = "R1") -> str:
        """What a read is answered with, without its frame; blocks are fetched and joined."""
        text, answer = "", self.command(letters, data)
        while True:
            assert block_check(answer[1:-1]) == answer[-1], answer
            assert answer[:1] == b"\x02"
            text += answer[1:-2].decode()
            if answer[-2] == 3:
                return text
            answer = self.say(ACK)

    def write_blocks(self, identifier: str, text: str, letters: str = "W3") -> bytes:
        """A long value, 128 characters at a time."""
        parts = list(cut(text, 128))
        for part in parts[:-1]:
            answer = self.block(letters, f"{identifier}({part})")
            if answer != ACK:
                return answer
        return self.command(letters, f"{identifier}({parts[-1]})")

    def later(self, **length: float) -> None:
        """Let time pass."""
        self.desktop.now += timedelta(**length)


def framed(checked: str) -> bytes:
    """From SOH to BCC."""
    octets = checked.encode()
    return b"\x01" + octets + bytes((block_check(octets),))


def cut(text: str, length: int) -> Iterator[str]:
    """A text in pieces."""
    for at in range(0, len(text), length):
        yield text[at : at + length]


def refusal(answer: bytes) -> str:
    """The number of an error message."""
    match = re.fullmatch(rb"\x02\((ER\d\d)\)\x03.", answer, re.DOTALL)
    assert match is not None, answer
    return match[1].decode()
