"""GPIO lines without a chip: what libgpiod's Python module gives, as far as it is used."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any


class Lines:
    """A request for GPIO lines, as libgpiod's Python gives it."""

    def __init__(self) -> None:
        self.fd, self._writing = os.pipe()
        self.events: list[SimpleNamespace] = []
        self.error: OSError | None = None
        self.active: set[int] = set()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        os.close(self._writing)

    def get_value(self, offset: int) -> object:
        """Active or not."""
        return Gpiod.line.Value.ACTIVE if offset in self.active else Gpiod.line.Value.INACTIVE

    def read_edge_events(self) -> list[SimpleNamespace]:
        """What has happened since."""
        if self.error:
            raise self.error
        os.read(self.fd, 100)
        events, self.events = self.events, []
        return events

    def happen(self, offset: int, active: bool, at_ns: int) -> None:
        """Change a line."""
        kind = SimpleNamespace(RISING_EDGE="rising", FALLING_EDGE="falling")
        self.events.append(
            SimpleNamespace(
                Type=kind,
                event_type=kind.RISING_EDGE if active else kind.FALLING_EDGE,
                line_offset=offset,
                timestamp_ns=at_ns,
            )
        )
        os.write(self._writing, b"x")

    def unplug(self) -> None:
        """Take the chip away."""
        self.error = OSError(19, "No such device")
        os.write(self._writing, b"x")


class Gpiod:
    """libgpiod's module, as far as it is used."""

    line = SimpleNamespace(
        Edge=SimpleNamespace(BOTH="both"),
        Bias=SimpleNamespace(PULL_UP="pull-up"),
        Value=SimpleNamespace(ACTIVE="active", INACTIVE="inactive"),
    )

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[Lines] = []
        self.LineSettings = dict
        self.active = {22}  # the tamper loop is closed

    def request_lines(self, path: str, **wanted: Any) -> Lines:
        """Hand over some lines."""
        self.requests.append((path, wanted))
        self.lines.append(Lines())
        self.lines[-1].active = self.active
        return self.lines[-1]
