"""The installer's steps from a label to a paired unit, without I/O (docs/installers.md).

Whoever drives a `PairingSession` gives it what a person types and what the bearers hear, with the
time, and shows what it tells. Nothing is kept anywhere before `PairingOutcome` is committed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from fractions import Fraction
from typing import Final

from shared.timegrid import require_utc
from shared.units import PulseWeight

from .bearers.base import ReceivedFrame
from .dial import DialReading
from .entries import TelegramKey, forward
from .errors import (
    DialError,
    IndexLowerError,
    PairingError,
    PairingStepError,
    UnitPairedError,
)
from .events import Refusal, TelegramReceived
from .fleet import UnitRecord
from .hearing import Heard, Hearing
from .particulars import MeterDetails, PairingOutcome, PairingPlan
from .setting import UnitSetting
from .signal import Signal

SIGNAL_TIMEOUT: Final = timedelta(seconds=90)
QUIET: Final = timedelta(seconds=30)
"""After so much of a wait for the signal in which nothing is heard, the receiver is looked at."""

SETTING_TIMEOUT: Final = timedelta(seconds=30)
TEST_BURN_TIMEOUT: Final = timedelta(minutes=10)
_FRAMES_MAX: Final = 512


class PairingState(Enum):
    """What a pairing waits for."""

    LABEL = "the unit's label"
    SIGNAL = "the unit's installation telegram"
    METER = "the meter's particulars"
    SETTING = "the unit to take its settings"
    TEST_BURN = "pulses of the test burn"
    CONFIRM = "the word that the dial shows the expected index"
    COMMIT = "the commit"
    PAIRED = "nothing: it is done"
    ENDED = "nothing: it was given up, and nothing was kept"


class _Step(Enum):
    LABEL_READ = "label read"
    UNIT_HEARD = "unit heard"
    METER_TOLD = "meter told"
    UNIT_SET = "unit set"
    PULSES_COUNTED = "pulses counted"
    INDEX_AGREED = "index agreed"
    INDEX_DENIED = "index denied"
    COMMITTED = "committed"
    TIMED_OUT = "timed out"


_STEPS: Final = {
    (PairingState.LABEL, _Step.LABEL_READ): PairingState.SIGNAL,
    (PairingState.SIGNAL, _Step.UNIT_HEARD): PairingState.METER,
    (PairingState.SIGNAL, _Step.TIMED_OUT): PairingState.ENDED,
    (PairingState.METER, _Step.METER_TOLD): PairingState.SETTING,
    (PairingState.SETTING, _Step.UNIT_SET): PairingState.TEST_BURN,
    (PairingState.SETTING, _Step.TIMED_OUT): PairingState.TEST_BURN,
    (PairingState.TEST_BURN, _Step.PULSES_COUNTED): PairingState.CONFIRM,
    (PairingState.TEST_BURN, _Step.TIMED_OUT): PairingState.ENDED,
    (PairingState.CONFIRM, _Step.INDEX_AGREED): PairingState.COMMIT,
    (PairingState.CONFIRM, _Step.INDEX_DENIED): PairingState.METER,
    (PairingState.COMMIT, _Step.COMMITTED): PairingState.PAIRED,
}
_TIMEOUTS: Final = {
    PairingState.SIGNAL: SIGNAL_TIMEOUT,
    PairingState.SETTING: SETTING_TIMEOUT,
    PairingState.TEST_BURN: TEST_BURN_TIMEOUT,
}
_BURN_ADVICE: Final = (
    "let some gas flow, at a hob or the boiler",
    "press the unit's button again to hear it every 5 s",
    "if the dial turns and no pulse comes, the unit sits off its mark on the meter",
)
_OVER: Final = (PairingState.PAIRED, PairingState.ENDED)


class PairingSession:
    """One pairing.

    Args:
        plan: what is known beforehand.

    Attributes:
        state: what it waits for.
        signal: how well the unit is heard.
        serial: the unit's, once its label was read.
    """

    def __init__(self, plan: PairingPlan) -> None:
        self.state = PairingState.LABEL
        self.signal = Signal()
        self.serial = ""
        self._plan = plan
        self._key: bytes | None = None
        self._deadline: datetime | None = None
        self._is_long = False
        self._hearing: Hearing | None = None
        self._setting: UnitSetting | None = None
        self._base: Heard | None = None
        self._meter: MeterDetails | None = None
        self._frames: list[ReceivedFrame] = []

    @property
    def channel(self) -> str:
        """What the unit will feed."""
        return self._plan.channel

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _OVER

    @property
    def advice(self) -> list[str]:
        """What a person should know or try now; plain sentences, the likeliest first."""
        is_over = self.state is PairingState.ENDED
        if self.state is PairingState.TEST_BURN or (is_over and self._base is not None):
            return list(_BURN_ADVICE)
        if self.state in (PairingState.SIGNAL, PairingState.ENDED):
            has_button = self._plan.is_own
            return self.signal.advice(self.serial, has_button=has_button, is_long=self._is_long)
        return []

    @property
    def heard(self) -> Heard | None:
        """The newest of the unit's telegrams; None before the first."""
        return None if self._hearing is None else self._hearing.newest

    @property
    def base_count(self) -> int | None:
        """The count when the dial was read, from which pulses count; None before that."""
        return None if self._base is None else self._base.count

    @property
    def test_pulses(self) -> int:
        """Pulses since the dial was read."""
        if self._base is None or self.heard is None:
            return 0
        return forward(self.heard.count, self._base.count)

    @property
    def test_pulses_wanted(self) -> int:
        """How many the test burn waits for."""
        return self._plan.test_pulses

    @property
    def expected(self) -> DialReading:
        """What the dial should show by the newest telegram; up to one pulse more is right too.

        Raises:
            PairingStepError: no dial was read yet.
        """
        if self._meter is None:
            raise PairingStepError("no dial was read yet")
        return self._meter.dial.plus(self._meter.weight.litres(self.test_pulses))

    def give_identity(self, serial: str, key: bytes | None, now: datetime) -> None:
        """Take a serial and a key, or none; from now on the unit is listened for.

        Raises:
            UnitPairedError: the unit is paired already, or has ended.
            UnitRecordError: the plan's particulars cannot be.
            KeystoreError: the key is none.
            PairingError: a unit that must prove what it says has no key, or it counts no volume.
            PairingStepError: a label was read before.
        """
        self._require(PairingState.LABEL)
        if serial in self._plan.taken:
            raise UnitPairedError(f"the unit {serial} is paired already")
        if serial in self._plan.ended:
            raise UnitPairedError(
                f"the unit {serial} was taken off this meter before: take one that never was on it"
            )
        if key is None and not self._plan.allow_unauthenticated:
            raise PairingError("a unit without a key proves nothing, and that was not allowed")
        record = self._record(serial, require_utc(now), 0, None, PulseWeight(Fraction(10)))
        if record.record_selector().quantity == "energy":
            raise PairingError("an energy has no dial in cubic metres: name a volume or a count")
        self._hearing = Hearing(record, key)
        self.serial, self._key = serial, key
        self._setting = UnitSetting(key)
        self._go(_Step.LABEL_READ, now)

    def receive(self, frame: ReceivedFrame, now: datetime) -> None:
        """Take a frame of any bearer, whatever it is; nothing is raised for its bytes."""
        if self._hearing is None or self.is_over:
            return
        outcome = self._hearing.receive(frame)
        if outcome is None:
            return
        self.signal.note(self.serial, frame, outcome)
        if isinstance(outcome, Refusal):
            return
        assert self._setting is not None  # it came with the label
        if isinstance(outcome, TelegramReceived):
            self._setting.hear(outcome, frame)
        if self._base is not None and outcome.key > self._base.key:
            self._frames.append(frame)
            del self._frames[:-_FRAMES_MAX]
        if self.state is PairingState.SIGNAL and self._is_found:
            self._go(_Step.UNIT_HEARD, now)
        self._pass_steps(now)

    def commands(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send into the reply window of the frame just received: (serial, command)."""
        if self._setting is None or not self._is_found or self.is_over:
            return []
        command = self._setting.command(now)
        return [] if command is None else [(self.serial, command)]

    def give_meter(self, meter: MeterDetails, now: datetime) -> None:
        """Take the meter's particulars; its dial as it stands at the newest telegram.

        Raises:
            IndexLowerError: the dial shows less than it did before.
            PairingError: a pulse has another weight than the channel's.
            PairingStepError: the unit was not heard yet, or this is past.
        """
        self._require(PairingState.METER)
        self._plan.refuse_other_weight(meter.weight)
        self._refuse_lower(meter)
        assert self._hearing is not None  # steps led here
        assert self._setting is not None
        self._meter, self._base, self._frames = meter, self._hearing.weigh(meter.weight), []
        self._setting.configure(
            meter.weight,
            self._plan.max_flow_l_h,
            self._plan.period_s,
            meter.dial,
            self._base.count,
        )
        self._go(_Step.METER_TOLD, now)
        self._pass_steps(now)

    def confirm(self, now: datetime, *, agrees: bool) -> None:
        """Take the word that the dial shows what is expected, or that it does not.

        If it does not, the meter's particulars are asked for again.

        Raises:
            PairingStepError: it is not the time for that.
        """
        self._require(PairingState.CONFIRM)
        self._go(_Step.INDEX_AGREED if agrees else _Step.INDEX_DENIED, now)

    def outcome(self) -> PairingOutcome:
        """What is to be committed.

        Raises:
            PairingStepError: there is nothing yet.
            UnitRecordError: the plan's particulars cannot be.
        """
        self._require(PairingState.COMMIT)
        assert self._meter is not None  # steps led here
        assert self._base is not None
        assert self.heard is not None
        assert self._setting is not None
        base = self._base
        record = self._record(
            self.serial, base.received_utc, base.count, base.key, self._meter.weight
        )
        return PairingOutcome(
            record=record,
            key=self._key,
            meter=self._meter,
            base_key=base.key,
            frames=tuple(self._frames),
            signal=self.signal,
            heard=self.heard,
            command_counter=self._setting.counter,
            phased_ms=self._setting.phased_ms,
            is_configured=self._setting.is_configured,
            expected=self.expected,
            test_pulses=self.test_pulses if self._plan.test_pulses else None,
        )

    def committed(self, now: datetime) -> None:
        """Note that the outcome is durable."""
        self._go(_Step.COMMITTED, now)

    def cancel(self) -> None:
        """Give up: nothing was kept. After the end it does nothing."""
        if not self.is_over:
            self.state, self._deadline = PairingState.ENDED, None

    def next_timer(self) -> datetime | None:
        """When `handle_timer` has something to do; None while it waits for a person."""
        return self._deadline

    def handle_timer(self, now: datetime) -> None:
        """Stop waiting where it was long enough."""
        if self.state is PairingState.SIGNAL and self._deadline is not None:
            self._is_long = require_utc(now) >= self._deadline - SIGNAL_TIMEOUT + QUIET
        if self._deadline is not None and require_utc(now) >= self._deadline:
            self._go(_Step.TIMED_OUT, now)
            self._pass_steps(now)

    @property
    def _is_found(self) -> bool:
        # Other makers' meters have a button of their own ways, or none.
        needs_button = self._plan.is_own and not self._plan.any_telegram
        return bool(self.signal.asked_for if needs_button else self.signal.accepted)

    def _pass_steps(self, now: datetime) -> None:
        """Leave the states whose wait is over already."""
        assert self._setting is not None  # there was a label
        if self.state is PairingState.SETTING and self._setting.is_done:
            self._go(_Step.UNIT_SET, now)
        if self.state is PairingState.TEST_BURN and self.test_pulses >= self._plan.test_pulses:
            self._go(_Step.PULSES_COUNTED, now)

    def _refuse_lower(self, meter: MeterDetails) -> None:
        plan = self._plan
        if plan.index is None or meter.has_turned_over or meter.meter_serial != plan.index_meter:
            return
        if meter.dial.litres < plan.index.litres:
            raise IndexLowerError(
                f"the dial showed {plan.index} before, and {meter.dial} is less: read it again,"
                " or say that it has turned over"
            )
        if meter.dial.unit != plan.index.unit:
            raise DialError(f"the dial of this meter counts {plan.index.unit}")

    def _record(
        self, serial: str, at: datetime, count: int, key: TelegramKey | None, weight: PulseWeight
    ) -> UnitRecord:
        plan = self._plan
        return UnitRecord(
            serial=serial,
            channel=plan.channel,
            paired_utc=at,
            base_count=count,
            weight=weight,
            medium=plan.medium,
            manufacturer=plan.manufacturer,
            max_flow_l_h=plan.max_flow_l_h,
            period_s=plan.period_s,
            allow_unauthenticated=plan.allow_unauthenticated,
            base_key=key,
            selector=plan.selector,
        )

    def _require(self, state: PairingState) -> None:
        if self.state is not state:
            raise PairingStepError(f"the pairing waits for {self.state.value}")

    def _go(self, step: _Step, now: datetime) -> None:
        after = _STEPS.get((self.state, step))
        if after is None:
            raise PairingStepError(f"the pairing waits for {self.state.value}")
        self.state = after
        timeout = _TIMEOUTS.get(after)
        self._deadline = None if timeout is None else require_utc(now) + timeout
