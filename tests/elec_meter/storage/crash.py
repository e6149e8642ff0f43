"""A power cut at every storage operation of a scenario, in one process.

A scenario is a function of an open `Storage` and of `served`, which it calls after every commit
with what could be read from then on::

    def scenario(storage: Storage, served: Served) -> None:
        ...
        storage.checkpoint(ledger, now_s)
        served({"import": ledger.total("import")})

`crashes` runs it and yields what a `kill -9` or a power cut would have left on the disk before and
after every statement, and within every commit: the log cut behind each of its frames and inside
one, and the database half-way through the copying of the log, at the closing too. `check` opens
such a state as a restart would, and demands that it opens, that its books balance, and that it
holds what was served before or, whole, what was being committed. `survived` checks them all.

    survived(crashes(directory, scenario), scratch_directory)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

from collector import Collector, MemoryKeystore
from elec_meter.config import MeterConfig
from elec_meter.ledger import Ledger, imbalances
from elec_meter.storage import DATABASE_NAME, Storage
from shared.timegrid import from_unix_s
from tests.elec_meter.ledger.meters import MIDNIGHT_S

Values: TypeAlias = Mapping[str, int]
"""Registers by name: each only ever grows."""
Served: TypeAlias = Callable[[Values], None]
Scenario: TypeAlias = Callable[[Storage, Served], None]
Files: TypeAlias = tuple[bytes, bytes]
"""The database and its log. What else lies there is made again from them."""
Judgement: TypeAlias = tuple[list[str], Values]
"""What does not add up, and the registers."""

_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24


@dataclass(frozen=True, slots=True)
class Crash:
    """What a power cut left.

    Attributes:
        files: on the disk.
        during: the statement, and where within it.
        before: what had been served.
        after: what was being committed; the same as `before` when nothing was.
    """

    files: Files
    during: str
    before: Values
    after: Values


class _Recorder:
    """Looks at the disk whenever SQLite begins a statement, and when a commit has returned."""

    def __init__(self, directory: Path, storage: Storage) -> None:
        self._path = directory / DATABASE_NAME
        self._looks: list[tuple[str, Files]] = [("opening", self._files())]
        self._commits: list[tuple[list[tuple[str, Files]], Values]] = []
        storage.connection.set_trace_callback(self._look)

    def served(self, values: Values) -> None:
        """A commit has returned, and this may be read."""
        self._look("served")
        self._commits.append((self._looks, dict(values)))
        self._looks = self._looks[-1:]

    def crashes(self) -> Iterator[Crash]:
        """Every state once, in the order in which they came to be."""
        seen: set[bytes] = set()
        before: Values = {}
        for looks, after in self._commits:
            for (statement, files), (_, following) in pairwise(looks):
                if files is following and seen:
                    continue
                for within, state in _between(files, following):
                    digest = sha256(state[0]).digest() + sha256(state[1]).digest()
                    if digest not in seen:
                        seen.add(digest)
                        yield Crash(state, f"{statement}, {within}", before, after)
            yield Crash(looks[-1][1], "after the commit", after, after)
            before = after

    def closed(self) -> None:
        """The directory has been let go of: what was not committed is gone."""
        self._look("closed")
        values = self._commits[-1][1] if self._commits else {}
        self._commits.append((self._looks, values))

    def _look(self, statement: str) -> None:
        files = self._files()
        if files == self._looks[-1][1]:
            files = self._looks[-1][1]  # the same bytes are kept once
        self._looks.append((statement[:60], files))

    def _files(self) -> Files:
        log = Path(f"{self._path}-wal")
        return self._path.read_bytes(), log.read_bytes() if log.exists() else b""


def crashes(directory: Path, scenario: Scenario) -> Iterator[Crash]:
    """Run a scenario in a directory and yield every state that a power cut could have left."""
    with Storage.open(directory) as storage:
        recorder = _Recorder(directory, storage)
        scenario(storage, recorder.served)
    recorder.closed()
    return recorder.crashes()


def survived(found: Iterable[Crash], directory: Path) -> list[str]:
    """Check crashes of one scenario, and return during what each was.

    Every state is opened; what SQLite reads out of many of them is alike, byte for byte, and is
    judged once.
    """
    during, judged = [], dict[bytes, Judgement]()
    for crash in found:
        check(crash, directory, judged)
        during.append(crash.during)
    return during


def check(crash: Crash, directory: Path, judged: dict[bytes, Judgement] | None = None) -> None:
    """Open a state as a restart would.

    Args:
        crash: the state.
        directory: a place for it.
        judged: what was found before, by what could be read; it is added to.

    Raises:
        AssertionError: it does not open or balance, or something that was served is not there.
    """
    database, log = crash.files
    for path in directory.glob(f"{DATABASE_NAME}*"):
        path.unlink()
    (directory / DATABASE_NAME).write_bytes(database)
    Path(f"{directory / DATABASE_NAME}-wal").write_bytes(log)
    judged = {} if judged is None else judged
    with Storage.open(directory) as storage:
        readable = sha256(storage.connection.serialize()).digest()
        if readable not in judged:
            judged[readable] = _judge(storage)
    found, values = judged[readable]
    assert [] == found, f"{crash.during}: {found}"
    assert_between(crash, values)


def _judge(storage: Storage) -> Judgement:
    state = storage.load()
    source = Collector(
        storage.connection, MemoryKeystore(), from_unix_s(state.durable_s or MIDNIGHT_S)
    )
    ledger = Ledger(storage.load_config() or MeterConfig(), state, source)
    return storage.faults() + imbalances(ledger, at_rest=True), registers(ledger)


def assert_between(crash: Crash, values: Values) -> None:
    """All of what was served or all of what was being committed, and nothing in between."""
    before = {name: values.get(name, 0) for name in crash.before}
    after = {name: values.get(name, 0) for name in crash.after}
    is_whole = dict(crash.before) == before or dict(crash.after) == after
    assert is_whole, f"{crash.during}: {dict(values)} is neither {crash.before} nor {crash.after}"


def tell_commits(storage: Storage, served: Served) -> None:
    """From now on, what the registers show is served after each commit of a ledger."""
    commit = storage.checkpoint

    def committed(ledger: Ledger, durable_s: int) -> None:
        commit(ledger, durable_s)
        served(registers(ledger))

    storage.checkpoint = committed  # type: ignore[method-assign]  # what is served is recorded


def registers(ledger: Ledger) -> dict[str, int]:
    """What a scenario may say that it served: every register of a ledger by its name."""
    found = {}
    for channel in ledger.channels:
        found[channel] = ledger.total(channel)
        for rate, quantity in enumerate(ledger.rates(channel), 1):
            found[f"{channel} rate {rate}"] = quantity
    return found


def _between(files: Files, following: Files) -> Iterator[tuple[str, Files]]:
    """States from one look at the disk to the next: first the log grows, then it is copied.

    At the end the log goes, and not before it has been copied.
    """
    database, log = files
    later_database, later_log = following
    page = int.from_bytes(database[16:18]) or 4096
    if log and not later_log:
        later_log = log
    for cut in _cuts(log, later_log, _LOG_HEADER, page + _FRAME_HEADER):
        yield f"its log cut at {cut}", (database, later_log[:cut] + log[cut:])
    for cut in _cuts(database, later_database, 0, page):
        torn = later_database[:cut] + database[cut:]
        yield f"its database copied up to {cut}", (torn, later_log)
    yield "at its end", following


def _cuts(now: bytes, later: bytes, header: int, size: int) -> Iterator[int]:
    """Before, at the end of and inside every piece that is changed."""
    if now == later:
        return
    yield 0
    for begin in range(header, len(later), size):
        end = begin + size
        if now[begin:end] != later[begin:end]:
            yield from (begin, begin + size // 3)
