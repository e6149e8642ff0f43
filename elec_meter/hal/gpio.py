"""A terminal block on the lines of a GPIO chip, through libgpiod 2."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from elec_meter.errors import ConfigError, TerminalError
from shared.extras import installing

from .base import ContactEdge, TerminalBlock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND_NS: Final = 1_000
_BUFFERED: Final = 1_024


@dataclass
class _Pulses:
    """What a line has to send: so many pulses of a width each, in the order in which they came.

    A pulse leaves the queue once the line is on. While a timer runs the line is on, or rests for as
    long as it was.
    """

    queue: deque[tuple[int, float]] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None
    width_s: float = 0.0
    is_on: bool = False


class GpioBlock(TerminalBlock):
    """Outputs that drive relays, inputs that are contacts to ground, pulled up.

    Pulses are timed by the loop that runs. Where the lines fail while they are sent, the next
    `switch` or `take_edges` raises it, and what was not sent goes out before the next ones.

    Args:
        chip: its path, such as `/dev/gpiochip0`.
        outputs: the offset of each line that is switched.
        inputs: the offset of each line that is listened to.

    Raises:
        ConfigError: the library is missing.
        TerminalError: the lines cannot be had.
    """

    def __init__(self, chip: str, outputs: Mapping[int, int], inputs: Mapping[int, int]) -> None:
        try:
            import gpiod
        except ImportError as error:
            raise ConfigError("pins need the extra gpio: " + installing("gpio")) from error
        self._gpiod = gpiod
        self._chip = chip
        self._outputs = dict(outputs)
        self._inputs = {offset: line for line, offset in inputs.items()}
        self._pulses = {line: _Pulses() for line in self._outputs}
        self._failure: TerminalError | None = None
        self._is_closed = False
        self._request = self._requested()
        self._rest = self._at_rest()

    def switch(self, line: int, is_on: bool) -> None:
        """See `TerminalBlock`; what is switched is so, also where an earlier failure is raised."""
        if line in self._outputs:
            self._set(line, is_on)
            self._raise_failure()

    def send_pulses(self, line: int, count: int, width_ms: int) -> None:
        """See `TerminalBlock`.

        Raises:
            TerminalError: the lines are gone; the pulses wait for the next ones.
            RuntimeError: no loop runs.
        """
        if line not in self._outputs or count < 1:
            return
        pulses = self._pulses[line]
        pulses.queue.append((count, width_ms / 1_000))
        if pulses.timer is None:
            self._go_on(line)

    def take_edges(self) -> list[ContactEdge]:
        """See `TerminalBlock`."""
        self._raise_failure()
        edges, self._rest = self._rest, []
        try:
            while self._request.wait_edge_events(timedelta(0)):
                for event in self._request.read_edge_events():
                    is_closed = event.event_type is event.Type.RISING_EDGE
                    at = _EPOCH + timedelta(microseconds=event.timestamp_ns // _MICROSECOND_NS)
                    edges.append(ContactEdge(self._inputs[event.line_offset], is_closed, at))
        except OSError as error:
            self._rest = edges
            raise self._gone(error) from None
        return edges

    def close(self) -> None:
        """See `TerminalBlock`; a pulse that is under way ends."""
        if self._is_closed:
            return
        self._is_closed = True
        for line, pulses in self._pulses.items():
            pulses.queue.clear()
            if pulses.timer is not None:
                pulses.timer.cancel()
            if pulses.is_on:
                with suppress(TerminalError):  # lines that are gone are on no longer
                    self._set(line, False)
        self._request.release()

    def _requested(self) -> Any:
        line = self._gpiod.line
        config: dict[Any, Any] = {}
        if self._outputs:
            config[tuple(self._outputs.values())] = self._gpiod.LineSettings(
                direction=line.Direction.OUTPUT
            )
        if self._inputs:
            config[tuple(self._inputs)] = self._gpiod.LineSettings(
                direction=line.Direction.INPUT,
                edge_detection=line.Edge.BOTH,
                bias=line.Bias.PULL_UP,
                active_low=True,
                event_clock=line.Clock.REALTIME,
            )
        try:
            return self._gpiod.request_lines(
                self._chip, consumer="elec-meter", config=config, event_buffer_size=_BUFFERED
            )
        except (OSError, ValueError) as error:
            raise TerminalError(f"the lines of {self._chip} cannot be had: {error}") from None

    def _at_rest(self) -> list[ContactEdge]:
        """The contacts that are closed from the beginning."""
        active, now = self._gpiod.line.Value.ACTIVE, datetime.now(UTC)
        try:
            return [
                ContactEdge(line, True, now)
                for offset, line in self._inputs.items()
                if self._request.get_value(offset) is active
            ]
        except OSError as error:
            raise self._gone(error) from None

    def _set(self, line: int, is_on: bool) -> None:
        value = self._gpiod.line.Value
        try:
            self._request.set_value(self._outputs[line], value.ACTIVE if is_on else value.INACTIVE)
        except OSError as error:
            raise self._gone(error) from None

    def _go_on(self, line: int) -> None:
        """The next edge of a line's pulses, and the timer of the one after it."""
        pulses = self._pulses[line]
        pulses.timer = None
        if not (pulses.is_on or pulses.queue):
            return
        loop = asyncio.get_running_loop()
        self._set(line, not pulses.is_on)
        pulses.is_on = not pulses.is_on
        if pulses.is_on:
            count, pulses.width_s = pulses.queue.popleft()
            if count > 1:
                pulses.queue.appendleft((count - 1, pulses.width_s))
        pulses.timer = loop.call_later(pulses.width_s, self._timer, line)

    def _timer(self, line: int) -> None:
        try:
            self._go_on(line)
        except TerminalError as error:
            self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _gone(self, error: OSError) -> TerminalError:
        return TerminalError(f"the lines of {self._chip} are gone: {error}")
