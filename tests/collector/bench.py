"""A unit on a meter, a radio, and an installer who does what a session asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import ReceivedFrame, VirtualRadio
from collector.pairing import PairingSession, PairingState
from collector.particulars import MeterDetails, meter_details
from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.label import UnitLabel
from shared.timegrid import from_unix_ms
from tests.collector.frames import KEY, SERIAL
from tests.collector.world import START_S

MPRN = "3938424403"
LABEL = UnitLabel(SERIAL, KEY, "908172")
BEGIN_MS = START_S * 1000


class Bench:
    """Steps a unit, its radio and whoever listens, a second at a time.

    Args:
        serial: the unit's.
        key: the unit's.
        radio: what carries its telegrams; a good one if left out.
        at_ms: when it boots.
    """

    def __init__(
        self,
        serial: str = SERIAL,
        key: bytes = KEY,
        *,
        radio: VirtualRadio | None = None,
        at_ms: int = BEGIN_MS,
    ) -> None:
        self.now_ms = at_ms
        self.radio = radio or VirtualRadio(1, delay_max_s=0)
        self.unit = VirtualUnit(serial, key, UnitConfig(), boot_utc_ms=at_ms)
        self.turned = 0
        self.obeyed: list[bool] = []
        self.record: Callable[[tuple[int, bytes]], object] = lambda _: None

    @property
    def now(self) -> datetime:
        """The time."""
        return from_unix_ms(self.now_ms)

    def press(self) -> None:
        """Press the unit's button and let it go."""
        self.unit.press(INPUT_BUTTON, self.now_ms)
        self.unit.press(0, self.now_ms)

    def turn(self, pulses: int) -> None:
        """Let the meter turn, a pulse every 6 s."""
        for n in range(pulses):
            self.unit.pulse(self.now_ms + 1 + n * 6_000)
        self.turned += pulses

    def step(self, hear: Callable[[ReceivedFrame, datetime], object], seconds: int = 1) -> None:
        """Let time pass; frames go to whoever hears."""
        for _ in range(seconds):
            self.now_ms += 1_000
            for at_ms, frame in self.unit.advance(self.now_ms):
                self.record((at_ms, frame))
                self.radio.send(frame, at_ms)
            for received in self.radio.receive_until(self.now_ms):
                hear(received, received.received_utc)

    def run(self, session: PairingSession, seconds: int) -> None:
        """Let time pass in a session; its commands reach the unit."""

        def hear(frame: ReceivedFrame, at: datetime) -> None:
            session.receive(frame, at)
            for serial, command in session.commands(at):
                assert serial == session.serial
                self.obeyed.append(self.unit.receive(command, self.now_ms))

        for _ in range(seconds):
            self.step(hear)
            session.handle_timer(self.now)

    def pair(
        self, session: PairingSession, details: MeterDetails | None = None, label: Any = LABEL
    ) -> None:
        """Go through a whole session, up to its commit."""
        session.give_identity(label.serial, label.key, self.now)
        self.press()
        self.run(session, 2)
        session.give_meter(details or meter(), self.now)
        self.run(session, 20)
        self.turn(session.test_pulses_wanted)
        self.run(session, 40)
        if session.state is PairingState.CONFIRM:
            session.confirm(self.now, agrees=True)


def meter(dial: str = "01234.567", **changes: Any) -> MeterDetails:
    """The particulars of the bench's meter."""
    typed = {"mprns": (MPRN, MPRN), "meter_serial": "G4 A 123", "weight": "0.01 m3", "dial": dial}
    return meter_details(**(typed | changes))


def recorded(
    path: Path, script: Callable[[Bench], None], *, at_ms: int = BEGIN_MS, seconds: int = 0
) -> Bench:
    """Record what a unit sends while a script is carried out, and for so long after it."""
    bench = Bench(at_ms=at_ms)
    frames: list[tuple[int, bytes]] = []
    bench.record = frames.append
    script(bench)
    bench.step(lambda *_: None, seconds)
    path.write_text(
        "".join(f"{from_unix_ms(at_ms).isoformat()} {frame.hex()}\n" for at_ms, frame in frames)
    )
    return bench


def house_call(bench: Bench) -> None:
    """A unit that has counted 5, whose button is pressed, and then three pulses of a test burn."""
    bench.turn(5)
    bench.step(lambda *_: None, 60)
    bench.press()
    bench.step(lambda *_: None, 20)
    bench.turn(3)
    bench.step(lambda *_: None, 60)
