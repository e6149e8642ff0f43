from __future__ import annotations

import random

import pytest

from pulse_unit.entries import Entries
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.log_answer import LogAnswer
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.gatt import LogRequest, encode_log_request
from shared.wire.log_pieces import LogReader

KEY = bytes(range(16))
Entry = tuple[int, int, int]


class Log:
    """A log that is filled by chance: boots, moves of the phase, pulses or none."""

    def __init__(self, seed: int, pages: int = 3, page_size: int = 512) -> None:
        self.rng = random.Random(seed)
        self._nvm = MemoryNvm(pages, page_size)
        self.boot = self.tick_s = self.count = 0
        self.reboot()

    def reboot(self) -> None:
        """Begin another boot."""
        self.boot += 1
        self.tick_s = 0
        self.history = CountHistory(self._nvm, 0, self._nvm.page_count)
        self.history.begin(self.boot, 0, self.count)

    def tick(self) -> None:
        """Log one entry."""
        self.tick_s += 1800 if self.rng.random() < 0.9 else self.rng.randrange(11, 3600)
        self.count = (self.count + self.rng.choice([0, 0, 0, 5, 300, 70_000])) & 0xFFFFFFFF
        self.history.append(self.tick_s, self.count)

    def fill(self, entries: int) -> None:
        """Log so many entries."""
        for _ in range(entries):
            self.reboot() if self.rng.random() < 0.02 else self.tick()

    @property
    def entries(self) -> list[Entry]:
        """What the unit itself reads."""
        return list(Entries(self.history))


class Asking:
    """One request and what has come of it."""

    def __init__(self, log: Log, request: LogRequest) -> None:
        data = encode_log_request(request)
        self.answer = LogAnswer(log.history, AesBlock, KEY, request, data)
        self.reader = LogReader(AesBlock, KEY, data)
        self.calls = 0

    def step(self, room: int = 20) -> None:
        """Take a piece, if there is one yet."""
        self.calls += 1
        piece = self.answer.next_piece(room)
        if piece is not None:
            assert room >= len(piece)
            self.reader.receive_data(piece)

    def read(self, room: int = 20) -> list[Entry]:
        """Take all that is left."""
        while not self.answer.is_done:
            self.step(room)
        assert self.reader.is_complete
        return self.reader.entries


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("room", [20, 61, 244])
def test_the_whole_log_comes_as_the_unit_reads_it(seed: int, room: int) -> None:
    """Every entry in the ring, those that wait for their record included."""
    log = Log(seed)
    log.fill(seed * 23)
    assert log.entries == Asking(log, LogRequest(seed)).read(room)


@pytest.mark.parametrize("seed", range(20))
def test_a_range_begins_after_an_entry(seed: int) -> None:
    """And ends at its limit or with the log."""
    log = Log(seed)
    log.fill(200)
    for limit in (0, 1, 7, 5_000):
        place = log.rng.randrange(len(log.entries))
        boot, tick_s, _ = log.entries[place]
        expected = log.entries[place + 1 :][: limit or None]
        assert expected == Asking(log, LogRequest(1, boot, tick_s, limit)).read()


@pytest.mark.parametrize("limit", [1, 2, 50, 5_000])
def test_the_newest_are_the_last(limit: int) -> None:
    """So many of them, or all that there are."""
    log = Log(5)
    log.fill(200)
    assert log.entries[-limit:] == Asking(log, LogRequest(1, limit=limit, newest=True)).read()


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("newest", [False, True])
def test_logging_meanwhile_breaks_and_skips_nothing(seed: int, newest: bool) -> None:
    """Whatever is logged between pieces, over the ring's end too.

    Entries come in order, each once; those between them that do not come have left the ring.
    """
    log = Log(seed)
    log.fill(300)
    asking = Asking(log, LogRequest(1, limit=100 if newest else 0, newest=newest))
    seen = set(log.entries)
    first = min(seen)
    for _ in range(log.rng.randrange(30)):
        asking.step()
        if log.rng.random() < 0.2:
            for _ in range(log.rng.choice([1, 2, 9])):
                log.tick()
            seen.update(log.entries)
    entries = asking.read()
    assert sorted(set(entries)) == entries
    begin, end = (entries[0], entries[-1]) if newest else (first, max(seen))
    lasted = set(log.entries)
    assert set() == {each for each in seen if begin <= each <= end} & lasted - set(entries)
    assert not newest or len(entries) == 100


def test_thirteen_months_take_bounded_steps() -> None:
    """19,000 entries, asked for at once: fewer than 300 calls and the whole log."""
    log = Log(1, 16, 4096)
    for _ in range(19_000):
        log.tick_s += 1800
        log.count += log.rng.randrange(30)
        log.history.append(log.tick_s, log.count)
    asking = Asking(log, LogRequest(1))
    assert 19_001 == len(log.entries)
    assert log.entries == asking.read(244)
    assert 300 > asking.calls
