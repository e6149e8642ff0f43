"""A power cut at every operation of a busy unit's memory, and at every one of its recovery."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from pulse_unit.config import UnitConfig
from pulse_unit.entries import Entries
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.unit import STATE_PAGES, PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from shared.wire.debounce import debounce_times
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER
from tests.pulse_unit.listening import KEY, board_of, opened, told
from tests.pulse_unit.tearing import Cut, RecordingNvm

PAGES, PAGE = STATE_PAGES + 2, 256
CONFIG = UnitConfig(telegram_period_s=600, history=8)
CLOSING_MS = debounce_times(CONFIG.pulse_weight_nl, CONFIG.flow_max_l_per_h)[0]

Entry = tuple[int, int, int]


@dataclass(frozen=True)
class Life:
    """What one boot of a unit may have logged: its number, if it got that far, and its pulses."""

    boot: int | None
    base: int
    accepted_ms: tuple[int, ...] = ()

    def logs(self, entry: Entry) -> bool:
        """Whether an entry of the log says the truth about this life."""
        boot, tick_s, count = entry
        if self.boot is None:
            return (0, self.base) == (tick_s, count)
        passed = sum(accepted_ms <= tick_s * 1000 for accepted_ms in self.accepted_ms)
        return boot == self.boot and count == self.base + passed


@dataclass(frozen=True)
class Seen:
    """What a witness has seen of a unit so far."""

    settled: int = 0  # the count when the unit last went back to sleep
    closings: int = 0  # of the reed that it could have counted
    told: int = 0
    counters: frozenset[int] = frozenset()
    boots: frozenset[int] = frozenset()
    obeyed: int = 0  # the last command
    flags: int = 0
    lives: tuple[Life, ...] = field(default=())


class Witness:
    """Lets a unit live, and keeps with each operation of its memory what was seen before it."""

    def __init__(self, nvm: RecordingNvm, seen: Seen) -> None:
        self.nvm = nvm
        self.seen = seen
        self.now_ms = 0
        in_flight = [Life(None, base) for base in {seen.settled, seen.closings}]
        self._note(lives=(*seen.lives, *in_flight))
        self.board = board_of(nvm)
        self.unit = PulseUnit(self.board, CONFIG)
        count = self.unit.count
        assert seen.settled <= count <= seen.closings
        assert seen.told <= count
        assert self.unit.boot not in seen.boots
        assert seen.flags == self.unit.error_flags & seen.flags
        self._note(
            settled=count,
            closings=count,
            boots=seen.boots | {self.unit.boot},
            lives=(*seen.lives, Life(self.unit.boot, count)),
        )

    def _note(self, **changes: object) -> None:
        self.seen = replace(self.seen, **changes)  # type: ignore[arg-type]  # fields of its own
        self.nvm.note = self.seen

    def wait(self, until_ms: int) -> None:
        """Let the unit serve its timers, and listen to it."""
        while self.unit.next_timer() <= until_ms:
            self.unit.handle_timer(self.unit.next_timer())
            self._note(settled=self.unit.count)
            for _, frame in self.board.sent:
                counter = opened(frame).message_counter
                assert counter is not None
                assert counter not in self.seen.counters
                self._note(
                    counters=self.seen.counters | {counter},
                    told=max(self.seen.told, told(frame).count),
                )
                assert self.seen.told <= self.seen.settled
            self.board.sent = []
        self.now_ms = until_ms

    def pulse(self) -> None:
        """Let the meter turn once."""
        at_ms = self.now_ms
        *before, life = self.seen.lives
        life = replace(life, accepted_ms=(*life.accepted_ms, at_ms + CLOSING_MS))
        self._note(closings=self.seen.closings + 1, lives=(*before, life))
        self.board.interrupt(True, at_ms)
        self.board.interrupt(False, at_ms + 1_000)
        self.wait(at_ms + 6_000)
        assert self.seen.closings == self.unit.count

    def command(self, since_boundary_ms: int) -> None:
        """Send the last command that was obeyed again, and then a new one."""
        told_of = len(self.seen.counters)
        while len(self.seen.counters) == told_of:
            self.wait(self.unit.next_timer())  # for a reply window
        last = self.seen.obeyed
        assert not self._sent(last, since_boundary_ms)
        # Those that were persisted when the power went, and not yet obeyed, are refused too.
        obeyed = next(
            counter
            for counter in range(last + 1, last + 4)
            if self._sent(counter, since_boundary_ms)
        )
        self._note(obeyed=obeyed)

    def _sent(self, counter: int, since_boundary_ms: int) -> bool:
        sealed = seal_phase(AesBlock, KEY, counter, since_boundary_ms)
        return counter > 0 and self.unit.receive_command(sealed, self.now_ms)

    def tamper(self, flag: int) -> None:
        """Open the loop, or bring a magnet."""
        self.unit.see_tamper(flag, self.now_ms)
        self._note(flags=self.seen.flags | flag)


def busy(image: bytes) -> tuple[RecordingNvm, Seen]:
    """Let a unit boot, count, tell, obey, log and be tampered with, several times over."""
    nvm = RecordingNvm(image, PAGE)
    seen = Seen()
    for boot in range(12):
        witness = Witness(nvm, seen)
        for step in range(6):
            witness.pulse()
            if step == boot % 3:
                witness.command((boot * 300_000 + witness.now_ms) % 1_800_000)
            if step == 4 and boot in (2, 4):
                witness.tamper(FLAG_TAMPER if boot == 2 else FLAG_MAGNET)
            if step % 2:
                witness.wait(witness.now_ms + 2_000_000)
        seen = witness.seen
    return nvm, seen


def recovered(image: bytes, seen: Seen, cut: Cut, pulses: int) -> tuple[RecordingNvm, Seen]:
    """Boot from what a cut has left, check what is there, go on for a while and check again."""
    nvm = RecordingNvm(image, PAGE)
    kept = set(Entries(CountHistory(nvm, STATE_PAGES, PAGES - STATE_PAGES)))
    if cut.length < PAGE:  # else the log's oldest page may have gone
        assert kept >= set(Entries(logged(cut.before)))
    witness = Witness(nvm, seen)
    assert witness.unit.count in (seen.settled, seen.closings)
    for _ in range(pulses):
        witness.pulse()
        witness.command(witness.now_ms % 1_800_000)
        witness.tamper(FLAG_TAMPER)
        witness.wait(witness.now_ms + 1_900_000)
    found = list(Entries(logged(bytes(nvm.image))))
    assert len(found) == len(set(found))
    assert found == sorted(found, key=lambda entry: entry[:2])
    for entry in found:
        assert any(life.logs(entry) for life in witness.seen.lives), entry
    # No boot and no power cut lies between these: none of them may be missing.
    boot, newest_s, _ = found[-1]
    assert newest_s // 1800 <= sum(boot == entry[0] for entry in found)
    return nvm, witness.seen


def logged(image: bytes) -> CountHistory:
    """The log in a memory."""
    nvm = MemoryNvm(PAGES, PAGE)
    nvm.image[:] = image
    return CountHistory(nvm, STATE_PAGES, PAGES - STATE_PAGES)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordingNvm:
    """The memory of a busy unit, with blocks of counters so small that they end often."""
    monkeypatch.setattr("pulse_unit.transmitter.BLOCK", 3)
    nvm, seen = busy(b"\xff" * (PAGES * PAGE))
    assert 72 == seen.settled
    assert 1 <= min(nvm.erases)
    assert 2 <= nvm.erases[STATE_PAGES]
    return nvm


def seen_at(cut: Cut) -> Seen:
    """What the witness had seen when the power went."""
    assert isinstance(cut.note, Seen)
    return cut.note


@pytest.mark.parametrize(
    ("torn", "pulses", "stride"), [(1, 1, 5), pytest.param(5, 3, 1, marks=pytest.mark.slow)]
)
def test_cut_at_any_operation_loses_nothing_and_repeats_nothing(
    recorded: RecordingNvm, torn: int, pulses: int, stride: int
) -> None:
    """Whatever a cut leaves of an operation, count, counters, commands, flags and log are right."""
    for place, cut in enumerate(recorded.cuts):
        if place % stride and cut.length < PAGE:  # a page that is erased is always tried
            continue
        for _, image in cut.images(place, torn):
            recovered(image, seen_at(cut), cut, pulses)


@pytest.mark.parametrize("stride", [67, pytest.param(1, marks=pytest.mark.slow)])
def test_second_cut_at_any_operation_of_the_recovery(recorded: RecordingNvm, stride: int) -> None:
    """When power goes again while a unit recovers, nothing is lost or repeated either."""
    for place in range(0, len(recorded.cuts), stride):
        cut = recorded.cuts[place]
        images = list(cut.images(place))
        _, image = images[place // stride % len(images)]
        nvm, _ = recovered(image, seen_at(cut), cut, 1)
        for again, second in enumerate(nvm.cuts):
            for _, torn in second.images(again, torn=1):
                recovered(torn, seen_at(second), second, 1)
