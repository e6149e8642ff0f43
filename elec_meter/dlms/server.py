"""The DLMS server of one connection: associations by client, over the wrapper (IEC 62056-47)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from elec_meter.dlms.association import Association
from elec_meter.dlms.device import SERVER_SAP, LogicalDevice
from elec_meter.dlms.errors import PeerError
from elec_meter.dlms.hdlc import FLAG, HdlcLine, HdlcSession
from elec_meter.dlms.states import State
from elec_meter.dlms.turns import SessionByTurns
from elec_meter.dlms.wrapper import Wrapped, WrapperReader
from elec_meter.objects import INACTIVITY_S


class DlmsServer:
    """The associations of one connection, each with a client of its own.

    Args:
        device: the meter.
    """

    def __init__(self, device: LogicalDevice) -> None:
        self._device = device
        self._associations: dict[int, Association] = {}

    def association(self, client: int) -> State:
        """Where the association with a client is."""
        known = self._associations.get(client)
        return State.NONE if known is None else known.state

    def answer(self, client: int, server: int, apdu: bytes) -> bytes:
        """The answer to an APDU of a client to a logical device.

        Empty where there is no such device. Clients that are not known are refused and forgotten.
        """
        if server != SERVER_SAP:
            return b""
        association = self._associations.get(client)
        if association is None:
            association = Association(self._device, client)
        answer = association.answer(apdu)
        if association.state is State.NONE:
            self._associations.pop(client, None)
        else:
            self._associations[client] = association
        return answer

    def drop(self) -> None:
        """The connection is gone."""
        for association in self._associations.values():
            association.drop()
        self._associations.clear()


@dataclass(frozen=True, slots=True)
class DlmsTiming:
    """How long the meter waits on TCP.

    Attributes:
        inactivity_ms: for a whole APDU, before the session closes.
    """

    inactivity_ms: int = 1_000 * INACTIVITY_S


class WrapperSession(SessionByTurns):
    """A meter's side of one TCP connection. Any bytes are answered or refused; none raise.

    Args:
        server: answers the APDUs.
        timing: how long it waits.
        payload_max: bytes of an APDU that it takes.
        now: when the connection was opened, in the host's UTC, as in every other call.
    """

    def __init__(
        self, server: DlmsServer, timing: DlmsTiming, payload_max: int, now: datetime
    ) -> None:
        self._server = server
        self._reader = WrapperReader(payload_max)
        self._timing = timing
        self._closed = self._is_behind = False
        self._inactive_at = self._later(now)

    @property
    def closed(self) -> bool:
        """Whether it ended: out of step, or for want of anything sensible."""
        return self._closed

    @property
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""
        return self._is_behind

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one APDU at most; without data, one that waits."""
        if not self._is_behind:
            self.handle_timer(now)
        if self._closed or not (data or self._is_behind):
            return b""
        self._is_behind = False
        self._reader.feed(data)
        try:
            asked = self._reader.read()
            if asked is None:
                return b""
            self._inactive_at = self._later(now)
            self._is_behind = self._reader.is_partial
            answer = self._server.answer(asked.source, asked.destination, asked.apdu)
        except PeerError:
            self._close()
            return b""
        return Wrapped(asked.destination, asked.source, answer).to_bytes() if answer else b""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        return None if self._closed else self._inactive_at

    def handle_timer(self, now: datetime) -> bytes:
        """Close what waited too long; calling early or often is harmless.

        Returns:
            What is to be sent: nothing.
        """
        if not self._closed and now >= self._inactive_at:
            self._close()
        return b""

    def _close(self) -> None:
        self._closed, self._is_behind = True, False
        self._server.drop()

    def _later(self, now: datetime) -> datetime:
        return now + timedelta(milliseconds=self._timing.inactivity_ms)


class DlmsSession(SessionByTurns):
    """A meter's side of a TCP connection: over the wrapper, or HDLC if it begins with a flag.

    Args:
        wrapped: a session over the wrapper.
        link: makes a session over HDLC at an instant.
    """

    def __init__(self, wrapped: WrapperSession, link: Callable[[datetime], HdlcSession]) -> None:
        self._session: WrapperSession | HdlcSession = wrapped
        self._link: Callable[[datetime], HdlcSession] | None = link

    @property
    def closed(self) -> bool:
        """Whether it ended."""
        return self._session.closed

    @property
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""
        return self._session.is_behind

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one message at most; without data, one that waits."""
        self._choose(data, now)
        return self._session.receive_one(data, now)

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        return self._session.next_timer()

    def handle_timer(self, now: datetime) -> bytes:
        """Close what waited too long; returns what is to be sent."""
        return self._session.handle_timer(now)

    def _choose(self, data: bytes, now: datetime) -> None:
        """The first byte says what is spoken."""
        if self._link is not None and data:
            if data[0] == FLAG and not self.closed:
                self._session = self._link(now)
            self._link = None


class DlmsPort:
    """Makes the sessions of a meter's DLMS lines.

    Args:
        device: the meter.
        timing: how long sessions over TCP wait.
        line: what sessions over HDLC need to know of their line.
    """

    def __init__(
        self, device: LogicalDevice, timing: DlmsTiming | None = None, line: HdlcLine | None = None
    ) -> None:
        self._device = device
        self._timing = timing or DlmsTiming()
        self._line = line or HdlcLine()

    def session(self, now: datetime) -> DlmsSession:
        """A TCP connection was opened at `now`."""
        return DlmsSession(self.wrapped(now), self.link)

    def wrapped(self, now: datetime) -> WrapperSession:
        """A connection on which only the wrapper is spoken was opened at `now`."""
        server = DlmsServer(self._device)
        return WrapperSession(server, self._timing, self._device.receive_max, now)

    def link(self, now: datetime) -> HdlcSession:
        """A line on which HDLC is spoken was opened at `now`."""
        return HdlcSession(DlmsServer(self._device), self._line, now)
