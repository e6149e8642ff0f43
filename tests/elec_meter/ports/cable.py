"""A serial cable between two pseudo-terminals: bytes arrive whole only if both ends are as fast."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
import tty
from types import TracebackType
from typing import Self

_SPEEDS = {getattr(termios, f"B{speed}"): speed for speed in (300, 600, 1200, 9600, 19200)}


class Cable:
    """Two ends that programs may open; what is sent at another speed than is expected is garbled.

    Attributes:
        ends: paths of the two devices.
        speeds: the speeds of each end at which bytes came through, in order, without repetitions.
        garbled: how many did not.
    """

    PATIENCE_S = 20.0
    """The longest that anybody waits for what has to come."""

    def __init__(self) -> None:
        pairs = [os.openpty() for _ in range(2)]
        self._outer = [outer for outer, _ in pairs]
        self._inner = [inner for _, inner in pairs]
        for inner in self._inner:
            tty.setraw(inner)
        self.ends = tuple(os.ttyname(inner) for inner in self._inner)
        self.speeds: list[int] = []
        self.garbled = 0
        self._carried = [0, 0]
        self._moved = threading.Condition()
        self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.write(self._stop[1], b"x")
        self._thread.join(10)
        for number in (*self._outer, *self._inner, *self._stop):
            os.close(number)

    def speed(self, end: int) -> int:
        """At which speed an end is open now."""
        return _SPEEDS.get(termios.tcgetattr(self._inner[end])[5], 0)

    def carried(self, end: int) -> int:
        """How many bytes from an end have come out of the other."""
        return self._carried[end]

    def wait_carried(self, end: int, count: int) -> None:
        """Wait until so many have: a pseudo-terminal does not tell when bytes have left it."""
        with self._moved:
            if not self._moved.wait_for(lambda: self._carried[end] >= count, self.PATIENCE_S):
                raise AssertionError(f"{count - self._carried[end]} bytes never left the cable")

    def wait_speed(self, end: int, speed: int) -> None:
        """Wait until an end has been switched to a speed."""
        end_s = time.monotonic() + self.PATIENCE_S
        while self.speed(end) != speed:
            if time.monotonic() > end_s:
                raise AssertionError(f"{self.ends[end]} never came to {speed} bit/s")
            time.sleep(0.01)

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([*self._outer, self._stop[0]], [], [])
            if self._stop[0] in ready:
                return
            for end, outer in enumerate(self._outer):
                if outer not in ready:
                    continue
                data = os.read(outer, 1024)
                speed = self.speed(end)
                if speed != self.speed(1 - end):
                    self.garbled += len(data)
                    data = bytes(byte ^ 0x55 for byte in data)
                elif not self.speeds or self.speeds[-1] != speed:
                    self.speeds.append(speed)
                os.write(self._outer[1 - end], data)
                with self._moved:
                    self._carried[end] += len(data)
                    self._moved.notify_all()
