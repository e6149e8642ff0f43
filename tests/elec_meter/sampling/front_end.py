"""A front end for tests: frames of a mains, and a pseudo-terminal to say them on."""

from __future__ import annotations

import os
import termios
import threading
import tty
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Self

from elec_meter.sampling import (
    ConstantLoad,
    Converter,
    SampleFrame,
    SyntheticMains,
    encode_frame,
)

ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)


def mains(bits: int = 16, rate_hz: int = 4000) -> SyntheticMains:
    """A kilowatt."""
    return SyntheticMains(
        rate_hz=rate_hz,
        seed=3,
        anchor_utc=ANCHOR,
        load=ConstantLoad(1_000.0),
        converter=Converter(bits=bits),
    )


def frames(source: SyntheticMains, seconds: int, pairs: int = 200) -> Iterator[SampleFrame]:
    """Its samples from the first on."""
    for number, block in enumerate(source.blocks(pairs)):
        if block.first_sample >= seconds * source.rate_hz:
            return
        yield SampleFrame(
            number % 256, source.rate_hz, block.first_sample, block.voltage, block.current
        )


def said(given: list[SampleFrame]) -> list[bytes]:
    """The bytes of each."""
    return [encode_frame(frame) for frame in given]


class FrontEnd:
    """A pseudo-terminal, and a thread that says what it is told to until it is unplugged.

    Attributes:
        heard: set when somebody listens; nothing is said before.
    """

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave = slave
        self.heard = threading.Event()
        self._over = False
        self._threads: list[threading.Thread] = []

    def say(self, data: bytes) -> None:
        """Send bytes, as fast as they are read."""
        thread = threading.Thread(target=self._write, args=(data,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write(self, data: bytes) -> None:
        self.heard.wait(20)
        while data and not self._over:
            try:
                data = data[os.write(self._master, data) :]
            except OSError:
                return

    def unplug(self) -> None:
        """Take it away, when all was said."""
        self.heard.set()
        for thread in self._threads:
            thread.join(20)
        for descriptor in (self._slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)
        self._slave = self._master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        while self._slave >= 0 and any(thread.is_alive() for thread in self._threads):
            # Nobody reads what is still to be said: it makes room for itself, and ends.
            self.heard.set()
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self._threads[-1].join(0.01)
        self.unplug()
