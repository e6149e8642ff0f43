"""A terminal block on the lines of a GPIO chip, through libgpiod 2."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from elec_meter.errors import ConfigError, TerminalError

from .base import Edge, TerminalBlock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000
_BUFFERED: Final = 1_024


class GpioBlock(TerminalBlock):
    """Outputs that drive relays, inputs that are contacts to ground, pulled up.

    Pulses are timed by the loop that runs; without one there are none.

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
            raise ConfigError("pins need the extra gpio: pip install 'halfhourly[gpio]'") from error
        self._gpiod = gpiod
        self._chip = chip
        self._outputs = dict(outputs)
        self._inputs = {offset: line for line, offset in inputs.items()}
        self._waiting: Counter[int] = Counter()
        self._sending: set[int] = set()
        self._request = self._requested()
        self._rest = self._at_rest()

    def switch(self, line: int, is_on: bool) -> None:
        """See `TerminalBlock`."""
        if line in self._outputs:
            self._set(line, is_on)

    def send_pulses(self, line: int, count: int, width_ms: int) -> None:
        """See `TerminalBlock`."""
        if line not in self._outputs or count < 1:
            return
        self._waiting[line] += count
        if line not in self._sending:
            self._sending.add(line)
            self._begin_pulse(line, width_ms / 1_000)

    def take_edges(self) -> list[Edge]:
        """See `TerminalBlock`."""
        edges, self._rest = self._rest, []
        try:
            while self._request.wait_edge_events(timedelta(0)):
                for event in self._request.read_edge_events():
                    is_closed = event.event_type is event.Type.RISING_EDGE
                    at = _EPOCH + timedelta(microseconds=event.timestamp_ns // _NANOSECONDS)
                    edges.append(Edge(self._inputs[event.line_offset], is_closed, at))
        except OSError as error:
            raise self._gone(error) from None
        return edges

    def close(self) -> None:
        """See `TerminalBlock`."""
        self._waiting.clear()
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

    def _at_rest(self) -> list[Edge]:
        """The contacts that are closed from the beginning."""
        active, now = self._gpiod.line.Value.ACTIVE, datetime.now(UTC)
        try:
            return [
                Edge(line, True, now)
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

    def _begin_pulse(self, line: int, width_s: float) -> None:
        if not self._waiting[line]:
            self._sending.discard(line)
            return
        self._waiting[line] -= 1
        self._set(line, True)
        asyncio.get_running_loop().call_later(width_s, self._end_pulse, line, width_s)

    def _end_pulse(self, line: int, width_s: float) -> None:
        self._set(line, False)
        asyncio.get_running_loop().call_later(width_s, self._begin_pulse, line, width_s)

    def _gone(self, error: OSError) -> TerminalError:
        return TerminalError(f"the lines of {self._chip} are gone: {error}")
