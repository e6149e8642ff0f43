"""How the meter's lines are set up: optical port, HDLC, TCP (IEC 62056-6-2, 4.7 and 4.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import ClassVar, Final

from elec_meter.objects.classes.base import CosemObject, Now
from elec_meter.objects.classes.mbus_master_port import CommSpeed

HDLC_FIELD_MAX: Final = 1_024
"""Bytes of an information field, in either direction."""

HDLC_WINDOW_SENT: Final = 7
HDLC_WINDOW_RECEIVED: Final = 1
HDLC_OCTET_MS: Final = 1_500
"""How long an unfinished frame waits for its next byte."""

INACTIVITY_S: Final = 120
"""How long a session is kept without anything sensible, on any line."""

_OPENING, _FASTEST = CommSpeed.B300, CommSpeed.B19200
_ANY_ADDRESS: Final = 0
_SESSIONS_MAX: Final = 255
"""As many as the class has room for; there may be more."""


class PortMode(IntEnum):
    """The protocol with which a session at the optical port begins."""

    IEC_62056_21 = 0


class ResponseTime(IntEnum):
    """Between a request and its answer."""

    MS_20 = 0
    MS_200 = 1


class OpticalPort(CosemObject):
    """COSEM class 19; its value is the device address. Its passwords are nobody's to read.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        address: what a sign-on must name if it names anything.
        is_quick: whether it answers within 20 ms.
    """

    class_id: ClassVar[int] = 19
    value_attribute: ClassVar[int] = 6

    def __init__(self, obis: str, name: str, now: Now, address: str, *, is_quick: bool) -> None:
        super().__init__(obis, name, now)
        self._address = address
        self._response = ResponseTime.MS_20 if is_quick else ResponseTime.MS_200

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: PortMode.IEC_62056_21,
            3: lambda _: _OPENING,
            4: lambda _: _FASTEST,
            5: lambda _: self._response,
            6: lambda _: self._address,
            **{number: lambda _: "" for number in (7, 8, 9)},
        }


class HdlcSetup(CosemObject):
    """COSEM class 23; its value is the speed of the optical port in mode E."""

    class_id: ClassVar[int] = 23

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: int(_FASTEST),
            3: lambda _: HDLC_WINDOW_SENT,
            4: lambda _: HDLC_WINDOW_RECEIVED,
            5: lambda _: HDLC_FIELD_MAX,
            6: lambda _: HDLC_FIELD_MAX,
            7: lambda _: HDLC_OCTET_MS,
            8: lambda _: INACTIVITY_S,
            9: lambda _: _ANY_ADDRESS,
        }


class TcpSetup(CosemObject):
    """COSEM class 41; its value is the port on which DLMS listens, None where it does not.

    The addresses below it are the computer's: no object of the meter has them.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        port: gives the port.
    """

    class_id: ClassVar[int] = 41

    def __init__(self, obis: str, name: str, now: Now, port: Callable[[], int | None]) -> None:
        super().__init__(obis, name, now)
        self._port = port

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self._port(),
            3: lambda _: b"",
            4: lambda _: None,
            5: lambda _: _SESSIONS_MAX,
            6: lambda _: INACTIVITY_S,
        }
