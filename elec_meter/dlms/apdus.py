"""One decoder for everything that travels in clear: the choice of APDUs (IEC 62056-5-3, 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from elec_meter.dlms import acse, action, get, initiate, notices, setting
from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.errors import NotSupportedError, TooLargeError

APDU_MAX: Final = 65_536
"""Bytes of an APDU."""

Apdu: TypeAlias = (
    acse.AssociationRequest
    | acse.AssociationResponse
    | acse.ReleaseRequest
    | acse.ReleaseResponse
    | initiate.InitiateRequest
    | initiate.InitiateResponse
    | get.GetRequest
    | get.GetAnswer
    | setting.SetRequest
    | setting.SetAnswer
    | action.ActionRequest
    | action.ActionAnswer
    | notices.ConfirmedServiceError
    | notices.ExceptionResponse
    | notices.DataNotification
)

_READERS: Final[dict[int, Callable[[Cursor], Apdu]]] = {
    acse.AARQ: acse.association_request_at,
    acse.AARE: acse.association_response_at,
    acse.RLRQ: acse.release_request_at,
    acse.RLRE: acse.release_response_at,
    initiate.REQUEST: initiate.initiate_request_at,
    initiate.RESPONSE: initiate.initiate_response_at,
    get.REQUEST: get.get_request_at,
    get.RESPONSE: get.get_response_at,
    setting.REQUEST: setting.set_request_at,
    setting.RESPONSE: setting.set_response_at,
    action.REQUEST: action.action_request_at,
    action.RESPONSE: action.action_response_at,
    notices.CONFIRMED_SERVICE_ERROR: notices.confirmed_service_error_at,
    notices.EXCEPTION: notices.exception_at,
    notices.DATA_NOTIFICATION: notices.data_notification_at,
}


def decode_apdu(data: bytes) -> Apdu:
    """The APDU that these bytes are; layers below deliver it whole.

    Raises:
        NotSupportedError: no service of this meter begins like this; a ciphered APDU among them.
        MalformedError: it is none.
        TooLargeError: it exceeds a limit.
    """
    if len(data) > APDU_MAX:
        raise TooLargeError(f"an APDU of {len(data)} bytes exceeds {APDU_MAX}")
    cursor = Cursor(data)
    tag = cursor.byte()
    reader = _READERS.get(tag)
    if reader is None:
        raise NotSupportedError(f"{tag:02X} begins no APDU that the meter knows")
    apdu = reader(cursor)
    cursor.finish()
    return apdu
