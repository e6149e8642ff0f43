"""What several commands of `pulse-unit` take: keys, digits, and what a meter is like."""

from typing import Any, Final

import click

from pulse_unit.config import (
    WEIGHT_1_FT3_NL,
    WEIGHT_1_L_NL,
    WEIGHT_10_L_NL,
    WEIGHT_100_L_NL,
)
from shared.options import FiniteRange

WEIGHTS_NL: Final = {
    "1l": WEIGHT_1_L_NL,
    "10l": WEIGHT_10_L_NL,
    "100l": WEIGHT_100_L_NL,
    "1ft3": WEIGHT_1_FT3_NL,
}
METER: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--weight"],
        type=click.Choice(list(WEIGHTS_NL)),
        default="10l",
        show_default=True,
        help="The volume of a pulse.",
    ),
    click.Option(
        ["--flow-max", "flow_max_m3_h"],
        type=FiniteRange(0.1, 1_000),
        default=6.0,
        show_default=True,
        metavar="M3H",
        help="The meter's greatest flow.",
    ),
)


class Key(click.ParamType[bytes]):
    """An AES key as 32 hexadecimal digits."""

    name = "key"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the 16 bytes of ``value``, or fail as a usage error that does not quote it."""
        if isinstance(value, bytes):
            return value
        try:
            key = bytes.fromhex(str(value))
        except ValueError:
            key = b""
        if len(key) != 16:
            self.fail("a key is 32 hexadecimal digits.", param, ctx)
        return key


class Digits(click.ParamType[str]):
    """So many decimal digits."""

    name = "digits"

    def __init__(self, count: int) -> None:
        self._count = count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return ``value``, or fail as a usage error."""
        digits = str(value)
        if len(digits) != self._count or not (digits.isascii() and digits.isdigit()):
            self.fail(f"{self._count} digits are wanted.", param, ctx)
        return digits


class Whole(click.ParamType[int]):
    """A whole number within bounds, in the digits 0 to 9 alone."""

    name = "integer"

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail as a usage error."""
        text = str(value)
        digits = text.removeprefix("-")
        is_number = len(digits) <= 20 and digits.isascii() and digits.isdigit()
        if not is_number or not self._least <= int(text) <= self._most:
            self.fail(
                f"{text[:24]!r} is no whole number from {self._least} to {self._most}.", param, ctx
            )
        return int(text)
