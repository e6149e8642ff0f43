"""A Linux machine as a pulse unit, a Raspberry Pi for one: its clock, memory and peripherals.

One asyncio loop, which runs while the unit sleeps: nothing here is called at the same time as the
core. A part (Bluetooth, a serial line, pins) that is missing or breaks away is reported in one
sentence and tried again; the unit counts meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pulse_unit.board import Board
from pulse_unit.boards import mains
from pulse_unit.edges import TICK_MASK, EdgeBuffer
from pulse_unit.errors import ConfigError, PartLost
from pulse_unit.hal.memory import FileNvm
from shared.crypto.backend_cryptography import AesBlock
from shared.crypto.cmac import cmac

if TYPE_CHECKING:
    from pulse_unit.unit import PulseUnit
    from shared.label import UnitLabel

_STOP_S = 2.0
_PAUSE_MIN_S = 1.0
_PAUSE_MAX_S = 60.0
_STABLE_S = 60.0  # a part that has worked for so long starts its pauses anew
_ADDRESS_LABEL = b"halfhourly Bluetooth address"


class Part:
    """Something that a board has besides its clock and memory."""

    name = "part"
    has_radio = False  # whether it sends wireless M-Bus
    has_bluetooth = False

    def attach(self, board: LinuxBoard) -> None:
        """Get to know the board, whose unit runs by then; once, before `run`."""
        self.board = board

    async def run(self, opened: Callable[[], None]) -> None:
        """Work until something breaks; call ``opened`` once it does work.

        Raises:
            PartLost: with the sentence that is reported.
        """
        raise NotImplementedError

    def transmit(self, frame: bytes) -> None:
        """Send a radio frame, if it can."""

    def advertise(self, data: bytes) -> None:
        """Send an advert once, if it can."""

    def set_window(self, data: bytes | None) -> None:
        """Advertise so that centrals can connect, if it can; None ends that."""


class SyncedNvm(FileNvm):
    """A flash in a file, of which every operation has reached the disk when it returns.

    Raises:
        ConfigError: the file has another size, another process uses it, or it cannot be made.
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, page_count: int, page_size: int = 4096) -> None:
        file = Path(os.path.realpath(path))
        if not file.exists():
            try:
                _create_blank(file, page_count * page_size)
            except OSError as error:
                raise ConfigError(f"{path} cannot be made: {error.strerror}") from error
        elif file.stat().st_size != page_count * page_size:
            raise ConfigError(f"{path} is no memory of a unit with {page_count} pages")
        super().__init__(str(file), page_count, page_size)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise ConfigError(f"{path} is the memory of a unit that is running") from error
        if not file.exists() or not os.path.samestat(os.stat(self._file.fileno()), file.stat()):
            self.close()
            raise ConfigError(f"{path} was replaced while it was opened")

    def write(self, address: int, data: bytes | bytearray) -> None:
        """See `Nvm`."""
        super().write(address, data)
        os.fsync(self._file.fileno())

    def erase(self, page: int) -> None:
        """See `Nvm`."""
        super().erase(page)
        os.fsync(self._file.fileno())


def _create_blank(file: Path, size: int) -> None:
    """Make a blank memory, whole or not at all; one that another process makes first stays."""
    descriptor, made = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as blank:
            blank.write(b"\xff" * size)
            blank.flush()
            os.fsync(blank.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, file)
    finally:
        Path(made).unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def stop(tasks: Iterable[asyncio.Future[None]], limit_s: float = _STOP_S) -> None:
    """Cancel tasks and wait until they have ended.

    One that is within `asyncio.wait_for` can lose its cancellation before Python 3.12, and is
    cancelled once more after ``limit_s``; that is more than what tasks need to clean up.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=limit_s)


def static_address(key: bytes) -> bytes:
    """Return the Bluetooth address of the unit with this key: random static, first byte first.

    The same after every start, since it is part of what adverts are enciphered with; its two
    highest bits are ones (Core Specification, Vol 6, Part B, 1.3.2.1).
    """
    drawn = cmac(AesBlock, key, _ADDRESS_LABEL)[:6]
    return bytes([drawn[0] | 0xC0]) + drawn[1:]


class LinuxBoard(Board):
    """The board of one process.

    Args:
        label: serial, key and, where it is paired by Bluetooth, passkey.
        nvm: the memory.
        parts: what it has besides; they start with the unit.
        report: takes one sentence about a part that is lost or back.
        closed: the reed's level at the start. Where a part tells it later, True: should it rest
            closed, no closing is counted that was none.
        clock_ns: a clock that only rises, the kernel's monotonic one unless a test gives its own.
    """

    def __init__(
        self,
        label: UnitLabel,
        nvm: FileNvm,
        parts: Iterable[Part] = (),
        *,
        report: Callable[[str], None],
        closed: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.serial = label.serial
        self.key = label.key
        self.passkey = label.passkey or "000000"
        self.aes = AesBlock
        self.nvm = nvm
        self.edges = EdgeBuffer(1024)
        self.figures = mains()
        self.loop = asyncio.new_event_loop()
        self._memory = nvm
        self._parts = list(parts)
        self.has_radio = any(part.has_radio for part in self._parts)
        has_bluetooth = any(part.has_bluetooth for part in self._parts)
        self.address = static_address(label.key) if has_bluetooth else None
        self.report = report
        self._clock_ns = clock_ns
        self._start_ns = clock_ns()
        self._closed = closed
        self._inputs_on = 0
        self._inputs_seen = 0
        self._woken = asyncio.Event()
        self._is_powered = True
        self._tasks: list[asyncio.Task[None]] = []
        self._unit: PulseUnit | None = None

    @property
    def unit(self) -> PulseUnit:
        """The unit; only once it runs."""
        if self._unit is None:
            raise RuntimeError("a board has no unit before it is served")
        return self._unit

    def is_reed_closed(self) -> bool:
        """See `Board`."""
        return self._closed

    def park_reed(self, parked: bool, uptime_ms: int) -> None:
        """See `Board`. On mains nothing is saved by it: edges keep coming, none is missed."""

    def take_inputs(self) -> int:
        """See `Board`."""
        seen = self._inputs_seen | self._inputs_on
        self._inputs_seen = 0
        return seen

    def transmit(self, frame: bytes, uptime_ms: int) -> None:  # noqa: ARG002  sent at once
        """See `Board`."""
        for part in self._parts:
            part.transmit(frame)

    def advertise(self, data: bytes, uptime_ms: int) -> None:  # noqa: ARG002  sent at once
        """See `Board`."""
        for part in self._parts:
            part.advertise(data)

    def open_window(
        self,
        data: bytes,
        uptime_ms: int,  # noqa: ARG002  it opens at once
        until_ms: int,  # noqa: ARG002  the core closes it then
    ) -> None:
        """See `Board`."""
        for part in self._parts:
            part.set_window(data)

    def close_window(self) -> None:
        """See `Board`."""
        for part in self._parts:
            part.set_window(None)

    def uptime_ms(self) -> int:
        """See `Board`."""
        return self._uptime_ms(self._clock_ns())

    def sleep_until(self, uptime_ms: int) -> int:
        """See `Board`."""
        if self._unit is not None:  # its parts start when it is served first: at once
            self.loop.run_until_complete(self._sleep_until(uptime_ms))
        return self.uptime_ms()

    def serve(self, unit: PulseUnit) -> None:
        """See `Board`: starts the parts; what comes in meets the unit while it sleeps."""
        if self._unit is None:
            self._unit = unit
            for part in self._parts:
                part.attach(self)
                self._tasks.append(self.loop.create_task(self._keep(part)))

    def is_powered(self) -> bool:
        """See `Board`."""
        return self._is_powered

    def edge(self, closed: bool, at_ns: int | None = None) -> None:
        """Record that the reed has changed, at an instant of the monotonic clock or now."""
        at_ms = self._uptime_ms(self._clock_ns() if at_ns is None else at_ns)
        self._closed = closed
        self.edges.record(closed, max(0, at_ms) & TICK_MASK)
        self.wake()

    def set_input(self, flag: int, on: bool) -> None:
        """Record that a tamper loop, magnet sensor or button has changed."""
        self._inputs_on = self._inputs_on | flag if on else self._inputs_on & ~flag
        if on:
            self._inputs_seen |= flag
        self.wake()

    def wake(self) -> None:
        """End the unit's sleep: something has happened that may have moved its timers."""
        self._woken.set()

    def switch_off(self) -> None:
        """Let `pulse_unit.main.run` return."""
        self._is_powered = False
        self.wake()

    def close(self) -> None:
        """Stop the parts and close the memory."""
        # A part stops tasks of its own, and may have to cancel them again.
        self.loop.run_until_complete(stop(self._tasks, 5 * _STOP_S))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self._memory.close()

    def _uptime_ms(self, at_ns: int) -> int:
        return (at_ns - self._start_ns) // 1_000_000

    async def _sleep_until(self, uptime_ms: int) -> None:
        left_s = max(0, uptime_ms - self.uptime_ms()) / 1000
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._woken.wait()
        self._woken.clear()

    async def _keep(self, part: Part) -> None:
        """Run a part for ever, with pauses that grow while it cannot be had."""
        pause_s = _PAUSE_MIN_S
        lost = ""

        def opened() -> None:
            nonlocal lost
            if lost:
                self.report(f"{part.name} works again")
            lost = ""

        while True:
            began_s = self.loop.time()
            try:
                await part.run(opened)
                sentence = f"{part.name} has ended"
            except PartLost as error:
                sentence = str(error)
            except Exception as error:  # noqa: BLE001  whatever ends a part, the count goes on
                sentence = f"{part.name} has failed: {error!r}"
            if sentence != lost:
                self.report(sentence)
            lost = sentence
            if self.loop.time() - began_s > _STABLE_S:
                pause_s = _PAUSE_MIN_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_MAX_S)
