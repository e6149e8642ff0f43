"""A wired M-Bus with slaves of ours on it, in simulated time or behind a socket."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections.abc import Generator
from typing import TypeVar

from collector.mbus_link import Answer, MasterLink
from collector.mbus_scripts import Request
from pulse_unit.slave import WiredSlave
from shared.wire.header import parse_wired_header
from shared.wire.mbus import Frame
from shared.wire.telegram import decode_records
from tests.collector.devices import LIMIT_S
from tests.pulse_unit.wired import FakeMemory, FakeUnit

BAUD = 2_400
LATENCY_MS = 50
SILENT_MS = 1_000  # no request is answered by then

_Result = TypeVar("_Result")


def count(frame: Frame) -> int:
    """The count that an answer tells."""
    assert frame.control is not None
    return decode_records(parse_wired_header(frame.control, frame.user_data).body).count


class Slave:
    """One slave, its unit and its memory."""

    def __init__(self, address: int, serial: str, manufacturer: str = "HHY") -> None:
        self.unit = FakeUnit()
        self.memory = FakeMemory(address)
        self.slave = WiredSlave(self.unit, self.memory, serial, manufacturer=manufacturer)


class Bus:
    """What several slaves answer at once: dominant bits win, as on the wire.

    Args:
        slaves: those that are there.
        seed: of what is lost.
        loss: probability that a request is not heard, and that an answer is not.
        echo: whether the converter hands back what is sent.
    """

    def __init__(
        self, slaves: list[Slave], *, seed: int = 1, loss: float = 0.0, echo: bool = False
    ) -> None:
        self.slaves = slaves
        self.now_ms = 1_000_000
        self.requests: list[Request] = []
        self.heard = b""
        self._random = random.Random(seed)
        self._loss = loss
        self._echo = echo

    def send(self, data: bytes) -> bytes:
        """What is heard after a request."""
        heard = b""
        if self._random.random() >= self._loss:
            answers = [each.slave.receive_data(data, self.now_ms) for each in self.slaves]
            if self._random.random() >= self._loss:
                heard = _mixed([answer for answer in answers if answer])
                self.heard = heard
        return data * self._echo + heard

    def play(self, script: Generator[Request, Answer, _Result]) -> _Result:
        """Run a script to its end, each answer cut at random."""
        link = MasterLink(BAUD, LATENCY_MS)
        request = next(script)
        while True:
            try:
                request = script.send(self._exchange(link, request))
            except StopIteration as ended:
                result: _Result = ended.value
                return result

    def _exchange(self, link: MasterLink, request: Request) -> Answer:
        self.requests.append(request)
        self.now_ms = max(self.now_ms + 100, link.ready_ms)
        heard = self.send(link.ask(request.frame, request.expected, self.now_ms))
        self.now_ms += 60
        while heard:
            size = self._random.randint(1, len(heard))
            link.receive_data(heard[:size], self.now_ms)
            heard = heard[size:]
            self.now_ms += 5
        while (answer := link.take_answer()) is None:
            due_ms = link.next_timer()
            assert due_ms is not None
            self.now_ms = max(self.now_ms, due_ms)
            link.handle_timer(self.now_ms)
        return answer


def _mixed(answers: list[bytes]) -> bytes:
    mixed = bytearray(max(map(len, answers), default=0))
    for index in range(len(mixed)):
        mixed[index] = 0xFF
        for answer in answers:
            if index < len(answer):
                mixed[index] &= answer[index]
    return bytes(mixed)


class BusServer:
    """The bus behind a network converter; it can be switched off and on."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.lock = threading.Lock()
        self.port = 0
        self._stop: tuple[socket.socket, socket.socket] | None = None
        self.switch_on()

    @property
    def url(self) -> str:
        """Where a master finds it."""
        return f"socket://127.0.0.1:{self.port}"

    def switch_on(self) -> None:
        """Listen, at the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def switch_off(self) -> None:
        """End; a second time does nothing."""
        if self._stop is None:
            return
        self._stop[1].send(b"x")
        self._thread.join(LIMIT_S)
        for each in (*self._stop, self._listener):
            each.close()
        self._stop = None

    def _serve(self) -> None:
        assert self._stop is not None
        stopping = self._stop[0]
        clients: list[socket.socket] = []
        while True:
            ready, _, _ = select.select([stopping, self._listener, *clients], [], [])
            if stopping in ready:
                break
            for each in ready:
                if each is self._listener:
                    clients.append(each.accept()[0])
                elif not self._answer(each):
                    clients.remove(each)
                    each.close()
        for client in clients:
            client.close()

    def _answer(self, client: socket.socket) -> bool:
        try:
            data = client.recv(4096)
            with self.lock:
                self.bus.now_ms = time.monotonic_ns() // 1_000_000
                heard = self.bus.send(data)
            if data and heard:
                client.sendall(heard)
        except OSError:
            return False
        return bool(data)
