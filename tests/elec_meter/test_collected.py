from __future__ import annotations

from collector import Collector, MemoryKeystore, UnitSilent
from elec_meter.collected import log_entry, unit_report
from elec_meter.events import EventCode
from elec_meter.objects import UnitFault
from elec_meter.storage import Storage
from shared.wire import telegram
from tests.collector.frames import KEY, SERIAL, START, at, heard, record

FLAGS = sorted(name for name in vars(telegram) if name.startswith("FLAG_"))


def reported(error_flags: int) -> UnitFault:
    """What the meter shows of a unit that was heard with these flags."""
    with Storage.in_memory() as storage:
        collector = Collector(storage.connection, MemoryKeystore(), START)
        collector.pair(record(), KEY, START)
        collector.receive(heard(1, 60, 1, error_flags=error_flags), at(60))
        report = unit_report(collector, SERIAL)
    assert report is not None
    return report.faults


def test_every_flag_of_a_telegram_is_a_fault_of_the_unit() -> None:
    """Nothing that a unit complains of is lost, and no two complaints look alike."""
    faults = [reported(getattr(telegram, name)) for name in FLAGS]
    assert [1] * len(FLAGS) == [len(each) for each in faults]
    assert len(FLAGS) == len(set(faults))


def test_flags_add_up() -> None:
    """All flags are as many faults; none are none."""
    every = sum(getattr(telegram, name) for name in FLAGS)
    assert (0, len(FLAGS)) == (len(reported(0)), len(reported(every)))


def test_a_silent_unit_is_no_good_news() -> None:
    """The log says that it has not been heard, and since when."""
    silent = UnitSilent(received_utc=at(7_200), serial=SERIAL, heard_utc=at(60))
    text = f"unit {SERIAL} has not been heard since {at(60):%Y-%m-%d %H:%M} UTC"
    assert (EventCode.UNIT_SILENT, text) == log_entry(silent)
