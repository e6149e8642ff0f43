"""Devices for bearers: a pseudo-terminal with a stick's firmware at its other end, and a clock."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from collector.bearers.device import BackOff
from collector.bearers.reports import BearerReport
from shared.wire.sticks import (
    AMBER_CONFIRMED,
    AMBER_GET,
    AMBER_SET,
    AMBER_START,
    IMST_CONFIGURATION_SET,
    IMST_MANAGEMENT,
    IMST_SET_CONFIGURATION,
    IMST_START,
    amber_message,
    imst_message,
)

LIMIT_S = 120
SOON = BackOff(first_s=0.01, most_s=0.05, stable_s=0.0)


class Awaited:
    """What a bearer wakes: waits for something that becomes true in the bearer's thread."""

    def __init__(self) -> None:
        self._woken = threading.Condition()
        self.now_ms = 0

    def wake(self) -> None:
        """The bearer has something to take."""
        with self._woken:
            self._woken.notify_all()

    def clock_ms(self) -> int:
        """The host's clock, which stands."""
        return self.now_ms

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that `wake` comes with."""
        with self._woken:
            assert self._woken.wait_for(condition, LIMIT_S)

    def reports(self, take: Callable[[], list[BearerReport]], count: int) -> list[BearerReport]:
        """Wait for so many reports."""
        taken: list[BearerReport] = []

        def enough() -> bool:
            taken.extend(take())
            return len(taken) >= count

        self.until(enough)
        return taken


class PtyStick:
    """A stick of some kind on a pseudo-terminal that the bearer finds under a name.

    Args:
        kind: whose firmware answers; with `dumb`, none does.
        folder: where its device is linked.
    """

    def __init__(self, kind: str, folder: Path, *, dumb: bool = False) -> None:
        self.kind = kind
        self.path = folder / "stick"
        self.heard = b""
        self.parameters = {0x05: 0, 0x45: 0}
        self._dumb = dumb
        self._thread: threading.Thread | None = None
        self.plug()

    @property
    def url(self) -> str:
        """Where the bearer finds it."""
        return str(self.path)

    def plug(self) -> None:
        """Plug it in."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self._stop_reading, self._stop_writing = os.pipe()
        self._thread = threading.Thread(target=self._answer, args=(self._master,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pull it out; a second time does nothing."""
        if self._thread is None:
            return
        os.write(self._stop_writing, b"x")
        self._thread.join(LIMIT_S)
        self._thread = None
        self.path.unlink()
        for descriptor in (self._master, self._slave, self._stop_reading, self._stop_writing):
            os.close(descriptor)

    def say(self, data: bytes) -> None:
        """Send bytes to the bearer, however slowly it takes them."""
        while data:
            data = data[os.write(self._master, data[:1024]) :]

    def _answer(self, master: int) -> None:
        waiting = b""
        while True:
            ready, _, _ = select.select([master, self._stop_reading], [], [])
            if self._stop_reading in ready:
                return
            data = os.read(master, 4096)
            self.heard += data
            if not self._dumb:
                waiting = self._obey(waiting + data)

    def _obey(self, data: bytes) -> bytes:
        """Answer what is complete; return the rest."""
        if self.kind == "cul":
            *lines, rest = data.split(b"\r\n")
            for line in lines:
                if line.startswith(b"br"):
                    self.say(line[2:3].upper() + b"MODE\r\n")
            return rest
        while len(data) > 3:
            if data[0] == IMST_START and self.kind == "im871a":
                length = 4 + data[3]
                if data[1:3] == bytes([IMST_MANAGEMENT, IMST_SET_CONFIGURATION]):
                    self.say(imst_message(IMST_MANAGEMENT, IMST_CONFIGURATION_SET, b""))
            elif data[0] == AMBER_START and self.kind == "amb8465":
                length = 4 + data[2]
                self._confirm(data[1], data[3 : length - 1])
            else:
                length = 1
            data = data[length:]
        return data

    def _confirm(self, command: int, payload: bytes) -> None:
        answer = b"\x00"
        if command == AMBER_GET:
            answer = payload + bytes([self.parameters[payload[0]]])
        if command == AMBER_SET:
            self.parameters[payload[0]] = payload[2]
        self.say(amber_message(command | AMBER_CONFIRMED, answer))
