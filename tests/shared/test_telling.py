"""Lines that nobody reads, or that nothing can take: whoever tells goes on."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared import telling
from shared.telling import WAITING_MAX, Teller
from tests.shared.unread import unread_pipe

FULL = Path("/dev/full")
TOO_MANY = 3 * WAITING_MAX


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, what waits at the end is written."""
    monkeypatch.setattr(telling, "_LAST_S", 600.0)


def test_lines_go_out_while_somebody_takes_them(capfd: pytest.CaptureFixture[str]) -> None:
    """One after the other, to the two streams."""
    with Teller("the meter") as teller:
        teller.tell("one")
        teller.warn("but")
        teller.tell("two")
    assert ("one\ntwo\n", "but\n") == capfd.readouterr()


def test_a_stream_without_a_descriptor_is_written_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody can be slow there."""
    teller = Teller("the meter")
    teller.tell("one")
    teller.warn("but")
    assert ("one\n", "but\n") == capsys.readouterr()


def test_streams_that_are_closed_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a service that was started without them."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with Teller("the meter") as teller:
        teller.tell("one")
        teller.warn("but")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_that_sleeps_gets_the_newest_lines(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever tells does not wait for it; a line stands for what it missed."""
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, name, pipe.stream)
        with Teller("the meter", "{}.".format) as teller:
            tell = teller.tell if name == "stdout" else teller.warn
            for number in range(TOO_MANY):
                tell(str(number))
            pipe.read()
        lines = pipe.lines()
    due = 0
    for line in lines:
        if line.isdigit():
            assert due == int(line)
            due += 1
        else:
            count, _, rest = line.partition(" ")
            assert rest in ("line was not told.", "lines were not told.")
            due += int(count)
    assert TOO_MANY == due
    assert len(lines) <= WAITING_MAX + 3  # one was being written, and others say what is missing


def test_what_has_an_end_waits_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much faster it is told than read: nothing is left out."""
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe.stream)
        patched.setattr(telling, "_LAST_S", 0.0)
        with Teller("the collector", "{}.".format, is_patient=True) as teller:
            for number in range(WAITING_MAX):
                teller.tell(str(number))
            pipe.read()
            for number in range(WAITING_MAX, TOO_MANY):
                teller.tell(str(number))
        assert list(range(TOO_MANY)) == [int(line) for line in pipe.lines()]


def test_what_was_missed_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines have a form that cannot say it."""
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe.stream)
        with Teller("the unit") as teller:
            for number in range(TOO_MANY):
                teller.tell(str(number))
            pipe.read()
        lines = pipe.lines()
    numbers = [int(line) for line in lines]
    assert sorted(set(numbers)) == numbers
    assert TOO_MANY - 1 == numbers[-1]
    assert len(numbers) < TOO_MANY


def test_the_end_does_not_wait_for_a_reader_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes; the line that is being written is ended, and what waits behind it is forgotten."""
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe.stream)
        teller = Teller("the meter")
        teller.tell("one")
        while teller._lines._waiting:
            time.sleep(0)
        teller.tell("two")
        patched.setattr(telling, "_LAST_S", 0.0)
        teller.close()
        patched.setattr(telling, "_LAST_S", 600.0)
        pipe.read()
        teller.close()  # until nothing is written any more
        assert "one\n" == pipe.text()


def test_a_stream_that_others_have_made_not_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for all the same."""
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        os.set_blocking(pipe.stream.fileno(), False)
        patched.setattr(sys, "stdout", pipe.stream)
        with Teller("the meter") as teller:
            teller.tell("one")
            pipe.read()
        assert "one\n" == pipe.text()


def test_a_full_disk_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And does not end who tells."""
    with monkeypatch.context() as patched, FULL.open("w") as full:
        patched.setattr(sys, "stdout", full)
        with Teller("the meter", str) as teller:
            teller.tell("one")
            teller.tell("two")
    said = "what is told cannot be written: No space left on device; the meter goes on.\n"
    assert said == capsys.readouterr().err


def test_a_reader_that_goes_away_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a full disk is."""
    reading, writing = os.pipe()
    with monkeypatch.context() as patched, os.fdopen(writing, "w") as stream:
        os.close(reading)
        patched.setattr(sys, "stdout", stream)
        with Teller("the unit", str) as teller:
            teller.tell("one")
            teller.tell("two")
    said = "what is told cannot be written: Broken pipe; the unit goes on.\n"
    assert said == capsys.readouterr().err


def test_a_disk_with_room_again_gets_whole_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What of a line had room stands alone, and how many are missing is said."""
    calls = 0

    def write(descriptor: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return os.write(descriptor, data[:2])
        if calls == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(telling, "os", SimpleNamespace(write=write))
        with Teller("the meter", str) as teller:
            teller.tell("one")
            teller.tell("two")
    assert "on\n1 line was not told\ntwo\n" == capfd.readouterr().out


def test_letters_that_an_encoding_has_not_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON writes them; so are the bytes of a file's name that are no letters."""
    with unread_pipe("latin-1") as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe.stream)
        with Teller("the meter") as teller:
            teller.tell("10 \u00b5C \u2264 \U0001f50b \udc80")
            pipe.read()
        assert "10 \u00b5C \\u2264 \\ud83d\\udd0b \\udc80\n" == pipe.text()
