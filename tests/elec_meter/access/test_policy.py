from __future__ import annotations

import pytest

from elec_meter.access import Level, may_read
from shared.obis import Obis

PUBLIC = [
    ("1-0:1.8.0", 3),
    ("1-0:2.8.1", 3),
    ("0-0:1.0.0", 8),
    ("0-1:24.2.1", 4),
    ("0-0:97.97.0", 1),
    ("1-0:5.8.0", 3),
    ("1-0:1.8.129", 3),
    ("1-0:0.1.0", 1),
    ("1-0:0.2.0", 1),
    ("0-0:0.1.2", 1),
]
PERSONAL = [
    ("1-0:99.1.0", 7),
    ("0-1:24.3.0", 7),
    ("0-0:99.98.0", 7),
    ("1-0:1.29.0", 3),
    ("1-0:16.7.0", 3),
    ("0-0:96.11.0", 1),
    ("0-0:96.15.2", 1),
    ("0-1:128.1.0", 3),
    ("1-0:1.6.0", 4),
    ("1-0:2.6.129", 4),
    ("1-0:1.2.0", 3),
    ("1-0:1.4.0", 5),
    ("0-0:98.1.0", 7),
    ("1-0:99.2.0", 7),
    ("0-0:128.20.0", 3),
    ("0-0:128.31.0", 7),
    ("1-0:8.29.0", 3),
    ("0-0:25.9.0", 40),
]


@pytest.mark.parametrize(("obis", "class_id"), PUBLIC)
def test_everybody_reads_identity_time_state_and_bill(obis: str, class_id: int) -> None:
    """What a bill is made of is open to whoever stands before the meter."""
    assert may_read(Level.PUBLIC, Obis.parse(obis), class_id, 2)


@pytest.mark.parametrize(("obis", "class_id"), PERSONAL)
def test_half_hours_events_and_the_moment_begin_at_the_reader(obis: str, class_id: int) -> None:
    """What shows how a household lives is closed at level 0 and open at every other."""
    code = Obis.parse(obis)

    assert not may_read(Level.PUBLIC, code, class_id, 2)
    assert [True] * 4 == [may_read(level, code, class_id, 2) for level in Level if level]


def test_a_name_is_no_secret() -> None:
    """The logical name and a profile's columns can be read at level 0."""
    assert may_read(Level.PUBLIC, Obis.parse("1-0:99.1.0"), 7, 1)
    assert may_read(Level.PUBLIC, Obis.parse("1-0:99.1.0"), 7, 3)
