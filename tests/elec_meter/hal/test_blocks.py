"""What every terminal block does, the virtual one and the one on pins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from elec_meter.errors import ConfigError, TerminalError
from elec_meter.hal import BUTTON, CONTACTOR, ContactEdge, GpioBlock, TerminalBlock, VirtualBlock
from tests.elec_meter.hal.chip import Chip
from tests.elec_meter.hal.timers import Timers

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
WIDTH_MS = 30
OUTPUTS = {CONTACTOR: 17, 1: 22, 2: 23}
INPUTS = {3: 5, BUTTON: 6}


@dataclass
class Bench:
    """A block, and the other end of its wires.

    Attributes:
        block: it.
        touch: closes or opens a contact at an instant.
        is_on: whether an output is on.
        sent: how many pulses came out of a line.
        timers: what times its pulses.
    """

    block: TerminalBlock
    touch: Callable[[int, bool, datetime], None]
    is_on: Callable[[int], bool]
    sent: Callable[[int], int]
    timers: Timers


def virtual(_: pytest.MonkeyPatch) -> Bench:
    """In memory."""
    at = [NOON]
    block = VirtualBlock(lambda: at[0])

    def touch(line: int, is_closed: bool, when: datetime) -> None:
        at[0] = when
        block.touch(line, is_closed)

    return Bench(
        block,
        touch,
        lambda line: block.outputs.get(line, False),
        block.pulses.__getitem__,
        Timers(),
    )


def on_pins(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """On a chip that is not there."""
    pins = Pins(monkeypatch)
    chip = pins.chip
    return Bench(
        pins.block,
        lambda line, is_closed, at: chip.touch(INPUTS[line], is_closed, at),
        lambda line: OUTPUTS[line] in chip.active,
        lambda line: chip.history.count((OUTPUTS[line], True)),
        pins.timers,
    )


class Pins:
    """A block on a chip that is not there, and a loop whose clock is moved by hand.

    Attributes:
        chip: it.
        timers: the loop's.
        block: on it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, active: frozenset[int] = frozenset()):
        self.chip, self.timers = Chip(), Timers()
        self.chip.active |= active
        monkeypatch.setitem(sys.modules, "gpiod", self.chip)  # type: ignore[arg-type]  # as a module is
        monkeypatch.setattr("asyncio.get_running_loop", lambda: self.timers)
        self.block = GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)

    def edges_ms(self, length_ms: int) -> list[tuple[int, int, bool]]:
        """What outputs do in the time to come: when, which and how."""
        edges = []
        for _ in range(length_ms):
            before = len(self.chip.history)
            self.timers.pass_by(1)
            edges += [(self.timers.now_ms, *each) for each in self.chip.history[before:]]
        return edges


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> Pins:
    """At rest."""
    return Pins(monkeypatch)


@pytest.fixture(params=[virtual, on_pins], ids=["virtual", "gpio"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Each of them."""
    made: Bench = request.param(monkeypatch)
    return made


def test_outputs_are_as_they_were_switched_last(bench: Bench) -> None:
    """Each on its own, and again is harmless."""
    for line, is_on in ((CONTACTOR, True), (1, True), (1, True), (2, False), (CONTACTOR, False)):
        bench.block.switch(line, is_on)
    assert [False, True, False] == [bench.is_on(line) for line in OUTPUTS]


def test_edges_come_once_and_in_order(bench: Bench) -> None:
    """With the instants at which they happened."""
    wanted = [
        ContactEdge(3, True, NOON),
        ContactEdge(3, False, NOON + timedelta(milliseconds=40)),
        ContactEdge(BUTTON, True, NOON + timedelta(seconds=2)),
    ]
    assert [] == bench.block.take_edges()
    for edge in wanted:
        bench.touch(*edge)
    assert wanted == bench.block.take_edges()
    assert [] == bench.block.take_edges()


def test_pulses_add_up(bench: Bench) -> None:
    """Those that are ordered while others are under way come after them, and the line rests."""
    bench.block.send_pulses(1, 2, WIDTH_MS)
    bench.block.send_pulses(1, 3, WIDTH_MS)
    bench.timers.pass_by(10 * WIDTH_MS)
    assert 5 == bench.sent(1)
    assert not bench.is_on(1)


def test_letting_go_again_is_harmless(bench: Bench) -> None:
    """Also where pulses were under way."""
    bench.block.send_pulses(1, 2, WIDTH_MS)
    bench.block.close()
    bench.block.close()
    bench.timers.pass_by(10 * WIDTH_MS)
    assert not bench.is_on(1)


def test_each_pulse_has_its_own_width(pins: Pins) -> None:
    """And the line rests as long as it was on; other lines send at the same time."""
    pins.block.send_pulses(1, 2, 10)
    pins.block.send_pulses(1, 1, 30)
    pins.block.send_pulses(2, 1, 25)
    assert [(22, True), (23, True)] == pins.chip.history
    assert [
        (10, 22, False),
        (20, 22, True),
        (25, 23, False),
        (30, 22, False),
        (40, 22, True),
        (70, 22, False),
    ] == pins.edges_ms(200)


@pytest.mark.parametrize("fails_ms", [5, 15], ids=["before it ends", "before the next one"])
def test_pulses_outlive_a_fault(pins: Pins, fails_ms: int) -> None:
    """The fault is told once, and what was not sent goes out with the next ones."""
    pins.block.send_pulses(1, 3, 10)
    pins.timers.pass_by(fails_ms)
    pins.chip.is_gone = True
    pins.timers.pass_by(100)
    pins.chip.is_gone = False
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.take_edges()
    assert [] == pins.block.take_edges()
    pins.block.send_pulses(1, 1, 10)
    pins.timers.pass_by(100)
    assert 4 == pins.chip.history.count((22, True))
    assert (22, False) == pins.chip.history[-1]


def test_pulses_that_cannot_begin_wait(pins: Pins) -> None:
    """They are refused, and go out with the next ones."""
    pins.chip.is_gone = True
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.send_pulses(1, 2, 10)
    pins.chip.is_gone = False
    pins.block.send_pulses(1, 1, 10)
    pins.timers.pass_by(100)
    assert 3 == pins.chip.history.count((22, True))


def test_a_fault_of_pulses_keeps_nothing_from_being_switched(pins: Pins) -> None:
    """The contactor opens, whichever line's fault is told of."""
    pins.block.switch(CONTACTOR, True)
    pins.block.send_pulses(1, 1, 10)
    pins.chip.is_gone = True
    pins.timers.pass_by(10)
    pins.chip.is_gone = False
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.switch(CONTACTOR, False)
    assert (17, False) == pins.chip.history[-1]
    pins.block.switch(CONTACTOR, False)


def test_letting_go_ends_a_pulse(pins: Pins) -> None:
    """The output does not stay on, and nobody touches lines that were handed back."""
    pins.block.switch(2, True)
    pins.block.send_pulses(1, 2, 10)
    pins.block.close()
    assert {23} == pins.chip.active
    assert pins.chip.is_released
    pins.timers.pass_by(100)


def test_lines_that_are_gone_can_be_let_go_of(pins: Pins) -> None:
    """Also in the middle of a pulse."""
    pins.block.send_pulses(1, 2, 10)
    pins.chip.is_gone = True
    pins.block.close()
    assert pins.chip.is_released


def test_edges_before_a_fault_are_not_lost(pins: Pins) -> None:
    """They come with the next answer."""
    pins.chip.touch(5, True, NOON)
    pins.chip.fails_after = 2
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.take_edges()
    pins.chip.fails_after = None
    assert [ContactEdge(3, True, NOON)] == pins.block.take_edges()


def test_lines_that_are_not_wired_are_passed_over(bench: Bench) -> None:
    """A meter may be configured for more than there is."""
    bench.block.switch(8, True)
    bench.block.send_pulses(8, 5, WIDTH_MS)
    bench.block.close()


def test_pins_are_asked_for_as_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts to ground with the kernel's wall clock; one that rests closed is told first."""
    pins = Pins(monkeypatch, frozenset({5}))
    assert {"direction": "output"} == pins.chip.wanted[17]
    assert ("pull-up", True, "realtime") == tuple(
        pins.chip.wanted[5][name] for name in ("bias", "active_low", "event_clock")
    )
    (rest,) = pins.block.take_edges()
    assert (3, True) == rest[:2]
    assert [] == pins.block.take_edges()
    pins.block.close()
    assert pins.chip.is_released


def test_pins_that_are_gone_are_told_of(pins: Pins) -> None:
    """In one sentence each, of an output, an input, and at the beginning."""
    pins.chip.is_gone = True
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.switch(1, True)
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        pins.block.take_edges()
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 cannot be had"):
        GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)


def test_without_the_library_pins_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    monkeypatch.setitem(sys.modules, "gpiod", None)  # type: ignore[arg-type]  # none is there
    with pytest.raises(ConfigError, match=r"install -e '\.\[gpio\]'"):
        GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)
