"""What the commands of `pulse-unit` take as values: keys and digits."""

from typing import Any

import click


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
