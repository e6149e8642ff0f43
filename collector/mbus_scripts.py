"""What a wired M-Bus master does: read a meter, command it, find all that are there.

Each is a generator: it yields a `Request`, is sent the answer that `MasterLink` has for it, and
returns what has come of it. Nothing here knows a port or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from shared.wire.address import is_serial, serial_bytes, serial_text
from shared.wire.errors import WireError
from shared.wire.header import parse_wired_header
from shared.wire.mbus import (
    ADDRESS_ALL_REPLY,
    ADDRESS_MAX,
    ADDRESS_SELECTED,
    CI_COMMAND,
    CI_ERROR,
    CI_RESPONSE,
    CI_SELECT,
    FCB,
    REQ_UD2,
    SND_NKE,
    SND_UD,
    Frame,
)
from shared.wire.records import parse_records

from .errors import BearerSettingError
from .mbus_link import Answer, Expected, Unanswered

ANY = bytes([0xFF] * 8)
_TRIES = 3
_FRAMES_MAX = 16  # of one answer in several messages
_DIGITS = 8
_WILD_DIGIT = 0xF

# Application errors (EN 13757-7, CI 70), as our units mean them
_REASONS = {
    0x01: "it knows no commands of ours",
    0x10: "it has obeyed a later command",
    0x11: "it does not know this command",
    0x12: "the command is malformed or says something impossible",
    0x14: "the command is not authentic: is it this unit's key",
}


@dataclass(frozen=True, slots=True)
class MbusSlave:
    """A meter on the bus: its primary address, or a secondary one.

    Attributes:
        primary: 0 to 250, or 254 where there is one meter only; None to select by `secondary`.
        secondary: eight bytes: serial low byte first, manufacturer, version, medium. A digit F of
            the serial, and a byte FF of the others, stand for any.

    Raises:
        BearerSettingError: it has neither or both, or one that no meter can have.
    """

    primary: int | None = None
    secondary: bytes | None = None

    def __post_init__(self) -> None:
        """Check the address."""
        if (self.primary is None) == (self.secondary is None):
            raise BearerSettingError("a slave has either a primary or a secondary address")
        if self.primary is not None and not (
            0 <= self.primary <= ADDRESS_MAX or self.primary == ADDRESS_ALL_REPLY
        ):
            raise BearerSettingError(f"no slave has the primary address {self.primary}")
        if self.secondary is not None and len(self.secondary) != len(ANY):
            raise BearerSettingError("a secondary address has eight bytes")

    def __str__(self) -> str:
        if self.secondary is None:
            return str(self.primary)
        return f"{serial_text(self.secondary[:4])} {self.secondary[4:].hex().upper()}"


def slave_of(serial: str) -> MbusSlave:
    """The slave with these eight digits, whoever has made it.

    Raises:
        BearerSettingError: it is no such serial.
    """
    if not is_serial(serial):
        raise BearerSettingError(f"a slave's serial has eight digits, not {serial[:40]!r}")
    return MbusSlave(secondary=serial_bytes(serial) + ANY[4:])


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent once, and what answers it."""

    frame: Frame
    expected: Expected = Expected.ACKNOWLEDGEMENT

    @property
    def is_first(self) -> bool:
        """Whether it addresses a meter anew: others may be asked before it, not after."""
        selects = self.frame.user_data[:1] == bytes([CI_SELECT])
        return selects or self.frame.control == SND_NKE


@dataclass(frozen=True, slots=True)
class Refused:
    """A meter that answers with an application error: its sentence."""

    reason: str


Script = Generator[Request, Answer, None]
Reading = list[Frame] | Unanswered | Refused
Obeyed = None | Unanswered | Refused


class BusMaster:
    """The scripts, and for each address the bit that tells a new request from a repeated one."""

    def __init__(self) -> None:
        self._bits: dict[int, int] = {}  # FCB of the next request; none: to be reset first

    def read(self, slave: MbusSlave) -> Generator[Request, Answer, Reading]:
        """Read a meter: all messages of its answer, or why there are none.

        A meter that has been reset, or replaced, is out of step: it is addressed anew once.
        """
        reading: Reading = Unanswered.SILENCE
        for _ in range(2):
            address = yield from self._reach(slave)
            if isinstance(address, Unanswered):
                return address
            reading = yield from self._read(address)
            if isinstance(reading, list):
                return reading
            self._bits.pop(address, None)
        return reading

    def command(self, slave: MbusSlave, data: bytes) -> Generator[Request, Answer, Obeyed]:
        """Give a meter an authenticated command (`shared.wire.command`); None if it is obeyed."""
        address = yield from self._reach(slave)
        if isinstance(address, Unanswered):
            return address
        user_data = bytes([CI_COMMAND]) + data
        answer = yield from self._ask(SND_UD, address, user_data)
        if not isinstance(answer, Unanswered):
            return None
        # A meter that refuses is silent; asked for data, it says why.
        self._bits[address] = self._bits.get(address, FCB) ^ FCB
        told = yield from self._ask(REQ_UD2, address, b"", Expected.DATA)
        if isinstance(told, Frame) and told.user_data[:1] == bytes([CI_ERROR]):
            return _refusal(told)
        return answer

    def scan_primary(self, found: Callable[[MbusSlave, Frame], None]) -> Script:
        """Look at each primary address; tell whoever answers, with what it says."""
        for primary in range(ADDRESS_MAX + 1):
            answer = yield Request(Frame(SND_NKE, primary))
            if answer is Unanswered.SILENCE:
                continue
            self._bits[primary] = FCB
            told = yield from self._ask(REQ_UD2, primary, b"", Expected.DATA)
            if isinstance(told, Frame):
                found(MbusSlave(primary=primary), told)

    def scan_secondary(
        self, found: Callable[[MbusSlave, Frame], None], doubtful: Callable[[MbusSlave], None]
    ) -> Script:
        """Find every meter by its serial: every digit is tried where anything answers.

        One clean answer does not mean one meter: where two differ in few bits, what the bus makes
        of both may be the answer of one, or of none. So the search goes on to the last digit.

        Args:
            found: told each meter, and what it says.
            doubtful: told a serial at which more than one answers, or the line is bad.
        """
        yield Request(Frame(SND_NKE, ADDRESS_SELECTED))
        patterns = [ANY]
        while patterns:
            pattern = patterns.pop()
            told = yield from self._look(pattern)
            if told is Unanswered.SILENCE:
                continue
            narrower = _narrower(pattern)
            patterns += reversed(narrower)
            if narrower:
                continue
            if isinstance(told, Frame):
                found(MbusSlave(secondary=_secondary(told) or pattern), told)
            else:
                doubtful(MbusSlave(secondary=pattern))

    def _look(self, pattern: bytes) -> Generator[Request, Answer, Answer]:
        """What the meters say that a pattern selects."""
        selected = yield from self._select(pattern, tries=2)
        if selected is Unanswered.SILENCE:
            return selected
        # Several acknowledgements at once look like one; several answers do not.
        told = yield from self._ask(REQ_UD2, ADDRESS_SELECTED, b"", Expected.DATA)
        return told if isinstance(told, Frame) else Unanswered.NOISE

    def _reach(self, slave: MbusSlave) -> Generator[Request, Answer, int | Unanswered]:
        """Select a meter, or bring it into step; its address for what follows, or why not."""
        if slave.secondary is not None:
            selected = yield from self._select(slave.secondary, tries=_TRIES)
            return selected if isinstance(selected, Unanswered) else ADDRESS_SELECTED
        primary = slave.primary or 0
        if primary in self._bits:
            return primary
        reason = Unanswered.SILENCE
        for _ in range(_TRIES):
            answer = yield Request(Frame(SND_NKE, primary))
            if isinstance(answer, Frame):
                self._bits[primary] = FCB
                return primary
            reason = answer
        return reason

    def _select(self, pattern: bytes, tries: int) -> Generator[Request, Answer, Answer]:
        answer: Answer = Unanswered.SILENCE
        for _ in range(tries):
            answer = yield Request(Frame(SND_UD, ADDRESS_SELECTED, bytes([CI_SELECT]) + pattern))
            if isinstance(answer, Frame):
                self._bits[ADDRESS_SELECTED] = FCB
                break
        return answer

    def _read(self, address: int) -> Generator[Request, Answer, Reading]:
        messages: list[Frame] = []
        while len(messages) < _FRAMES_MAX:
            answer = yield from self._ask(REQ_UD2, address, b"", Expected.DATA)
            if isinstance(answer, Unanswered):
                return messages or answer
            if answer.user_data[0] == CI_ERROR:
                return messages or _refusal(answer)
            messages.append(answer)
            if not has_more(answer):
                break
        return messages

    def _ask(
        self,
        control: int,
        address: int,
        user_data: bytes,
        expected: Expected = Expected.ACKNOWLEDGEMENT,
    ) -> Generator[Request, Answer, Answer]:
        """Ask until there is an answer: the very same request, which is done once at most."""
        bit = self._bits.get(address, FCB)
        answer: Answer = Unanswered.SILENCE
        for _ in range(_TRIES):
            answer = yield Request(Frame(control & ~FCB | bit, address, user_data), expected)
            if isinstance(answer, Frame):
                self._bits[address] = bit ^ FCB
                return answer
        self._bits.pop(address, None)
        return answer


def has_more(answer: Frame) -> bool:
    """Whether a meter's answer ends by announcing another message (DIF 1F); plain ones tell."""
    if answer.control is None or answer.user_data[:1] != bytes([CI_RESPONSE]):
        return False
    try:
        header = parse_wired_header(answer.control, answer.user_data)
        records = parse_records(header.body) if not header.mode else []
    except WireError:
        return False
    return bool(records) and records[-1].more


def _secondary(told: Frame) -> bytes | None:
    if told.user_data[:1] != bytes([CI_RESPONSE]) or len(told.user_data) < 1 + len(ANY):
        return None
    return told.user_data[1 : 1 + len(ANY)]


def _narrower(pattern: bytes) -> list[bytes]:
    """The ten patterns that tell what is selected apart by the first serial digit not yet told."""
    serial = int.from_bytes(pattern[:4], "little")
    for place in reversed(range(_DIGITS)):
        if serial >> 4 * place & _WILD_DIGIT == _WILD_DIGIT:
            kept = serial & ~(_WILD_DIGIT << 4 * place)
            serials = (kept | digit << 4 * place for digit in range(10))
            return [each.to_bytes(4, "little") + pattern[4:] for each in serials]
    return []


def _refusal(told: Frame) -> Refused:
    code = told.user_data[1] if len(told.user_data) > 1 else 0
    return Refused(_REASONS.get(code, f"it answers with the application error {code}"))
