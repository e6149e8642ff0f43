"""Commands of the programming mode, taken apart (IEC 62056-21, 6.3.5 to 6.3.8 and 6.5)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from elec_meter.flag.refusals import MalformedCommandError

IDENTIFIER_LIMIT: Final = 16
VALUE_LIMIT: Final = 128
UNIT_LIMIT: Final = 16

_FORM: Final = re.compile(
    rf"(?P<signed>(?P<letter>[A-Z])(?P<kind>[0-9])"
    rf"(?:\x02(?P<identifier>[^()*/!\r\n\x02]{{0,{IDENTIFIER_LIMIT}}})"
    rf"\((?P<value>[^()*/!\r\n\x02]{{0,{VALUE_LIMIT}}})"
    rf"(?:\*(?P<unit>[^()*/!\r\n\x02]{{1,{UNIT_LIMIT}}}))?\))?)"
    r"(?:\((?P<mac>[0-9A-Fa-f]{16})\))?(?P<end>[\x03\x04])"
)
_ETX: Final = "\x03"


class Command(NamedTuple):
    """A command.

    Attributes:
        letter: P, W, R, B or another.
        kind: its type, a digit.
        identifier: what it is about; empty without a data set.
        value: what stands in parentheses; None without a data set.
        unit: behind the value, or empty.
        mac: of a command that has one, otherwise empty.
        signed: what the MAC is about: the command up to it, and the ETX or EOT that ends it.
        is_last: False where further blocks follow.
    """

    letter: str
    kind: int
    identifier: str
    value: str | None
    unit: str
    mac: bytes
    signed: bytes
    is_last: bool


def parse_command(body: str) -> Command:
    """A command from what stands between SOH and BCC.

    Raises:
        MalformedCommandError: it has not that form, or goes beyond its limits.
    """
    match = _FORM.fullmatch(body)
    if match is None:
        raise MalformedCommandError("the command has not the form or the lengths of the standard")
    return Command(
        match["letter"],
        int(match["kind"]),
        match["identifier"] or "",
        match["value"],
        match["unit"] or "",
        bytes.fromhex(match["mac"] or ""),
        (match["signed"] + match["end"]).encode("ascii"),
        match["end"] == _ETX,
    )
