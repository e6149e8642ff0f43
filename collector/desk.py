"""What an installer orders, as plain requests and replies: the same in a process and by a socket.

A request is a mapping with `request` and its fields, and so is a reply. Requests that pair are
steps of one session; `pair.status` tells where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from shared.label import UnitLabel
from shared.timegrid import iso_utc

from .dial import DialReading
from .errors import OrderError, PairingStepError
from .orders import Reply, Request, keep_calorific, text_of, whole_of
from .pairing import PairingSession, PairingState
from .particulars import PairingPlan, meter_details, typed_identity

if TYPE_CHECKING:
    from .bearers.base import ReceivedFrame
    from .station import Station


class Desk:
    """One installer at a station: at most one pairing at a time.

    Args:
        station: where everything is kept.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._session: PairingSession | None = None
        self._exchanges: str | None = None
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
        name = request.get("request")
        order = self._orders.get(name) if isinstance(name, str) else None
        if order is None:
            raise OrderError("there is no such order")
        return order(request, now)

    def receive(self, frame: ReceivedFrame, now: datetime) -> list[tuple[str, bytes]]:
        """Let a pairing hear a frame; return what to send into its reply window."""
        if self._session is None:
            return []
        self._session.receive(frame, now)
        return self._session.commands(now)

    def handle_timer(self, now: datetime) -> None:
        """Let time pass."""
        if self._session is not None:
            self._session.handle_timer(now)

    def _begin(self, request: Request, now: datetime) -> Reply:
        if self.is_listening:
            raise PairingStepError("a pairing is under way already")
        exchanges = text_of(request, "exchanges", None)
        plan = PairingPlan(
            channel=text_of(request, "channel", "gas") or "gas",
            test_pulses=whole_of(request, "test_pulses", 3, 100),
            any_telegram=request.get("any_telegram") is True,
            max_flow_l_h=whole_of(request, "max_flow_l_h", 6000, 1_000_000),
            period_s=whole_of(request, "period_s", 900, 86_400),
            allow_unauthenticated=request.get("allow_unauthenticated") is True,
        )
        session = PairingSession(self._station.plan(plan, exchanges=exchanges))
        label = text_of(request, "label", None)
        if label is not None:
            session.give_label(UnitLabel.parse(label), now)
        else:
            needs_check = request.get("typed") is True
            serial, key = text_of(request, "serial", ""), text_of(request, "key", "")
            session.give_identity(
                *typed_identity(serial or "", key or "", needs_check=needs_check), now
            )
        self._session, self._exchanges = session, exchanges
        return self._status(request, now)

    def _status(self, request: Request, now: datetime) -> Reply:  # noqa: ARG002 - as all orders
        session = self._open()
        session.handle_timer(now)
        signal, deadline, heard = session.signal, session.next_timer(), session.heard
        has_dial = session.state in (
            PairingState.SETTING,
            PairingState.TEST_BURN,
            PairingState.CONFIRM,
            PairingState.COMMIT,
        )
        return {
            "state": session.state.name.lower(),
            "waits_for": session.state.value,
            "serial": session.serial,
            "left_s": None if deadline is None else max(0, round((deadline - now).total_seconds())),
            "frames": signal.frames,
            "of_unit": signal.of_unit,
            "authentic": signal.authentic,
            "key_refused": signal.key_refused,
            "damaged": signal.damaged,
            "others": len(signal.strangers),
            "rssi_dbm": signal.rssi_dbm,
            "rssi_best_dbm": signal.rssi_best_dbm,
            "heard": None if heard is None else iso_utc(heard.received_utc),
            "count": None if heard is None else heard.telegram.count,
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
            has_turned_over=request.get("turned_over") is True,
        )
        self._open().give_meter(details, now)
        return self._status(request, now)

    def _confirm(self, request: Request, now: datetime) -> Reply:
        self._open().confirm(now, agrees=request.get("agrees") is True)
        return self._status(request, now)

    def _commit(self, request: Request, now: datetime) -> Reply:
        session = self._open()
        if session.state is PairingState.CONFIRM and not session.test_pulses_wanted:
            session.confirm(now, agrees=True)  # without a test burn there is nothing to compare
        document = self._station.commit(
            session.outcome(),
            now,
            installer=text_of(request, "installer", "") or "",
            exchanges=self._exchanges,
        )
        session.committed(now)
        return {"certificate": document}

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

    def _open(self) -> PairingSession:
        if self._session is None:
            raise PairingStepError("no pairing is under way")
        return self._session
