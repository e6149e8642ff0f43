"""A meter and its terminal block: what is heard, what is switched, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.config import (
    PulseInputConfig,
    PulseOutputConfig,
    RelayConfig,
    TerminalConfig,
)
from elec_meter.errors import CheckpointFailedError
from elec_meter.hal import BUTTON, CONTACTOR, TerminalDriver, VirtualBlock
from elec_meter.runtime import Runtime
from tests.elec_meter.mains import BEGUN, SECOND

CONFIG = replace(
    demo_config(),
    terminals=(
        TerminalConfig(number=1, relay=RelayConfig()),
        TerminalConfig(number=2, pulse_in=PulseInputConfig()),
        TerminalConfig(number=3, pulse_out=PulseOutputConfig()),
    ),
)
HOUR = timedelta(hours=1)


class Rig:
    """A running meter on a virtual block, without sockets.

    Attributes:
        now: the host's time.
        meter: it.
        block: its terminals.
        runtime: what runs it.
    """

    def __init__(self) -> None:
        self.now = BEGUN
        self.meter = Meter(CONFIG, Storage.in_memory(), self.now)
        self.block = VirtualBlock(lambda: self.now)
        self.runtime = Runtime(self.meter, lambda: self.now, block=self.block)
        self.runtime.durable()

    def pass_by(self, length: timedelta) -> None:
        """Time passes."""
        self.now += length
        self.runtime.durable()

    def hold_button(self, length: timedelta) -> None:
        """Press it, and let it go."""
        self.block.touch(BUTTON, True)
        self.pass_by(length)
        self.block.touch(BUTTON, False)
        self.pass_by(timedelta(0))


def test_everything_reaches_its_line() -> None:
    """Contactor and relay, from the beginning and as they are ordered."""
    rig = Rig()
    assert {CONTACTOR: True, 1: False} == rig.block.outputs
    rig.meter.switch_relay(1, True, rig.now)
    rig.meter.open_contactor(rig.now)
    rig.pass_by(SECOND)
    assert {CONTACTOR: False, 1: True} == rig.block.outputs


def test_the_button_closes_an_armed_contactor() -> None:
    """Held for two seconds, twice; a moment too short is another press."""
    rig = Rig()
    rig.meter.open_contactor(rig.now)
    rig.meter.arm_contactor(rig.now)
    rig.hold_button(1.9 * SECOND)
    rig.hold_button(2 * SECOND)
    assert not rig.block.outputs[CONTACTOR]
    rig.hold_button(2 * SECOND)
    assert rig.block.outputs[CONTACTOR]


def test_contacts_are_counted() -> None:
    """Through the meter's debouncer, at the instants of the edges."""
    rig = Rig()
    for _ in range(3):
        rig.block.touch(2, True)
        rig.pass_by(timedelta(milliseconds=50))
        rig.block.touch(2, False)
        rig.pass_by(timedelta(milliseconds=50))
    assert 3 == rig.meter.objects["0-2:128.62.0"].value


def test_energy_goes_out_as_pulses() -> None:
    """1,000 a kWh, once."""
    rig = Rig()
    start, rig.now = rig.now, rig.now + HOUR
    rig.meter.receive_energy("import", 42 * 3_600_000, start, rig.now, rig.now)
    rig.runtime.durable()
    rig.runtime.durable()
    assert 42 == rig.block.pulses[3]


def test_nothing_is_switched_before_it_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that the contactor opens does not wait for the disk."""
    rig = Rig()
    begun, rig.now = rig.now, rig.now + HOUR

    def fail(*_: object) -> None:
        raise CheckpointFailedError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rig.meter.storage, "checkpoint", fail)
        for order in (
            lambda: rig.meter.switch_relay(1, True, rig.now),
            lambda: rig.meter.open_contactor(rig.now),
        ):
            with pytest.raises(CheckpointFailedError):
                order()
        rig.meter.receive_energy("import", 42 * 3_600_000, begun, rig.now, rig.now)
        with pytest.raises(CheckpointFailedError):
            rig.runtime.durable()
        assert {CONTACTOR: False, 1: False} == rig.block.outputs
        assert 0 == rig.block.pulses[3]
    rig.pass_by(SECOND)
    assert {CONTACTOR: False, 1: True} == rig.block.outputs
    assert 42 == rig.block.pulses[3]


def test_a_relay_that_is_taken_out_is_switched_off() -> None:
    """Its line is nobody's any more."""
    rig = Rig()
    rig.meter.switch_relay(1, True, rig.now)
    rig.pass_by(SECOND)
    rig.meter.apply_config(replace(CONFIG, terminals=CONFIG.terminals[1:]), rig.now)
    rig.pass_by(SECOND)
    assert {CONTACTOR: True, 1: False} == rig.block.outputs


def test_a_button_that_was_held_before_is_no_press() -> None:
    """Only what is seen to begin has a length."""
    rig = Rig()
    driver = TerminalDriver(rig.meter, rig.block)
    before = rig.meter.display.snapshot(rig.now)
    rig.block.touch(BUTTON, False)
    driver.listen(rig.now)
    assert before == rig.meter.display.snapshot(rig.now)
