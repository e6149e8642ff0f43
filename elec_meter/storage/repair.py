"""A damaged data directory made whole again, or refused and left as it is.

The new database is complete and durable under a name of its own before anything is moved. From
then on the switch goes on whenever the directory is opened, however often the power fails.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from elec_meter.clock import SECOND_US
from elec_meter.config import MeterConfig
from elec_meter.errors import MeterError, NotADataDirectoryError, RepairError
from elec_meter.events import EventCode
from elec_meter.ledger import Ledger, LedgerState, PulseSource, imbalances
from elec_meter.ledger.state import LedgerChanges
from shared.timegrid import from_unix_s

from .balance import balance
from .database import BESIDE, REPAIRED, finish_repair, open_for_writing, refuse_foreign, version_of
from .lock import DirectoryLock
from .salvage import MENDABLE, Copied, copy_tables
from .schema import migrate
from .storage import DATABASE_NAME, Storage, plain_errors
from .tables import load_ledger, save_ledger
from .telegrams import drop_from_the_future, retell, tell_the_time

CollectorFactory = Callable[[sqlite3.Connection, datetime], PulseSource]
"""Makes the collector of a database, with its tables if there are none."""

# What code may stumble over in values that were damaged without a trace.
_STUMBLES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


# Keys of small states that every meter has, or every one that somebody signs on to.
_LOST_STATES: Final = {
    "switchgear": (
        "the state of contactor and terminals is lost: pulse inputs go on from what data channels"
        " recorded of them, and from 0 where none did"
    ),
    "access": "passwords and lock-outs are lost, if there were any: they are to be set again",
    "calendar drafts": (
        "calendars that were being written are lost, if there were any: they are to be written"
        " again"
    ),
}

PULSES_MAX: Final = 10_000
"""More than a day's: that much no register and its telegrams differ for want of a page."""


@dataclass(slots=True)
class RepairReport:
    """What was done.

    Attributes:
        kept_as: the name of the damaged database now; None if it was sound and nothing was done.
        tables: for each, how many rows were saved and how many places could not be read.
        changes: a sentence for everything that is not as it was.
    """

    kept_as: str | None = None
    tables: list[Copied] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def repair(directory: Path | str, now: datetime, collector: CollectorFactory) -> RepairReport:
    """Save what can be read of a damaged directory, and make its books balance.

    The damaged files stay beside the new database as `meter.sqlite.damaged-N`. No register falls.

    Args:
        directory: the data directory; nobody else may have it open.
        now: the host's UTC, for the event log.
        collector: as the type says.

    Raises:
        RepairError: too much is lost; nothing was touched.
        StorageError: as for `Storage.open`.
    """
    directory = Path(directory)
    path = directory / DATABASE_NAME
    if not path.is_file():
        raise NotADataDirectoryError(f"{directory} holds no meter's data")
    with plain_errors(path):
        lock = DirectoryLock(directory)
        try:
            finish_repair(path)
            if refuse_foreign(path):
                raise NotADataDirectoryError(f"{directory} holds no meter's data")
            with TemporaryDirectory(prefix="repair-", dir=directory) as name:
                work = Path(name)
                if _is_sound(path, work, collector):
                    return RepairReport()
                with _refusing(path):
                    report = _built(path, work, now, collector)
                report.kept_as = _switched(path, work / REPAIRED)
                return report
        finally:
            lock.release()


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Whatever goes wrong with what was damaged is a refusal."""
    try:
        yield
    except RepairError as error:
        raise RepairError(f"{path} cannot be repaired: {error}") from None
    except (MeterError, sqlite3.Error, *_STUMBLES) as error:
        raise RepairError(
            f"{path} cannot be repaired: what is left of it makes no sense"
            f" ({' '.join(str(error).split()) or type(error).__name__})"
        ) from error


def _copied(path: Path, work: Path, name: str) -> Path:
    """A copy of the database with its log."""
    copy = work / name
    for ending in ("", *BESIDE):
        source = Path(f"{path}{ending}")
        if ending != "-shm" and source.exists():
            shutil.copyfile(source, f"{copy}{ending}")
    return copy


def _is_sound(path: Path, work: Path, collector: CollectorFactory) -> bool:
    """Whether the file and the books in it are whole."""
    copy = _copied(path, work, "looked-at")
    try:
        storage = Storage(open_for_writing(copy), work)
    except (MeterError, sqlite3.Error, *_STUMBLES):
        return False
    with storage:
        try:
            return not _faults(storage, collector)
        except (MeterError, sqlite3.Error, *_STUMBLES):
            return False


def _faults(storage: Storage, collector: CollectorFactory) -> list[str]:
    """What the audit finds; nothing in a directory in which no meter has been yet."""
    found = storage.faults()
    if found:
        return found
    config, state = storage.load_config(), storage.load()
    if config is None or state.durable_s is None:
        is_new = config is None and state == LedgerState()
        return [] if is_new else ["the configuration or the ledger is missing"]
    _refuse_gaps(storage.connection)
    source = collector(storage.connection, from_unix_s(state.durable_s))
    return imbalances(Ledger(config, state, source), at_rest=True)


def _built(path: Path, work: Path, now: datetime, collector: CollectorFactory) -> RepairReport:
    """The new database, complete, in the work directory."""
    content = _content(path, work)
    report = RepairReport()
    target = work / REPAIRED
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        migrate(connection, version_of(content))
        collector(connection, from_unix_s(0))
        if connection.in_transaction:
            connection.execute("COMMIT")
        connection.execute("BEGIN")
        report.tables = copy_tables(content, connection)
        _refuse_losses(report.tables)
        connection.execute("COMMIT")
    with Storage(open_for_writing(target), work) as storage:
        _mend(storage, report, collector)
        report.changes += _lost_states(storage, report)
        for sentence in _summary(report):
            storage.record_event(EventCode.STORAGE_REPAIRED, sentence, now)
        storage.commit()
    with Storage(open_for_writing(target), work) as storage:
        found = _faults(storage, collector)
    if found:
        raise RepairError(f"the books do not balance: {found[0]}")
    return report


def _content(path: Path, work: Path) -> bytes:
    """The database as one file, with what its log holds."""
    copy = _copied(path, work, "read")
    log = Path(f"{copy}-wal")
    if log.exists() and log.stat().st_size:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy or (log.exists() and log.stat().st_size):
            raise RepairError("the log beside it cannot be applied")
    return copy.read_bytes()


def _refuse_losses(tables: list[Copied]) -> None:
    for table in tables:
        if table.unreadable and table.name not in MENDABLE:
            raise RepairError(
                f"{table.unreadable} places in {table.name} cannot be read; restore a backup"
            )
    lost = {table.name for table in tables if table.unreadable}
    if lost >= {"ledger_pulse_channel", "collector_journal"}:
        raise RepairError("neither the pulse registers nor their telegrams can be read")


def _refuse_gaps(connection: sqlite3.Connection) -> None:
    """Rates are numbered without a gap: one that is missing has become another's number."""
    for channel, rates, highest in connection.execute(
        "SELECT channel, count(*), max(rate) FROM ledger_rate GROUP BY channel"
    ):
        if rates != highest:
            raise RepairError(f"a rate register of {channel} is missing")


def _mend(storage: Storage, report: RepairReport, collector: CollectorFactory) -> None:
    """Make the books balance, energy first: pulses follow from the journal."""
    config, state = storage.load_config(), load_ledger(storage.connection)
    if config is None or state.durable_s is None:
        raise RepairError("its configuration or its ledger cannot be read")
    _refuse_gaps(storage.connection)
    report.changes += balance(state)
    for table in ("ledger_row", "ledger_run"):
        storage.connection.execute(f"DELETE FROM {table}")
    save_ledger(storage.connection, _whole(state), state.durable_s)
    for pulses in state.pulses.values():
        if pulses.through_us is not None and pulses.through_us > state.durable_s * SECOND_US:
            raise RepairError(f"the instants of {pulses.name} make no sense")
    _mend_pulses(storage, report, collector, config, state)


def _mend_pulses(
    storage: Storage,
    report: RepairReport,
    collector: CollectorFactory,
    config: MeterConfig,
    state: LedgerState,
) -> None:
    """Hold the registers, and derive everything else from the telegrams that are left."""
    assert state.durable_s is not None
    report.changes += drop_from_the_future(storage.connection, state.durable_s)
    tell_the_time(storage.connection, state.durable_s)
    durable = from_unix_s(state.durable_s)
    has_losses = any(t.unreadable for t in report.tables if t.name == "collector_journal")
    source = collector(storage.connection, durable)
    for channel in Ledger(config, state, source).pulse_channels:
        if channel.name not in state.pulses:
            continue  # its register is lost, and its telegrams have all of it
        missing = channel.saved_total - channel.total
        if abs(missing) > PULSES_MAX or (missing > 0 and not has_losses):
            raise RepairError(
                f"{channel.name} has {channel.saved_total} pulses in its register and"
                f" {channel.total} in its telegrams"
            )
        if missing > 0:
            retell(storage.connection, channel.unit.serial, missing, state.durable_s)
            report.changes.append(
                f"{channel.name}: the telegrams of the last {missing} pulses are lost; the register"
                " stays, and the pulses belong to the half-hours since the last that is left"
            )
        elif missing:
            report.changes.append(
                f"{channel.name}: the register was {channel.saved_total} pulses and is"
                f" {channel.total} as its telegrams are"
            )
    source = collector(storage.connection, durable)
    ledger = Ledger(config, load_ledger(storage.connection), source)
    report.changes += _rebooked(ledger)
    storage.checkpoint(ledger, state.durable_s)


def _whole(state: LedgerState) -> LedgerChanges:
    """Everything of a state but its pulse channels, as if nothing of it had been saved."""
    instants = {
        "begun_s": state.begun_s,
        "closed_s": state.closed_s,
        "reached_s": state.reached_s,
    }
    return LedgerChanges(
        instants={name: at_s for name, at_s in instants.items() if at_s is not None},
        accounts=list(state.accounts.values()),
        rows=state.rows,
        gone_rows=[],
        runs=state.runs,
        gone_runs=[],
        pulses=[],
        spells=state.spells,
        snapshots=[(kind, each) for kind, kept in state.snapshots.items() for each in kept],
        gone_snapshots=[],
        data_rows=state.data_rows,
        gone_data_rows=[],
        book=state.book.encode(),
        stretches=state.stretches,
        gone_stretches=[],
    )


def _rebooked(ledger: Ledger) -> Iterator[str]:
    """Book the pulses again, as the telegrams that are left say."""
    for channel in ledger.pulse_channels:
        if channel.saved_total > channel.total:
            raise RepairError(f"the telegrams of {channel.name} do not give its register")
        rates = list(channel.registers.rates)
        channel.rebook(channel.journalled())
        channel.book_final()
        now = channel.registers.rates
        if rates != now:
            yield (
                f"{channel.name}: the rates were {rates} pulses, and by the telegrams that are left"
                f" they are {now}"
            )


def _lost_states(storage: Storage, report: RepairReport) -> Iterator[str]:
    """What is gone with small states that could not be read."""
    if any(table.unreadable for table in report.tables if table.name == "meter_state"):
        for key, sentence in _LOST_STATES.items():
            if storage.get_state(key) is None:
                yield sentence


def _summary(report: RepairReport) -> list[str]:
    lost = [f"{table.unreadable} in {table.name}" for table in report.tables if table.unreadable]
    places = ", ".join(lost) or "none"
    return [f"the database was repaired; places that could not be read: {places}", *report.changes]


def _switched(path: Path, built: Path) -> str:
    """Keep the damaged files under another name, and put the new database in their place."""
    names = (f"{path.name}.damaged-{number}" for number in count(1))
    kept_as = next(name for name in names if not (path.parent / name).exists())
    for ending in ("", *BESIDE):
        source = Path(f"{path}{ending}")
        if source.exists():
            os.link(source, path.parent / f"{kept_as}{ending}")
    built.replace(path.parent / REPAIRED)
    finish_repair(path)
    return kept_as
