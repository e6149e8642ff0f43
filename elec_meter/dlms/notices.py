"""APDUs that answer no particular service: errors and pushed data (IEC 62056-5-3, 7.2 and 7.3)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from elec_meter.dlms.cursor import Cursor, encode_octets
from elec_meter.dlms.data import CosemData, data_at, encode_data
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.instants import SIZE
from elec_meter.dlms.services import enum_at

DATA_NOTIFICATION: Final = 0x0F
CONFIRMED_SERVICE_ERROR: Final = 0x0E
EXCEPTION: Final = 0xD8
_INITIATE_ERROR: Final = 1
_INITIATE: Final = 6
_COUNTER_SIZE: Final = 4


class InitiateError(IntEnum):
    """Why an InitiateRequest is refused."""

    OTHER = 0
    VERSION_TOO_LOW = 1
    INCOMPATIBLE_CONFORMANCE = 2
    PDU_SIZE_TOO_SHORT = 3
    REFUSED = 4


class StateError(IntEnum):
    """The first half of an exception response."""

    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ServiceError(IntEnum):
    """The second half of an exception response."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


class ConfirmedServiceError(NamedTuple):
    """An InitiateRequest is refused."""

    error: InitiateError

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((CONFIRMED_SERVICE_ERROR, _INITIATE_ERROR, _INITIATE, self.error))


class ExceptionResponse(NamedTuple):
    """An APDU could not be served at all.

    Attributes:
        state: what is wrong with asking.
        service: what is wrong with the question.
        counter: the lowest counter that would be taken, with `INVOCATION_COUNTER_ERROR` alone.
    """

    state: StateError
    service: ServiceError
    counter: int | None = None

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((EXCEPTION, self.state, self.service))
        return head if self.counter is None else head + self.counter.to_bytes(_COUNTER_SIZE, "big")


class DataNotification(NamedTuple):
    """Data that is sent without being asked for.

    Attributes:
        invoke: long invoke id and priority, 32 bits.
        date_time: when, as 12 bytes of COSEM; empty for no time.
        data: what.
    """

    invoke: int
    date_time: bytes
    data: CosemData

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((DATA_NOTIFICATION,)) + self.invoke.to_bytes(4, "big")
        return head + encode_octets(self.date_time) + encode_data(self.data)


def confirmed_service_error_at(cursor: Cursor) -> ConfirmedServiceError:
    """The error behind its tag.

    Raises:
        MalformedError: it is none that an InitiateRequest is answered with.
    """
    cursor.expect(bytes((_INITIATE_ERROR, _INITIATE)), "the kind of error")
    return ConfirmedServiceError(enum_at(cursor, InitiateError))


def exception_at(cursor: Cursor) -> ExceptionResponse:
    """The exception behind its tag.

    Raises:
        MalformedError: it is none.
    """
    state, service = enum_at(cursor, StateError), enum_at(cursor, ServiceError)
    counter = None
    if service is ServiceError.INVOCATION_COUNTER_ERROR:
        counter = cursor.unsigned(_COUNTER_SIZE)
    return ExceptionResponse(state, service, counter)


def data_notification_at(cursor: Cursor) -> DataNotification:
    """The notification behind its tag.

    Raises:
        MalformedError: it is none.
        TooLargeError: its data exceeds a limit.
    """
    invoke, date_time = cursor.unsigned(4), cursor.octets(SIZE)
    if len(date_time) not in (0, SIZE):
        raise MalformedError(f"a date-time has {SIZE} bytes, not {len(date_time)}")
    return DataNotification(invoke, date_time, data_at(cursor))
