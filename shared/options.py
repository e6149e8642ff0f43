"""Option types that the commands of several packages share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import click

_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def example(*lines: str) -> str:
    """An epilog of a command's help: how it is used, one line each, not wrapped."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def propose_nearest(ctx: click.Context, name: str, names: Iterable[str]) -> None:
    """Refuse a command that is nobody's as misuse, naming the one that was probably meant.

    Click does so itself, but not for commands that are loaded when they are asked for.

    Raises:
        click.UsageError: there is none of this name, and one that is like it.
    """
    known = tuple(names)
    if name not in known and not ctx.resilient_parsing:
        for near in get_close_matches(name, known, 1):
            ctx.fail(f"No such command {name!r}. Did you mean {near!r}?")


class WholeRange(click.IntRange):
    """A whole number within bounds that are named when it is not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if not re.fullmatch(r"-?[0-9]{1,18}", str(value), re.ASCII):
            self.fail(f"{value!r} is no whole number from {self.min} to {self.max}.", param, ctx)
        return int(super().convert(value, param, ctx))


class Port(click.ParamType[str]):
    """A serial device, or `socket://HOST:PORT`."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the device or the URL."""
        from shared.serial_port import is_port

        if not is_port(str(value)):
            self.fail("write socket://HOST:PORT.", param, ctx)
        return str(value)


class FiniteRange(click.FloatRange):
    """A number within bounds; `nan` is within none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        if not str(value).isascii() or "_" in str(value):  # which Python would take
            self.fail(f"{value!r} is no number", param, ctx)
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class Duration(click.ParamType[timedelta]):
    """A length of time such as `90s`, `26h` or `1d12h`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the positive length of time that `value` names."""
        if isinstance(value, timedelta):
            return value
        if not re.fullmatch(r"([0-9]{1,9}[smhdw])+", value):
            self.fail(f"{value!r} is no length of time; write 90s, 26h or 1d12h.", param, ctx)
        parts = re.findall(r"(\d+)([smhdw])", value)
        try:
            length = sum((timedelta(**{_UNIT[u]: int(n)}) for n, u in parts), timedelta())
        except OverflowError:
            self.fail(f"{value!r} is longer than any meter lasts.", param, ctx)
        if not length:
            self.fail(f"{value!r} is no time at all.", param, ctx)
        return length


class Day(click.DateTime):
    """A calendar day such as `2026-03-29`, of 1970 to 2099."""

    name = "date"

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return its midnight, without a time zone."""
        day: datetime = super().convert(value, param, ctx)
        if not 1970 <= day.year < 2100:
            self.fail(f"{value!r} is outside 1970-2099.", param, ctx)
        return day


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601; UTC unless it names an offset."""

    name = "iso8601"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the instant in UTC, whole seconds."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
            instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no instant; write 2025-10-25T23:00:00Z.", param, ctx)
        if not 1970 <= instant.year < 2100:
            self.fail(f"{value!r} is outside 1970-2099.", param, ctx)
        return instant.replace(microsecond=0)
