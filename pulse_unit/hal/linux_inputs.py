"""Where a Linux board's reed and switches come from: pins, or lines of text on standard input."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET, INPUT_TAMPER
from pulse_unit.errors import ConfigError, PartLost
from pulse_unit.hal.linux import Part
from shared.extras import installing

REED = 0  # beside the inputs of `pulse_unit.board`: what a line's changes are
_LINE_MAX = 80
_READ_MAX = 4096
_WORDS = {
    "tamper": (INPUT_TAMPER, True),
    "tamper gone": (INPUT_TAMPER, False),
    "magnet": (INPUT_MAGNET, True),
    "magnet gone": (INPUT_MAGNET, False),
    "button": (INPUT_BUTTON, True),
    "button gone": (INPUT_BUTTON, False),
}


class TextInputs(Part):
    """A reed whose changes come as lines: `closed`, `open`; switches as `button`, `button gone`.

    The stream stays as it is: others may use it, as a shell does a terminal.

    Args:
        stream: a pipe, socket or terminal; its end is not the unit's.
    """

    name = "standard input"

    def __init__(self, stream: IO[Any] | None = None) -> None:
        self._stream: IO[Any] | None = stream or sys.stdin
        self._begun = b""  # of a line
        self._misspelt = ""

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        if self._stream is None or self._stream.closed:
            raise PartLost("standard input is closed")
        descriptor = self._stream.fileno()
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or self._stream.isatty()):
            raise PartLost("standard input is no pipe and no terminal")
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, self._read, descriptor, lost)
        opened()
        try:
            await lost
        finally:
            loop.remove_reader(descriptor)

    def _read(self, descriptor: int, lost: asyncio.Future[None]) -> None:
        try:
            data = os.read(descriptor, _READ_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            if not lost.done():
                lost.set_exception(PartLost(f"standard input is gone: {error}"))
            return
        if not data:  # nothing more will come
            asyncio.get_running_loop().remove_reader(descriptor)
            data = b"\n"
        *lines, begun = (self._begun + data).split(b"\n")
        self._begun = begun[: _LINE_MAX + 1]
        for line in lines:
            self._take(line[:_LINE_MAX].decode("ascii", "replace").strip().lower())

    def _take(self, word: str) -> None:
        if word in ("closed", "open"):
            self.board.edge(word == "closed")
        elif word in _WORDS:
            self.board.set_input(*_WORDS[word])
        elif word and word != self._misspelt:
            self._misspelt = word
            self.board.report(f"standard input: there is no word {word[:20]!r}")


class GpioInputs(Part):
    """Lines of one GPIO chip, through libgpiod 2: contacts to ground, pulled up.

    A closed contact is an active line. The reed's edges carry the kernel's instants.

    Args:
        chip: its name or path, such as `gpiochip0`.
        lines: what each line is: `REED`, `INPUT_TAMPER` (a loop that is closed when all is well),
            `INPUT_MAGNET` or `INPUT_BUTTON`, by its offset.

    Raises:
        ConfigError: the library is missing.
    """

    def __init__(self, chip: str, lines: Mapping[int, int]) -> None:
        try:
            import gpiod
        except ImportError as error:
            raise ConfigError("pins need the extra gpio: " + installing("gpio")) from error
        self._gpiod = gpiod
        self._chip = chip if chip.startswith("/") else f"/dev/{chip}"
        self._lines = dict(lines)
        self.name = chip

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        try:
            request = self._request()
        except (OSError, ValueError) as error:
            raise PartLost(f"the lines of {self._chip} cannot be had: {error}") from error
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        with request:
            for offset in self._lines:
                active = request.get_value(offset) is self._gpiod.line.Value.ACTIVE
                self._changed(offset, active, None)
            loop.add_reader(request.fd, self._take, request, lost)
            opened()
            try:
                await lost
            finally:
                loop.remove_reader(request.fd)

    def _request(self) -> Any:
        line = self._gpiod.line
        settings = self._gpiod.LineSettings(
            edge_detection=line.Edge.BOTH, bias=line.Bias.PULL_UP, active_low=True
        )
        return self._gpiod.request_lines(
            self._chip,
            consumer="pulse-unit",
            config={tuple(self._lines): settings},
            event_buffer_size=1024,
        )

    def _take(self, request: Any, lost: asyncio.Future[None]) -> None:
        try:
            events = request.read_edge_events()
        except OSError as error:
            if not lost.done():
                lost.set_exception(PartLost(f"the lines of {self._chip} are gone: {error}"))
            return
        for event in events:
            active = event.event_type is event.Type.RISING_EDGE
            self._changed(event.line_offset, active, event.timestamp_ns)

    def _changed(self, offset: int, active: bool, at_ns: int | None) -> None:
        meaning = self._lines[offset]
        if meaning == REED:
            if at_ns is not None or active != self.board.is_reed_closed():
                self.board.edge(active, at_ns)
        elif meaning == INPUT_TAMPER:
            self.board.set_input(meaning, not active)
        else:
            self.board.set_input(meaning, active)
