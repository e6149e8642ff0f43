"""What the meter switches, put together: contactor, limiter and terminals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from .clock import SECOND_US
from .contactor import NO_CONTACTOR, Change, Contactor, ContactorState, ControlState, Trigger
from .errors import ConfigError, CorruptError
from .events import EventCode
from .limiter import LimiterState, LimitWatcher, Verdict
from .terminals import Terminals, TerminalsState

if TYPE_CHECKING:
    from .config import MeterConfig

SWITCHGEAR_KEY: Final = "switchgear"
CONTACTOR: Final = 0
"""The contactor's number among what is switched; terminals have theirs."""

_OPENING_US: Final = 30 * SECOND_US
"""How long after an opening a measurement may still be one from before it."""

_CODES: Final = {
    Trigger.REMOTE_DISCONNECT: EventCode.CONTACTOR_OPENED_REMOTELY,
    Trigger.REMOTE_RECONNECT: EventCode.CONTACTOR_ARMED,
    Trigger.MANUAL_DISCONNECT: EventCode.CONTACTOR_OPENED_BY_HAND,
    Trigger.MANUAL_RECONNECT: EventCode.CONTACTOR_CLOSED_BY_HAND,
}


_MOVES: Final = frozenset({*_CODES.values(), EventCode.CONTACTOR_OPENED_BY_LIMITER})


class Occurrence(NamedTuple):
    """Something for the event log."""

    code: EventCode
    text: str


class _State(msgspec.Struct, array_like=True):
    """What is kept of all; later versions append."""

    contactor: ContactorState = ContactorState()
    limiter: LimiterState = msgspec.field(default_factory=LimiterState)
    terminals: TerminalsState = msgspec.field(default_factory=TerminalsState)


class Switchgear:
    """The contactor, the limiter that opens it, the terminals, and what they have to say.

    Args:
        config: what there is.
        saved: what `packed` gave once; None for a meter as it was built.

    Attributes:
        contactor: whether the house has its power.
        limiter: whether it draws too much.
        terminals: relays, pulse inputs and outputs.

    Raises:
        CorruptError: `saved` is something else.
    """

    def __init__(self, config: MeterConfig, saved: bytes | None = None) -> None:
        state = _State() if saved is None else _decoded(saved)
        self.contactor = Contactor(config.contactor.mode, state.contactor)
        self.limiter = LimitWatcher(config.limiter, state.limiter)
        self.terminals = Terminals(config, state.terminals)
        self._open_since_us: int | None = None
        self._has_failed = False

    def configure(self, config: MeterConfig) -> None:
        """Go on with another configuration."""
        self.contactor.mode = config.contactor.mode
        self.limiter.configure(config.limiter)
        self.terminals.configure(config)

    def packed(self) -> bytes:
        """To be kept."""
        state = _State(self.contactor.saved, self.limiter.saved, self.terminals.state)
        return msgspec.msgpack.encode(state)

    def trigger(self, trigger: Trigger, author: str, now_us: int) -> list[Occurrence]:
        """Somebody orders something of the contactor; return what happened, nothing if nothing did.

        Who has it armed from afar has forgiven the limiter's openings, and who closes it begins
        anew.

        Raises:
            ContactorError: it cannot be done now; nothing happened.
        """
        change = self.contactor.trigger(trigger, author, now_us // SECOND_US)
        if trigger is Trigger.REMOTE_RECONNECT:
            self.limiter.release()
        if change is None:
            return []
        if change.after is ControlState.CONNECTED:
            self.limiter.restart()
        return [Occurrence(_CODES[trigger], f"the contactor was {_told(change)} by {author}")]

    def watch(self, value: int | None, now_us: int, time_s: int | None) -> list[Occurrence]:
        """Take what is drawn now; return what came of it.

        Args:
            value: a raw number of the limiter's object; None when it is not known.
            now_us: the host's time, UNIX microseconds.
            time_s: the meter's time, UNIX seconds; None when it is not known.
        """
        limiter = self.limiter
        threshold, occurred = limiter.threshold(time_s), []
        if threshold != limiter.saved.threshold:
            text = f"the limit is {threshold or 'off'} and was {limiter.saved.threshold or 'off'}"
            limiter.saved.threshold = threshold
            occurred.append(Occurrence(EventCode.LIMIT_CHANGED, text))
        verdict = limiter.observe(value, now_us, time_s)
        if verdict is Verdict.EXCEEDED:
            occurred += self._exceeded(value, threshold, now_us)
        elif verdict is Verdict.KEPT:
            occurred.append(Occurrence(EventCode.LIMIT_KEPT, f"{value} is within {threshold}"))
            occurred += self._kept(now_us)
        return occurred

    def feel(self, *, is_flowing: bool, now_us: int) -> list[Occurrence]:
        """Whether current flows: none can through what is open."""
        if self.contactor.is_closed:
            self._open_since_us, self._has_failed = None, False
            return []
        if self._open_since_us is None:
            self._open_since_us = now_us
        if not is_flowing:
            self._has_failed = False
        elif not self._has_failed and now_us > self._open_since_us + _OPENING_US:
            self._has_failed = True
            text = "current flows although the contactor is open"
            return [Occurrence(EventCode.CONTACTOR_FAILED, text)]
        return []

    @property
    def has_failed(self) -> bool:
        """Whether current flows although the contactor is open."""
        return self._has_failed

    def outputs(self) -> dict[int, bool]:
        """What is to be on, by number: 0 the contactor, then terminals and the switched load."""
        relays = self.terminals.relays.items()
        return {CONTACTOR: self.contactor.is_closed} | {
            number: relay.is_on for number, relay in relays
        }

    def next_us(self, now_us: int) -> int | None:
        """When something is due although nothing was measured, the host's time."""
        due = (self.limiter.next_us(), self.terminals.next_us(now_us))
        return min((each for each in due if each is not None), default=None)

    def _exceeded(self, value: int | None, threshold: int, now_us: int) -> list[Occurrence]:
        limiter, action = self.limiter, self.limiter.config.over
        why = f"{value} exceeded {threshold} for {limiter.config.over_s} s"
        occurred = [Occurrence(EventCode.LIMIT_EXCEEDED, why)]
        contactor = self.contactor
        if action == "log" or contactor.mode == NO_CONTACTOR or not contactor.is_closed:
            return occurred
        is_locked = limiter.trip(now_us)
        stays_armed = action == "trip" and not is_locked
        trigger = Trigger.LOCAL_DISCONNECT if stays_armed else Trigger.REMOTE_DISCONNECT
        cause = f"the limiter: {why}"
        if contactor.trigger(trigger, cause, now_us // SECOND_US, limited=True) is not None:
            text = f"the contactor was opened{' and armed' * stays_armed} by {cause}"
            occurred.append(Occurrence(EventCode.CONTACTOR_OPENED_BY_LIMITER, text))
        if is_locked:
            often = len(limiter.saved.trips_us)
            text = f"the limiter opened {often} times: arming takes an order from afar"
            occurred.append(Occurrence(EventCode.LIMITER_LOCKED, text))
        return occurred

    def _kept(self, now_us: int) -> list[Occurrence]:
        limiter, contactor = self.limiter, self.contactor
        is_its = contactor.state is ControlState.DISCONNECTED and contactor.saved.limited
        if limiter.config.under != "arm" or limiter.saved.is_locked or not is_its:
            return []
        cause = "the limiter: the limit is kept"
        contactor.trigger(Trigger.REMOTE_RECONNECT, cause, now_us // SECOND_US, limited=True)
        return [Occurrence(EventCode.CONTACTOR_ARMED, f"the contactor was armed by {cause}")]


def kept(saved: bytes | None) -> tuple[ContactorState, TerminalsState]:
    """The contactor and the terminals in what `Switchgear.packed` gave once.

    Raises:
        CorruptError: it is something else.
    """
    state = _State() if saved is None else _decoded(saved)
    return state.contactor, state.terminals


def refuse_unopenable(old: MeterConfig, new: MeterConfig, contactor: ContactorState) -> None:
    """Refuse a meter without a contactor as long as its contactor is open.

    Only a person at the button gives a house its power back.

    Raises:
        ConfigError: it is open, and `new` takes it away.
    """
    is_taken_away = new.contactor.mode == NO_CONTACTOR != old.contactor.mode
    if is_taken_away and contactor.state != ControlState.CONNECTED:
        raise ConfigError(
            "contactor: mode 0 would take away a contactor that is open;"
            " a person at the meter has to close it before"
        )


def state_by_log(codes: Iterable[int]) -> bytes | None:
    """What to go on with where the state itself was lost: nobody is given power by an accident.

    Args:
        codes: the events of the contactor's log, oldest first.

    Returns:
        A contactor that is open, if it was not a person that moved it last; None for one that is
        as it was built.
    """
    moves = [code for code in codes if code in _MOVES]
    if not moves or moves[-1] == EventCode.CONTACTOR_CLOSED_BY_HAND:
        return None
    cause = "it was open when its state was lost"
    return msgspec.msgpack.encode(_State(ContactorState(ControlState.DISCONNECTED, cause)))


def _told(change: Change) -> str:
    if change.after is ControlState.CONNECTED:
        return "closed"
    if change.before is ControlState.CONNECTED:
        return "opened"
    return "armed" if change.after is ControlState.READY_FOR_RECONNECTION else "disarmed"


def _decoded(saved: bytes) -> _State:
    try:
        return msgspec.msgpack.decode(saved, type=_State)
    except msgspec.MsgspecError as error:
        raise CorruptError(f"what is kept of the contactor is damaged: {error}") from None
