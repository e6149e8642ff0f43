"""A terminal block that is nothing but memory: for tests, and for meters without hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from .base import ContactEdge, TerminalBlock


class VirtualBlock(TerminalBlock):
    """Every line is there.

    Args:
        now: the host's UTC, for the instants of edges.

    Attributes:
        outputs: what was switched, by line.
        pulses: what was sent, by line.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.outputs: dict[int, bool] = {}
        self.pulses: Counter[int] = Counter()
        self._edges: list[ContactEdge] = []

    def switch(self, line: int, is_on: bool) -> None:
        """See `TerminalBlock`."""
        self.outputs[line] = is_on

    def send_pulses(self, line: int, count: int, width_ms: int) -> None:  # noqa: ARG002 - memory has no need of a width
        """See `TerminalBlock`."""
        self.pulses[line] += count

    def take_edges(self) -> list[ContactEdge]:
        """See `TerminalBlock`."""
        edges, self._edges = self._edges, []
        return edges

    def close(self) -> None:
        """See `TerminalBlock`."""

    def touch(self, line: int, is_closed: bool) -> None:
        """A contact closes or opens now."""
        self._edges.append(ContactEdge(line, is_closed, self._now()))
