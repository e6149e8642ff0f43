"""A GPIO chip that is not there: as much of libgpiod's module as the meter uses."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from elec_meter.hal.gpio import _EPOCH

ACTIVE, INACTIVE = "active", "inactive"


class RequestReleasedError(Exception):
    """What libgpiod says to whoever uses lines that were handed back."""


class Request:
    """Lines that were handed over."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip

    def get_value(self, offset: int) -> str:
        """How a line is."""
        self.chip.check()
        return ACTIVE if offset in self.chip.active else INACTIVE

    def set_value(self, offset: int, value: str) -> None:
        """Have it so."""
        self.chip.check()
        is_on = value == ACTIVE
        (self.chip.active.add if is_on else self.chip.active.discard)(offset)
        self.chip.history.append((offset, is_on))

    def wait_edge_events(self, timeout: timedelta) -> bool:
        """Whether there are any; it never waits."""
        self.chip.check()
        assert timedelta(0) == timeout
        return bool(self.chip.events)

    def read_edge_events(self) -> list[Any]:
        """One at a time, as a small buffer has it."""
        self.chip.check()
        return [self.chip.events.pop(0)]

    def release(self) -> None:
        """Hand them back, once."""
        self.chip.check_held()
        self.chip.is_released = True


class Chip:
    """libgpiod's module and a chip in one.

    Attributes:
        active: offsets that are on or closed.
        history: what outputs did: offset, on or off.
        wanted: what was asked for, by offset.
        is_gone: whether it was unplugged.
        fails_after: how many calls it answers before it is; None for any number.
    """

    line = SimpleNamespace(
        Direction=SimpleNamespace(OUTPUT="output", INPUT="input"),
        Edge=SimpleNamespace(BOTH="both"),
        Bias=SimpleNamespace(PULL_UP="pull-up"),
        Clock=SimpleNamespace(REALTIME="realtime"),
        Value=SimpleNamespace(ACTIVE=ACTIVE, INACTIVE=INACTIVE),
    )
    LineSettings = dict

    def __init__(self) -> None:
        self.active: set[int] = set()
        self.history: list[tuple[int, bool]] = []
        self.events: list[Any] = []
        self.wanted: dict[int, dict[str, str]] = {}
        self.is_gone = self.is_released = False
        self.fails_after: int | None = None

    def request_lines(self, path: str, config: dict[Any, Any], **_: object) -> Request:
        """Hand over some lines."""
        self.is_released = False
        self.check()
        for offsets, settings in config.items():
            self.wanted |= dict.fromkeys(offsets, settings)
        return Request(self)

    def check_held(self) -> None:
        """Fail as lines do that were handed back."""
        if self.is_released:
            raise RequestReleasedError("GPIO lines have been released")

    def check(self) -> None:
        """Fail as a chip does that was unplugged, or lines that were handed back."""
        self.check_held()
        if self.fails_after is not None:
            self.fails_after -= 1
        if self.is_gone or (self.fails_after is not None and self.fails_after < 0):
            raise OSError(19, "No such device")

    def touch(self, offset: int, is_closed: bool, at: datetime) -> None:
        """A contact closes or opens; the kernel's clock says when."""
        kind = SimpleNamespace(RISING_EDGE="rising", FALLING_EDGE="falling")
        self.events.append(
            SimpleNamespace(
                Type=kind,
                event_type=kind.RISING_EDGE if is_closed else kind.FALLING_EDGE,
                line_offset=offset,
                timestamp_ns=(at - _EPOCH) // timedelta(microseconds=1) * 1_000,
            )
        )
