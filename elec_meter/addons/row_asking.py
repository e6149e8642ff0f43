"""A reader's side of a FLAG line: asks for the rows of a profile, sans I/O (IEC 62056-21, mode C).

Programming mode is entered without a sign-on: what the line itself may read is enough.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from elec_meter.addons.errors import LineGarbledError, LineRefusedError
from elec_meter.addons.messages import REQUEST, Message, MessageKind, MessageReader, block_check

BREAK: Final = b"\x01B0\x03q"
BLOCK_LIMIT: Final = 8_192
"""Bytes of one block, which has at most 16 rows."""
ROWS_LIMIT: Final = 1_600

_SELECT: Final = b"\x06061\r\n"
_ACK: Final = b"\x06"
_ROW: Final = re.compile(r"(?P<code>[^()]{0,24})(?P<cells>(?:\([^()]{0,32}\))+)")
_CELL: Final = re.compile(r"\((?:(?P<number>[0-9]{1,19})(?:\*[^()*]{1,8})?)?\)")
_REFUSED: Final = re.compile(r"\(ER[0-9]{2}\)")
_ASKED: Final = "%y%m%d%H%M%S"
_STAMP: Final = "%y-%m-%d %H:%M:%S"
_STAMP_CELL: Final = re.compile(r"\(([^()]{17})\)")

Cells: TypeAlias = tuple[int | None, ...]


class Row(NamedTuple):
    """A row of a profile.

    Attributes:
        end: of its period, UTC.
        cells: its other columns in order, the status first; None for what is not known yet.
    """

    end: datetime
    cells: Cells

    @property
    def is_final(self) -> bool:
        """Whether everything in it is known."""
        return None not in self.cells


class _Step(Enum):
    NOTHING = "nothing"
    IDENTIFICATION = "identification"
    CHALLENGE = "challenge"
    ROWS = "rows"


class RowsAsker:
    """Asks for the rows of a profile that are stamped from `first` to `last`, both included.

    It holds at most one block of `BLOCK_LIMIT` and what one feed brought, beside the rows: what
    nobody asked for is dropped.

    Args:
        code: the profile's OBIS code.
        first: UTC.
        last: UTC.
    """

    def __init__(self, code: str, first: datetime, last: datetime) -> None:
        checked = f"R3\x02{code}({first:{_ASKED}};{last:{_ASKED}})\x03".encode("ascii")
        self._command = b"\x01" + checked + bytes((block_check(checked),))
        self._step = _Step.NOTHING
        self._messages = MessageReader(BLOCK_LIMIT)
        self._rows: list[Row] = []

    def ask(self) -> bytes:
        """What begins; rows that came already will come again."""
        self._step, self._rows = _Step.IDENTIFICATION, []
        self._messages.asked()
        return REQUEST

    def receive_data(self, data: bytes) -> tuple[bytes, list[Row] | None]:
        """Take what the meter sent.

        Returns:
            What is to be sent, and the rows once all are there.

        Raises:
            LineRefusedError: the meter will not say.
            LineGarbledError: it is no answer; `ask` begins anew.
        """
        self._messages.feed(data)
        try:
            sent, rows = self._taken()
        except (LineGarbledError, LineRefusedError):
            self._step = _Step.NOTHING
            self._messages.clear()
            raise
        if self._step is _Step.NOTHING:
            self._messages.pass_over()
        return sent, rows

    def _taken(self) -> tuple[bytes, list[Row] | None]:
        sent = b""
        while self._step is not _Step.NOTHING and (message := self._messages.read()) is not None:
            if self._step is _Step.IDENTIFICATION:
                self._step = _Step.CHALLENGE
                sent += _SELECT
            elif self._step is _Step.CHALLENGE:
                _require(MessageKind.COMMAND, message)
                if not message.text.startswith("P0\x02"):
                    raise LineRefusedError(
                        "the meter has no programming mode, which takes a password of its own"
                    )
                self._step = _Step.ROWS
                sent += self._command
            else:
                _require(MessageKind.BLOCK, message)
                self._rows += _rows(message.text[:-1])
                if len(self._rows) > ROWS_LIMIT:
                    raise LineGarbledError(f"an answer has at most {ROWS_LIMIT} rows")
                if message.is_last:
                    self._step = _Step.NOTHING
                    return sent + BREAK, self._rows
                sent += _ACK
        return sent, None


def _require(kind: MessageKind, message: Message) -> None:
    if message.kind is not kind:
        raise LineGarbledError("the meter answers something else")


def _rows(text: str) -> list[Row]:
    if _REFUSED.fullmatch(text):
        raise LineRefusedError(f"the meter refuses to say the rows of the profile: {text[1:-1]}")
    rows: list[Row] = []
    for line in text.removesuffix("\r\n").split("\r\n"):
        match = _ROW.fullmatch(line)
        if match is None:
            raise LineGarbledError(f"{line[:40]!r} is no row")
        if match["cells"] != "()":
            rows.append(_row(match["cells"]))
    return rows


def _row(cells: str) -> Row:
    stamp = _STAMP_CELL.match(cells)
    found = list(_CELL.finditer(cells, stamp.end())) if stamp else []
    if stamp is None or "".join(each[0] for each in found) != cells[stamp.end() :]:
        raise LineGarbledError(f"{cells[:40]!r} are no cells of a row")
    try:
        end = datetime.strptime(stamp[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise LineGarbledError(f"{stamp[1]!r} is no time") from None
    numbers = (each["number"] for each in found)
    return Row(end, tuple(None if number is None else int(number) for number in numbers))
