"""What every terminal block does, the virtual one and the one on pins."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from elec_meter.errors import ConfigError, TerminalError
from elec_meter.hal import BUTTON, CONTACTOR, Edge, GpioBlock, TerminalBlock, VirtualBlock
from tests.elec_meter.hal.chip import Chip

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
WIDTH_MS = 1
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
    """

    block: TerminalBlock
    touch: Callable[[int, bool, datetime], None]
    is_on: Callable[[int], bool]
    sent: Callable[[int], int]


def virtual(_: pytest.MonkeyPatch) -> Bench:
    """In memory."""
    at = [NOON]
    block = VirtualBlock(lambda: at[0])

    def touch(line: int, is_closed: bool, when: datetime) -> None:
        at[0] = when
        block.touch(line, is_closed)

    return Bench(
        block, touch, lambda line: block.outputs.get(line, False), block.pulses.__getitem__
    )


def on_pins(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """On a chip that is not there."""
    chip = Chip()
    monkeypatch.setitem(sys.modules, "gpiod", chip)  # type: ignore[arg-type]  # as a module is
    block = GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)
    return Bench(
        block,
        lambda line, is_closed, at: chip.touch(INPUTS[line], is_closed, at),
        lambda line: OUTPUTS[line] in chip.active,
        lambda line: chip.history.count((OUTPUTS[line], True)),
    )


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
        Edge(3, True, NOON),
        Edge(3, False, NOON + timedelta(milliseconds=40)),
        Edge(BUTTON, True, NOON + timedelta(seconds=2)),
    ]
    assert [] == bench.block.take_edges()
    for edge in wanted:
        bench.touch(*edge)
    assert wanted == bench.block.take_edges()
    assert [] == bench.block.take_edges()


def test_pulses_add_up(bench: Bench) -> None:
    """Those that are ordered while others are under way come after them, and the line rests."""

    async def send() -> None:
        bench.block.send_pulses(1, 2, WIDTH_MS)
        bench.block.send_pulses(1, 3, WIDTH_MS)
        while bench.sent(1) < 5 or bench.is_on(1):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)

    asyncio.run(send())
    assert 5 == bench.sent(1)
    assert not bench.is_on(1)


def test_lines_that_are_not_wired_are_passed_over(bench: Bench) -> None:
    """A meter may be configured for more than there is."""
    bench.block.switch(8, True)
    bench.block.send_pulses(8, 5, WIDTH_MS)
    bench.block.close()


def test_pins_are_asked_for_as_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts to ground with the kernel's wall clock; one that rests closed is told first."""
    chip = Chip()
    chip.active = {5}
    monkeypatch.setitem(sys.modules, "gpiod", chip)  # type: ignore[arg-type]  # as a module is
    block = GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)
    assert {"direction": "output"} == chip.wanted[17]
    assert ("pull-up", True, "realtime") == tuple(
        chip.wanted[5][name] for name in ("bias", "active_low", "event_clock")
    )
    (rest,) = block.take_edges()
    assert (3, True) == rest[:2]
    assert [] == block.take_edges()
    block.close()
    assert chip.is_released


def test_pins_that_are_gone_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence each, of an output, an input, and at the beginning."""
    chip = Chip()
    monkeypatch.setitem(sys.modules, "gpiod", chip)  # type: ignore[arg-type]  # as a module is
    block = GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)
    chip.is_gone = True
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        block.switch(1, True)
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 are gone"):
        block.take_edges()
    with pytest.raises(TerminalError, match="the lines of /dev/gpiochip0 cannot be had"):
        GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)


def test_without_the_library_pins_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    monkeypatch.setitem(sys.modules, "gpiod", None)  # type: ignore[arg-type]  # none is there
    with pytest.raises(ConfigError, match=r"pip install 'halfhourly\[gpio\]'"):
        GpioBlock("/dev/gpiochip0", OUTPUTS, INPUTS)
