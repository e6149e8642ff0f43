"""A unit on a Linux board and the collector, a bearer of each wire between them."""

from __future__ import annotations

import select
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import (
    Bearer,
    Collector,
    CommandAnswered,
    MbusMaster,
    MbusSlave,
    MemoryKeystore,
    TelegramReceived,
    UnitRecord,
    WmbusStick,
)
from pulse_unit.config import UnitConfig
from pulse_unit.hal.linux import LinuxBoard, Part, SyncedNvm
from pulse_unit.hal.linux_serial import StickPort, WirePort
from pulse_unit.hal.virtual import PAGES
from pulse_unit.main import run
from shared.crypto.backend_cryptography import AesBlock
from shared.label import UnitLabel
from shared.wire.command import seal_phase
from shared.wire.mbus import decode_frame
from tests.collector.bus import count
from tests.collector.devices import LIMIT_S, SOON, Awaited
from tests.pulse_unit.listening import KEY, SERIAL


class Relay:
    """A cable: what one of two connections says, the other hears."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = socket.socketpair()
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cut it."""
        self._stop[1].send(b"x")
        self._thread.join(LIMIT_S)
        for each in (*self._stop, self._listener):
            each.close()

    def _carry(self) -> None:
        ends: list[socket.socket] = []
        while True:
            ready, _, _ = select.select([self._stop[0], self._listener, *ends], [], [])
            if self._stop[0] in ready:
                break
            for each in ready:
                if each is self._listener:
                    ends.append(each.accept()[0])
                    continue
                data = each.recv(4096)
                if not data:
                    ends.remove(each)
                    each.close()
                for other in ends:
                    if other is not each:
                        other.sendall(data)
        for end in ends:
            end.close()


class Cellar:
    """A unit that runs in a thread of its own, a cable, and a collector's bearer at its end.

    Args:
        folder: for its memory.
        part_of: what it has at its end of the cable.
        speed: of its clock.
    """

    def __init__(self, folder: Path, part_of: Callable[[str], Part], speed: int = 1) -> None:
        self.relay = Relay()
        self.awaited = Awaited()
        self.board = LinuxBoard(
            UnitLabel(SERIAL, KEY, "123456"),
            SyncedNvm(str(folder / "memory"), PAGES),
            [part_of(self.relay.url)],
            report=lambda _: None,
            clock_ns=lambda: time.monotonic_ns() * speed,
        )
        self.bearers: list[Bearer] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it all."""
        for bearer in self.bearers:
            bearer.close()
        self.board.loop.call_soon_threadsafe(self.board.switch_off)
        self._thread.join(LIMIT_S)
        self.relay.close()

    def _run(self) -> None:
        try:
            run(self.board, UnitConfig(telegram_period_s=10, reply_window_ms=0))
        finally:
            self.board.close()


@pytest.fixture
def cellars() -> Iterator[list[Cellar]]:
    """Cellars that are cleared away."""
    made: list[Cellar] = []
    yield made
    for cellar in made:
        cellar.close()


def test_a_units_telegram_arrives_through_a_stick(tmp_path: Path, cellars: list[Cellar]) -> None:
    """What its radio sends, the collector accepts as authentic."""
    cellar = Cellar(tmp_path, lambda url: StickPort("hex", url), speed=20)
    cellars.append(cellar)
    stick = WmbusStick("hex", cellar.relay.url, wake=cellar.awaited.wake, back_off=SOON)
    cellar.bearers.append(stick)
    cellar.awaited.until(lambda: bool(stick._frames))
    (frame, *_) = stick.receive_until(1 << 50)
    now = datetime.now(UTC)
    collector = Collector(sqlite3.connect(":memory:"), MemoryKeystore(), now)
    unit = UnitRecord(serial=SERIAL, channel="gas", paired_utc=now, base_count=0)
    collector.pair(unit, KEY, now)
    (received, *_) = collector.receive(frame, now)
    assert isinstance(received, TelegramReceived)
    assert received.is_authentic


def test_a_unit_is_read_and_phased_over_the_wire(tmp_path: Path, cellars: list[Cellar]) -> None:
    """Its count by its serial; then its grid moves where it is told, and a forger is refused."""
    cellar = Cellar(tmp_path, WirePort)
    cellars.append(cellar)
    secondary = bytes.fromhex("01000000FFFFFFFF")
    master = MbusMaster(
        cellar.relay.url,
        [MbusSlave(secondary=secondary)],
        period_s=0,
        wake=cellar.awaited.wake,
        back_off=SOON,
    )
    cellar.bearers.append(master)

    def read() -> bool:
        if not master._frames:
            master.poll()
        return bool(master._frames)

    cellar.awaited.until(read)
    (frame, *_) = master.receive_until(1 << 50)
    assert 0 == count(decode_frame(frame.data))
    refused, obeyed = (
        _answer(cellar, master, seal_phase(AesBlock, key, 1, 1_799_000)) for key in (bytes(16), KEY)
    )
    assert not refused.is_obeyed
    assert refused.sentence.endswith("is it this unit's key")
    assert obeyed.is_obeyed


def _answer(cellar: Cellar, master: MbusMaster, command: bytes) -> CommandAnswered:
    """What becomes of a command."""
    answers: list[CommandAnswered] = []

    def answered() -> bool:
        answers.extend(each for each in master.take_reports() if isinstance(each, CommandAnswered))
        return bool(answers)

    master.reply(SERIAL, command)
    cellar.awaited.until(answered)
    return answers[0]
