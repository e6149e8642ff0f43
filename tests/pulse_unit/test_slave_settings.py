"""What a wired slave is told to keep: its address and its speed."""

from __future__ import annotations

import pytest

from pulse_unit.slave import (
    BAUD_DEFAULT,
    ERROR_PARAMETER,
    ERROR_UNSPECIFIED,
    TRIAL_MS,
    WiredSlave,
)
from shared.wire.mbus import BAUDS, REQ_UD2
from tests.pulse_unit.wired import (
    ASK,
    DONE,
    SECONDARY,
    SERIAL,
    FakeMemory,
    FakeUnit,
    Line,
    error,
    select,
    set_address,
    short,
    user_data,
)

SELECTED = select(SECONDARY)


def test_address_is_set_and_survives() -> None:
    """Acknowledged once it is durable; the old address is free at once."""
    line = Line(address=0)
    assert DONE == line.send(set_address(250, 0))
    assert b"" == line.send(short(REQ_UD2, 0))
    assert line.send(short(REQ_UD2, 250))
    again = WiredSlave(FakeUnit(), line.memory, SERIAL)
    assert (250, BAUD_DEFAULT) == (again.address, again.baud)
    line.send(SELECTED)
    assert DONE == line.send(set_address(0, 253))
    assert 0x0800 == line.memory.word


@pytest.mark.parametrize("new", [251, 253, 254, 255])
def test_address_that_no_meter_has_is_refused(new: int) -> None:
    """251 and above are not for one meter."""
    line = Line()
    assert b"" == line.send(set_address(new))
    assert ERROR_PARAMETER == error(line.send(ASK))
    assert 5 == line.slave.address


def test_address_that_does_not_persist_is_refused() -> None:
    """What the memory does not take is not acknowledged, and the old address stays."""
    line = Line()
    line.memory.is_worn = True
    assert b"" == line.send(set_address(6))
    assert ERROR_UNSPECIFIED == error(line.send(ASK))


@pytest.mark.parametrize("word", [0x00FB, 0x09FF, 0xFFFFFFFF])
def test_memory_that_holds_nonsense(word: int) -> None:
    """An address or speed that is none is as good as none stored."""
    slave = WiredSlave(FakeUnit(), FakeMemory(word), SERIAL)
    assert (0, BAUD_DEFAULT) == (slave.address, slave.baud)


@pytest.mark.parametrize("address", [5, 255])
def test_frames_of_the_old_speed_settle_no_new_one(address: int) -> None:
    """What follows a change of speed in one go was sent before the port could have changed."""
    line = Line()
    line.send(user_data(b"\xbd", address) + short(REQ_UD2, 9))
    assert (9_600, False) == (line.slave.baud, line.slave.next_timer() is None)
    line.slave.handle_timer(line.now_ms + TRIAL_MS)
    assert (BAUD_DEFAULT, 5) == (line.slave.baud, line.memory.word)


@pytest.mark.parametrize(("ci", "baud"), [*BAUDS.items()])
def test_speed_changes_after_the_reply(ci: int, baud: int) -> None:
    """The acknowledgement is at the old speed; a frame at the new one makes it last."""
    line = Line()
    assert DONE == line.send(user_data(bytes([ci])))
    assert baud == line.slave.baud
    assert line.send(ASK)
    assert line.slave.next_timer() is None
    line.now_ms += TRIAL_MS
    line.slave.handle_timer(line.now_ms)
    assert baud == line.slave.baud
    assert baud == WiredSlave(FakeUnit(), line.memory, SERIAL).baud
    assert (baud // 300 << 8 | 5 if baud != BAUD_DEFAULT else 5) == line.memory.word


def test_speed_goes_back_when_nothing_arrives_at_the_new_one() -> None:
    """Noise and acknowledgements do not keep it; it was never stored."""
    line = Line()
    line.send(user_data(b"\xbd"))
    due_ms = line.slave.next_timer()
    assert line.now_ms + TRIAL_MS == due_ms
    line.send(b"\x00\xe5\x10\x40")
    line.slave.handle_timer(due_ms - 1)
    assert 9_600 == line.slave.baud
    line.slave.handle_timer(due_ms)
    assert (BAUD_DEFAULT, None) == (line.slave.baud, line.slave.next_timer())
    assert 5 == line.memory.word
    line.now_ms = due_ms
    assert line.send(ASK)


def test_speed_goes_back_to_the_last_that_worked() -> None:
    """Not to the one that it had at its start."""
    line = Line()
    line.send(user_data(b"\xbd"))
    line.send(ASK)
    line.send(user_data(b"\xb8"))
    line.slave.handle_timer(line.now_ms + TRIAL_MS)
    assert 9_600 == line.slave.baud


def test_speed_goes_back_without_a_timer_too() -> None:
    """Whoever only hands over bytes loses none that come at the old speed."""
    line = Line()
    line.send(user_data(b"\xb8"))
    line.now_ms += TRIAL_MS
    assert line.send(ASK)
    assert BAUD_DEFAULT == line.slave.baud


def test_speed_that_does_not_persist_holds_until_the_next_boot() -> None:
    """It works; the memory's fault is told elsewhere."""
    line = Line()
    line.memory.is_worn = True
    line.send(user_data(b"\xbd"))
    assert line.send(ASK)
    assert (9_600, None) == (line.slave.baud, line.slave.next_timer())
