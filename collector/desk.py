"""What an installer orders, as plain requests and replies: the same in a process and by a socket.

A request is a mapping with `request` and its fields, and so is a reply. Requests that pair are
steps of one session; `pair.status` tells where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from shared.label import read_label
from shared.timegrid import iso_utc, unix_ms
from shared.wire.oms import MANUFACTURER

from .dial import DialReading
from .errors import OrderError, PairingError, PairingGivenUpError, PairingStepError
from .media import medium_number
from .orders import Reply, Request, keep_calorific, text_of, truth_of, whole_of
from .pairing import PairingSession, PairingState
from .particulars import (
    PairingOutcome,
    PairingPlan,
    meter_details,
    other_identity,
    typed_identity,
)
from .sighting import Sighting

if TYPE_CHECKING:
    from .bearers.base import ReceivedFrame
    from .storage.pairings import Pairings

_Result = TypeVar("_Result")

_STEPS: Final = ("pair.meter", "pair.confirm", "pair.commit", "pair.cancel")


class PairingPlace(Protocol):
    """Where pairings are kept; `Station` is one, and so is a meter. Errors as of `Station`."""

    def free_channel(self) -> str:
        """The channel that a unit would feed where nobody names one: the lowest without a unit."""

    def max_flow_l_h(self, exchanges: str | None) -> int:
        """The gas meter's maximum flow where nobody says it: that of the unit to exchange."""

    def plan(self, plan: PairingPlan, *, exchanges: str | None = None) -> PairingPlan:
        """A plan with what is known there."""

    def commit(
        self,
        outcome: PairingOutcome,
        now: datetime,
        *,
        installer: str = "",
        exchanges: str | None = None,
    ) -> dict[str, Any]:
        """Make a pairing durable, as a whole or not at all; return its certificate."""

    def unpair(
        self, serial: str, now: datetime, *, installer: str = "", dial: DialReading | None = None
    ) -> dict[str, Any]:
        """End a pairing; return the certificate."""

    def keep(self, change: Callable[[Pairings], _Result], now: datetime) -> _Result:
        """Make a change of what is kept beside the units durable."""


class Desk:
    """One installer at a station: at most one pairing at a time.

    Several may share it. Each pairing has a token, `pairing` in the replies; a step that names it
    is never taken for a step of another one.

    Args:
        station: where everything is kept.
        patience: a pairing that waits for a person is given up when nobody takes a step of it for
            so long; None for a desk that goes with its installer.
    """

    def __init__(self, station: PairingPlace, patience: timedelta | None = None) -> None:
        self._station = station
        self._patience = patience
        self._session: PairingSession | None = None
        self._number = 0
        self._pairing = ""
        self._stepped: datetime | None = None
        self._exchanges: str | None = None
        self._certificate: dict[str, Any] = {}
        self._sighting: Sighting | None = None
        self._reads_log = False
        self._orders: dict[str, Callable[[Request, datetime], Reply]] = {
            "hello": lambda *_: {"collector": True},
            "pair.begin": self._begin,
            "pair.status": self._status,
            "pair.meter": self._meter,
            "pair.confirm": self._confirm,
            "pair.commit": self._commit,
            "pair.cancel": self._cancel,
            "unpair": self._unpair,
            "calorific.set": self._calorific,
            "calorific.correction": self._calorific,
        }

    @property
    def is_listening(self) -> bool:
        """Whether a pairing is under way."""
        return self._session is not None and not self._session.is_over

    def perform(self, request: Request, now: datetime) -> Reply:
        """The reply to a request.

        Raises:
            CollectorError: it is refused; nothing of it was done.
            SharedError: likewise, for a label or a number that is none.
        """
        self.handle_timer(now)
        name = request.get("request")
        order = self._orders.get(name) if isinstance(name, str) else None
        if order is None:
            raise OrderError("there is no such order")
        self._require_own(request)
        reply = order(request, now)
        if name == "pair.begin" or name in _STEPS:
            self._stepped = now
        return reply

    @property
    def sought(self) -> dict[str, bytes]:
        """The unit of a pairing that is under way, and the Bluetooth address it was seen at."""
        address = None if self._sighting is None else self._sighting.address
        if self._session is None or address is None or not self.is_listening:
            return {}
        return {self._session.serial: address}

    def receive(
        self, frame: ReceivedFrame, now: datetime, *, reads_log: bool = False
    ) -> list[tuple[str, bytes]]:
        """Let a pairing hear a frame.

        Args:
            frame: of any bearer.
            now: the host's UTC.
            reads_log: whether its bearer can read the log of the unit that is sought.

        Returns:
            What to send into the unit's reply window.
        """
        session = self._session
        if session is None or self._sighting is None or not self.is_listening:
            return []
        self._sighting.see(frame)
        before = session.heard
        session.receive(frame, now)
        self._reads_log = self._reads_log or (reads_log and session.heard is not before)
        return session.commands(now)

    def handle_timer(self, now: datetime) -> None:
        """Let time pass."""
        session = self._session
        if session is None:
            return
        session.handle_timer(now)
        waits_for_person = session.next_timer() is None and not session.is_over
        if self._patience is None or self._stepped is None or not waits_for_person:
            return
        if now - self._stepped >= self._patience:
            session.cancel()

    def _begin(self, request: Request, now: datetime) -> Reply:
        if self.is_listening:
            raise PairingStepError("a pairing is under way already")
        exchanges = text_of(request, "exchanges", None)
        manufacturer = (text_of(request, "manufacturer", None) or MANUFACTURER).upper()
        record = "count" if manufacturer == MANUFACTURER else "volume"
        plan = PairingPlan(
            channel=text_of(request, "channel", None) or self._station.free_channel(),
            medium=medium_number(text_of(request, "medium", None) or "gas"),
            manufacturer=manufacturer,
            selector=text_of(request, "record", None) or record,
            test_pulses=whole_of(request, "test_pulses", 3, 100),
            any_telegram=truth_of(request, "any_telegram", False),
            max_flow_l_h=whole_of(
                request, "max_flow_l_h", self._station.max_flow_l_h(exchanges), 1_000_000
            ),
            period_s=whole_of(request, "period_s", 900, 86_400),
            allow_unauthenticated=truth_of(request, "allow_unauthenticated", False),
        )
        serial, key = _identity(request, plan)
        session = PairingSession(self._station.plan(plan, exchanges=exchanges))
        session.give_identity(serial, key, now)
        self._session, self._exchanges = session, exchanges
        self._number = max(self._number + 1, unix_ms(now))  # no process before had it either
        self._pairing = f"{self._number:x}"
        self._sighting, self._reads_log = Sighting(key), False
        return self._status(request, now)

    def _status(self, request: Request, now: datetime) -> Reply:  # noqa: ARG002 - as all orders
        session = self._open()
        signal, deadline, heard = session.signal, session.next_timer(), session.heard
        has_dial = session.state in (
            PairingState.SETTING,
            PairingState.TEST_BURN,
            PairingState.CONFIRM,
            PairingState.COMMIT,
        )
        return {
            "pairing": self._pairing,
            "state": session.state.name.lower(),
            "waits_for": session.state.value,
            "serial": session.serial,
            "channel": session.channel,
            "left_s": None if deadline is None else max(0, round((deadline - now).total_seconds())),
            "frames": signal.frames,
            "of_unit": signal.of_unit,
            "authentic": signal.accepted,
            "key_refused": signal.key_refused,
            "damaged": signal.damaged,
            "others": len(signal.strangers),
            "rssi_dbm": signal.rssi_dbm,
            "rssi_best_dbm": signal.rssi_best_dbm,
            "heard": None if heard is None else iso_utc(heard.received_utc),
            "count": None if heard is None else heard.count,
            "base_count": session.base_count,
            "test_pulses": session.test_pulses if has_dial else 0,
            "test_pulses_wanted": session.test_pulses_wanted,
            "expected": str(session.expected) if has_dial else None,
            "advice": session.advice,
        }

    def _meter(self, request: Request, now: datetime) -> Reply:
        first = text_of(request, "mprn", "") or ""
        details = meter_details(
            (first, text_of(request, "mprn_again", first) or ""),
            text_of(request, "meter_serial", "") or "",
            text_of(request, "weight", "") or "",
            text_of(request, "dial", "") or "",
            text_of(request, "dial_unit", "m3") or "m3",
            has_turned_over=truth_of(request, "turned_over", False),
        )
        self._open().give_meter(details, now)
        return self._status(request, now)

    def _confirm(self, request: Request, now: datetime) -> Reply:
        self._open().confirm(now, agrees=truth_of(request, "agrees", None))
        return self._status(request, now)

    def _commit(self, request: Request, now: datetime) -> Reply:
        session = self._open()
        if session.state is PairingState.PAIRED:
            return {"certificate": self._certificate}  # whoever did not hear of it asks again
        if session.state is PairingState.CONFIRM and not session.test_pulses_wanted:
            session.confirm(now, agrees=True)  # without a test burn there is nothing to compare
        self._certificate = self._station.commit(
            self._located(session.outcome()),
            now,
            installer=text_of(request, "installer", "") or "",
            exchanges=self._exchanges,
        )
        session.committed(now)
        return {"certificate": self._certificate}

    def _located(self, outcome: PairingOutcome) -> PairingOutcome:
        """The outcome with the way by which the unit was reached."""
        seen = self._sighting
        if seen is None or seen.address is None:
            return outcome
        record = replace(
            outcome.record,
            address=seen.address,
            base_advert=seen.base_advert,
            is_log_readable=self._reads_log,
        )
        return replace(outcome, record=record)

    def _cancel(self, request: Request, now: datetime) -> Reply:
        self._open().cancel()
        return self._status(request, now)

    def _unpair(self, request: Request, now: datetime) -> Reply:
        dial = text_of(request, "dial", None)
        unit = text_of(request, "dial_unit", "m3") or "m3"
        document = self._station.unpair(
            text_of(request, "serial", "") or "",
            now,
            installer=text_of(request, "installer", "") or "",
            dial=None if dial is None else DialReading.parse(dial, unit),
        )
        return {"certificate": document}

    def _calorific(self, request: Request, now: datetime) -> Reply:
        return self._station.keep(lambda pairings: keep_calorific(pairings, request), now)

    def _require_own(self, request: Request) -> None:
        """Refuse a step that names a pairing which is not under way any more."""
        name, pairing = request["request"], text_of(request, "pairing", None)
        if pairing is None or name not in ("pair.status", *_STEPS):
            return
        if self._session is None:
            raise PairingGivenUpError("no pairing is under way: this one was given up")
        if pairing != self._pairing:
            raise PairingGivenUpError("another pairing is under way: this one was given up")
        is_given_up = self._session.state is PairingState.ENDED
        if is_given_up and name not in ("pair.status", "pair.cancel"):
            raise PairingGivenUpError("this pairing was given up, or its time was over")

    def _open(self) -> PairingSession:
        if self._session is None:
            raise PairingStepError("no pairing is under way")
        return self._session


def _identity(request: Request, plan: PairingPlan) -> tuple[str, bytes | None]:
    """Serial and key, of a label or as they were typed."""
    text = text_of(request, "label", None)
    serial, key = text_of(request, "serial", "") or "", text_of(request, "key", "") or ""
    if text is not None and not plan.is_own:
        raise PairingError(f"such a label is on no meter of {plan.manufacturer}: give its serial")
    if text is not None:
        label = read_label(text)
        return label.serial, label.key
    if not plan.is_own:
        return other_identity(serial, key)
    if not serial and not key:
        raise PairingError("a label is wanted, or a serial and a key")
    return typed_identity(serial, key, needs_check=truth_of(request, "typed", False))
