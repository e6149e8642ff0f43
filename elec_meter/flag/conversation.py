"""What is said in programming mode: sign-on, reads and writes of one session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from elec_meter.access import (
    COST_LOG2,
    SEED_BYTES,
    Gate,
    Level,
    SignedOn,
    SignOnRefusedError,
)
from elec_meter.errors import MeterError, StorageLostError
from elec_meter.flag.command import VALUE_LIMIT, Command, parse_command
from elec_meter.flag.framing import ACKNOWLEDGED, answer_message, command_message
from elec_meter.flag.line import FlagLine
from elec_meter.flag.reading import place_of, read_lines
from elec_meter.flag.refusals import (
    BadValueError,
    MacMissingError,
    TooLongError,
    UnknownCommandError,
    refusal_message,
)
from elec_meter.flag.states import Event
from elec_meter.flag.texts import given_of, text_of
from elec_meter.objects import Actions, Directory

DOCUMENT_LIMIT: Final = 131_072
"""Characters of a document that is written in blocks."""

BLOCK_LINES: Final = 16
BLOCK_VALUES: Final = 8
"""Lines in a partial block; one of more values counts as another for every so many."""

_REFUSAL: Final = "ER"
_LINE_END: Final = "\r\n"
_COMPACT: Final = frozenset({5, 6})
_IN_BLOCKS: Final = frozenset({3, 6})
_TYPES: Final = frozenset({1, 3, 5, 6})
_VALUES: Final = re.compile(r"\([^()]*\)")
_PROOF: Final = re.compile(r"(?P<level>[1-3]),(?P<proof>[0-9A-Fa-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProgrammingDesk:
    """Where a port's programming leads to.

    Attributes:
        gate: who is let in.
        now: gives the host's UTC as the meter is told it; lock-outs and the event log go by it.
        directory: gives what there is to read and write now.
        actions: gives what an author may do at a level.
        clear_levels: gives the levels of which a clear password is taken.
        draw: gives so many bytes that nobody can guess.
    """

    gate: Gate
    now: Callable[[], datetime]
    directory: Callable[[], Directory]
    actions: Callable[[Level, str], Actions]
    clear_levels: Callable[[], tuple[Level, ...]]
    draw: Callable[[int], bytes]


class Answer(NamedTuple):
    """What a command came to, and the message that says so."""

    event: Event
    message: bytes


@dataclass(slots=True)
class _Draft:
    """A value that comes in blocks, as far as it has come."""

    head: tuple[int, str]
    text: str
    blocks: int


class Conversation:
    """One programming session; it begins with a challenge, at level 0.

    Args:
        desk: where it leads to.
        line: of which line it is.
        durable: called before values are read, and before anybody is told that they are let in.
    """

    def __init__(self, desk: ProgrammingDesk, line: FlagLine, durable: Callable[[], None]) -> None:
        self._desk = desk
        self._line = line
        self._durable = durable
        self._seed = desk.draw(SEED_BYTES)
        self._who: SignedOn | None = None
        self._blocks: list[bytes] = []
        self._draft: _Draft | None = None
        self._refusal = ""

    @property
    def level(self) -> Level:
        """What whoever speaks may do."""
        return self._line.level if self._who is None else self._who.level

    @property
    def size(self) -> int:
        """Bytes and characters that it keeps for what comes next."""
        draft = 0 if self._draft is None else len(self._draft.text)
        return draft + sum(map(len, self._blocks))

    def challenge(self) -> bytes:
        """`P0` with seed, salt and the cost of the password's hash."""
        seed, salt = self._seed.hex().upper(), self._desk.gate.salt.hex().upper()
        return command_message("P0", f"({seed},{salt},{COST_LOG2})")

    def answer(self, body: str) -> Answer:
        """What a command, `body` with its ETX or EOT, is answered with."""
        self._blocks = []
        draft, self._draft = self._draft, None
        try:
            command = parse_command(body)
            if command.letter == "P":
                return self._sign_on(command)
            if command.letter == "R" and command.kind in _TYPES and command.is_last:
                return self._read(command)
            if command.letter == "W" and command.kind in _TYPES:
                return self._write(command, draft)
            raise UnknownCommandError(f"there is no command {command.letter}{command.kind}")
        except StorageLostError:
            raise
        except MeterError as error:
            self._refusal = text_of(str(error), VALUE_LIMIT)
            refused_in = isinstance(error, SignOnRefusedError)
            event = Event.SIGN_ON_REFUSED if refused_in else Event.ANSWERED
            return Answer(event, refusal_message(error))

    def next_block(self) -> Answer:
        """The next block of an answer, once the one before it has arrived."""
        message = self._blocks.pop(0)
        return Answer(Event.BLOCK if self._blocks else Event.ANSWERED, message)

    def _sign_on(self, command: Command) -> Answer:
        if command.kind not in (1, 2) or command.value is None or command.identifier:
            raise UnknownCommandError(f"there is no command P{command.kind} of this form")
        match = None if command.kind == 1 else _PROOF.fullmatch(command.value)
        if command.kind != 1 and match is None:
            raise BadValueError("a proof is written as level,64 hexadecimal digits")
        seed, self._seed = self._seed, b""
        if not seed:
            raise SignOnRefusedError("a seed is good for one sign-on")
        gate, port, now = self._desk.gate, self._line.port, self._desk.now()
        try:
            if match is None:
                levels = () if self._line.is_exposed else self._desk.clear_levels()
                who = gate.sign_on_clear(port, command.value, levels, now)
            else:
                proof, level = bytes.fromhex(match["proof"]), Level(int(match["level"]))
                who = gate.sign_on(port, level, proof, seed, now)
        finally:
            self._durable()  # a failure that a power cut undoes would be another attempt
        self._who = who
        return Answer(Event.ANSWERED, ACKNOWLEDGED)

    def _read(self, command: Command) -> Answer:
        identifier, value = command.identifier, command.value or ""
        if identifier == _REFUSAL:
            return Answer(Event.ANSWERED, answer_message([f"{_REFUSAL}({self._refusal})"]))
        if command.unit:
            raise BadValueError("a read has no unit")
        self._durable()
        lines = read_lines(
            self._desk.directory(),
            self.level,
            identifier,
            value,
            is_compact=command.kind in _COMPACT,
        )
        if command.kind not in _IN_BLOCKS:
            return Answer(Event.ANSWERED, answer_message(lines))
        *others, last = _in_blocks(lines)
        self._blocks = [answer_message([block], is_last=False) for block in others]
        self._blocks.append(answer_message([last]))
        return self.next_block()

    def _write(self, command: Command, draft: _Draft | None) -> Answer:
        who, value = self._who, command.value
        if who is None:
            raise UnknownCommandError("a write comes after a sign-on")
        if value is None or command.unit:
            raise BadValueError("a write has one value without a unit")
        head = (command.kind, command.identifier)
        if draft is None or draft.head != head:
            draft = _Draft(head, "", 0)
        if command.mac:
            who.check_mac(command.signed, command.mac, draft.blocks)
        elif self._line.is_exposed and who.level >= Level.INSTALLER:
            raise MacMissingError("a write at this level needs a MAC, or TLS, over this line")
        value = draft.text + value
        if len(value) > DOCUMENT_LIMIT:
            raise TooLongError(f"a document has at most {DOCUMENT_LIMIT} characters")
        if not command.is_last:
            if command.kind not in _IN_BLOCKS:
                raise UnknownCommandError("only types 3 and 6 come in blocks")
            self._draft = _Draft(head, value, draft.blocks + 1)
            return Answer(Event.ANSWERED, ACKNOWLEDGED)
        self._apply(who, command.identifier, value, is_compact=command.kind in _COMPACT)
        return Answer(Event.ANSWERED, ACKNOWLEDGED)

    def _apply(self, who: SignedOn, identifier: str, text: str, *, is_compact: bool) -> None:
        each, number, is_method = place_of(self._desk.directory(), identifier)
        entry = each.method(number) if is_method else each.entry(number)
        value = given_of(entry.form, text, is_compact=is_compact)
        actions = self._desk.actions(who.level, who.author)
        if is_method:
            each.invoke(number, value, actions)
        else:
            each.write(number, value, actions)


def _in_blocks(lines: list[str]) -> list[str]:
    """The text of an answer in pieces, which joined are the whole."""
    pieces = [piece for line in lines for piece in _pieces(line)]
    pieces[-1] = pieces[-1].removesuffix(_LINE_END)
    starts = range(0, len(pieces), BLOCK_LINES)
    return ["".join(pieces[at : at + BLOCK_LINES]) for at in starts]


def _pieces(line: str) -> Iterator[str]:
    """A line with its end; one of many values in pieces of a few."""
    name, mark, rest = line.partition("(")
    values = _VALUES.findall(mark + rest)
    for at in range(0, len(values), BLOCK_VALUES):
        end = _LINE_END if at + BLOCK_VALUES >= len(values) else ""
        yield ("" if at else name) + "".join(values[at : at + BLOCK_VALUES]) + end
