"""What several commands of `pulse-unit` take: keys, digits, and what a meter is like."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import click

from pulse_unit.config import (
    WEIGHT_1_FT3_NL,
    WEIGHT_1_L_NL,
    WEIGHT_10_L_NL,
    WEIGHT_100_L_NL,
)
from shared import private_file
from shared.errors import UnitsError
from shared.options import FiniteRange
from shared.units import PulseWeight

_WHOLE: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)

_NL_PER_L: Final = 10**9
_WEIGHTS_NL: Final = (WEIGHT_1_L_NL, WEIGHT_10_L_NL, WEIGHT_100_L_NL, WEIGHT_1_FT3_NL)


class _Weight(click.ParamType[int]):
    """The volume of a pulse as a badge gives it, in nanolitres."""

    name = "volume"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it, or fail as a usage error."""
        if isinstance(value, int):
            return value
        try:
            weight_nl = PulseWeight.parse(str(value)).litres_per_pulse * _NL_PER_L
        except UnitsError as error:
            self.fail(f"{error}.", param, ctx)
        if weight_nl not in _WEIGHTS_NL:
            known = [str(PulseWeight(Fraction(each, _NL_PER_L))) for each in _WEIGHTS_NL]
            last = known.pop()
            self.fail(f"a pulse is {', '.join(known)} or {last}, not {value}.", param, ctx)
        return int(weight_nl)


METER: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--weight", "weight_nl"],
        type=_Weight(),
        default="0.01 m3",
        show_default=True,
        metavar="VOLUME",
        help="One pulse: '0.001 m3', '0.01 m3', '0.1 m3' or '1 ft3'; 10l is 0.01 m3.",
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


class _Bytes(click.ParamType[bytes]):
    """So many bytes as hexadecimal digits; a value that is refused is not quoted."""

    _length: int
    _separator: str
    _sentence: str

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes of ``value``, or fail as a usage error."""
        if isinstance(value, bytes):
            return value
        try:
            data = bytes.fromhex(str(value).replace(self._separator, ""))
        except ValueError:
            data = b""
        if len(data) != self._length:
            self.fail(self._sentence, param, ctx)
        return data


class Key(_Bytes):
    """An AES key."""

    name = "key"
    _length = 16
    _separator = " "  # as `bytes.fromhex` has it
    _sentence = "a key is 32 hexadecimal digits."


class MacAddress(_Bytes):
    """A Bluetooth address, first byte first."""

    name = "address"
    _length = 6
    _separator = ":"
    _sentence = "an address is like C0:FF:EE:12:34:56."


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


class Whole(click.IntRange):
    """A whole number within bounds, in the digits 0 to 9 alone."""

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail as a usage error."""
        text = str(value)
        if not _WHOLE.fullmatch(text):
            self.fail(f"{text[:24]!r} is no whole number.", param, ctx)
        return int(super().convert(int(text), param, ctx))


def write_new(path: str, text: str, *, force: bool) -> None:
    """Write a file that only its owner may read; one that is replaced is whole, old or new.

    With ``force`` one that is there is replaced, else it is refused with a sentence.
    """
    try:
        (private_file.replace if force else private_file.create)(Path(path), text.encode())
    except FileExistsError as error:
        raise click.ClickException(f"{path} exists already: --force replaces it.") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error


# How often a unit that runs speaks, as it is asked of the commands that run one.
PERIODS: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--telegram-period"],
        type=Whole(0, 86_400),
        default=900,
        show_default=True,
        metavar="S",
        help="Seconds between telegrams; 0: none.",
    ),
    click.Option(
        ["--advert-period"],
        type=Whole(0, 3_600),
        default=60,
        show_default=True,
        metavar="S",
        help="Seconds between adverts; 0: none.",
    ),
)
