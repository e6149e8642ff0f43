"""Any life of a contactor: orders, presses, loads and power cuts in any order."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.config import ContactorConfig, LimiterConfig
from elec_meter.contactor import ControlState
from elec_meter.errors import ContactorError
from elec_meter.events import EventCode, Log
from tests.elec_meter.mains import BEGUN

OPEN, CLOSED, ARMED = (
    ControlState.DISCONNECTED,
    ControlState.CONNECTED,
    ControlState.READY_FOR_RECONNECTION,
)
LIMIT = 1_000
CONFIG = replace(
    demo_config(),
    limiter=LimiterConfig(threshold=LIMIT, over_s=10, under_s=10, under="arm", lockout_trips=3),
)
STATE_AFTER = {
    EventCode.CONTACTOR_ARMED: {ARMED},
    EventCode.CONTACTOR_OPENED_BY_HAND: {ARMED},
    EventCode.CONTACTOR_CLOSED_BY_HAND: {CLOSED},
    EventCode.CONTACTOR_OPENED_REMOTELY: {OPEN},
    EventCode.CONTACTOR_OPENED_BY_LIMITER: {OPEN, ARMED},
}


class ContactorLife(RuleBasedStateMachine):
    """A meter, and somebody beside it who knows who may do what."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = Storage.in_memory()
        self.now = BEGUN
        self.load = 0
        self.config = CONFIG
        self.before = CLOSED
        self.asked_at = BEGUN - timedelta(days=1)
        self.start()

    def start(self) -> None:
        """Power comes."""
        self.meter = Meter(self.config, self.storage, self.now)
        self.meter._assembly.limited = lambda: self.load if self.state is CLOSED else 0  # type: ignore[method-assign]  # what is drawn, without drawing it
        self.asked_at = BEGUN - timedelta(days=1)

    @property
    def state(self) -> ControlState:
        """Of the contactor."""
        return self.meter.switchgear.contactor.state

    @rule()
    def order_open(self) -> None:
        """From afar: it is open, whatever it was."""
        self.meter.open_contactor(self.now)
        assert self.state is OPEN
        self.before = OPEN

    @rule()
    def order_arm(self) -> None:
        """From afar: what is open is armed, what is closed is left alone."""
        try:
            self.meter.arm_contactor(self.now)
        except ContactorError:
            assert self.before is CLOSED
        else:
            assert self.state is ARMED
        assert not self.meter.switchgear.limiter.saved.is_locked or self.state is CLOSED
        self.before = self.state

    @rule()
    def press_shortly(self) -> None:
        """It moves nothing, and takes a question back."""
        self.meter.press_button(self.now)
        assert self.before is self.state
        self.asked_at = BEGUN - timedelta(days=1)

    @rule()
    def press_long(self) -> None:
        """Of an armed one the first asks, and the second within 30 s closes."""
        was_asked = self.now < self.asked_at + timedelta(seconds=30)
        self.meter.press_button(self.now, held_ms=2_500)
        if self.before is ARMED and was_asked:
            assert self.state is CLOSED
            self.asked_at = BEGUN - timedelta(days=1)
        else:
            assert self.before is self.state
            # Of an open one it leads to the service list, and whatever was asked is forgotten.
            is_asked = self.before is ARMED
            self.asked_at = self.now if is_asked else BEGUN - timedelta(days=1)
        self.before = self.state

    @rule(load=st.sampled_from((0, LIMIT, LIMIT + 1)), seconds=st.integers(1, 40))
    def live(self, load: int, seconds: int) -> None:
        """Time passes; the limiter alone can move anything, and it never closes."""
        self.load, until = load, self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now = min(until, max(self.now, self.meter.next_timer()))
            self.meter.handle_timer(self.now)
        if self.state is not self.before:
            assert (self.before, self.state) in {(CLOSED, OPEN), (OPEN, ARMED), (CLOSED, ARMED)}
            assert load > LIMIT or self.before is OPEN
        if self.meter.switchgear.limiter.saved.is_locked:
            assert self.state is not ARMED or self.before is ARMED
        self.before = self.state

    @rule(seconds=st.integers(1, 7_200))
    def cut_power(self, seconds: int) -> None:
        """Without a warning: what was told stays as it was."""
        self.storage = Storage(self.storage.connection)
        self.storage.connection.rollback()
        self.now += timedelta(seconds=seconds)
        self.start()
        assert self.before is self.state

    @rule(mode=st.sampled_from((1, 3)))
    def reconfigure(self, mode: int) -> None:
        """Another control mode moves nothing, and what was asked before is asked again."""
        config = replace(CONFIG, contactor=ContactorConfig(mode=mode))  # type: ignore[arg-type]  # one of the modes
        if config != self.config:
            self.asked_at = BEGUN - timedelta(days=1)
        self.config = config
        self.meter.apply_config(self.config, self.now)
        self.meter._assembly.limited = lambda: self.load if self.state is CLOSED else 0  # type: ignore[method-assign]  # another assembly
        assert self.before is self.state

    @invariant()
    def the_log_knows(self) -> None:
        """The last that moved it is the last in its log, and led to this state."""
        moves = [
            event for event in self.storage.events(log=Log.CONTACTOR) if event.code in STATE_AFTER
        ]
        assert self.state in (STATE_AFTER[EventCode(moves[-1].code)] if moves else {CLOSED})


ContactorLife.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestContactorLife = ContactorLife.TestCase
